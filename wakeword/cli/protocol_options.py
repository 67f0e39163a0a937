"""``evaluate --protocol``: other people's benchmarks, on the recordings of a manifest."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wakeword.cli.about import about_bundle, about_trials
from wakeword.cli.command_protocol import run_commands
from wakeword.cli.condition_options import ConditionOptions
from wakeword.cli.options import Command, note
from wakeword.cli.plot import require_matplotlib
from wakeword.cli.report_options import ReportOptions
from wakeword.cli.trial_options import Stages, TrialOptions
from wakeword.runtime import find_bundle

if TYPE_CHECKING:
    from wakeword.evaluation.picovoice_result import ProtocolResult
    from wakeword.training.picovoice import Protocol

HOURS = 24.0
_OWN = ("hours", "words", "speech_corpora", "scores")
_OTHERS = ("noise", "babble", "telephone", "distance", "rooms", "listen", "listen_most")
_NOT_OF: Mapping[str | None, tuple[str, ...]] = {
    None: _OWN,
    "picovoice": _OTHERS,
    "speech-commands": (*_OTHERS, *_OWN, "snr", "target"),
}
"""Options that do not go with a protocol, or with none."""


@dataclass(frozen=True)
class ProtocolOptions:
    """What the Picovoice benchmark can be told, beside what every evaluation can."""

    hours: float
    words: tuple[str, ...]
    speech_corpora: tuple[str, ...]
    scores: Path | None

    def run(
        self,
        models: tuple[str, ...],
        trial: TrialOptions,
        clips: ConditionOptions,
        target: float | None,
        report: ReportOptions,
        as_json: bool,
    ) -> None:
        """Measure one model, print the figures, write the report if one is wanted."""
        from wakeword.evaluation.picovoice import AFTER_S
        from wakeword.evaluation.picovoice_report import check_protocol_folder, write_protocol
        from wakeword.training.picovoice import run_protocol

        if len(models) != 1:
            raise click.UsageError(f"--protocol is for one MODEL, not {len(models)}")
        model = find_bundle(models[0])
        protocol = self._protocol(trial, clips, target)
        if report.folder is not None:
            check_protocol_folder(report.folder)
            if report.pictures:
                require_matplotlib("drawing a report")
        manifest, trials = trial.open(model)
        with Stages() as stage:
            result = run_protocol(model, trials, manifest.sha256, protocol, stage)
        _print(result, as_json)
        if report.folder is not None:
            about = {
                **about_trials(manifest, trials),
                **about_bundle(model, AFTER_S),
                "protocol": {"name": "picovoice", **asdict(protocol.stream)},
                "speech_corpora": sorted(protocol.speech_corpora),
            }
            write_protocol(report.folder, result, about, pictures=report.pictures)
            note(f"report written to {report.folder}")

    def _protocol(
        self, trial: TrialOptions, clips: ConditionOptions, target: float | None
    ) -> Protocol:
        from wakeword.data.picovoice_plan import SNR_DB, StreamConfig
        from wakeword.evaluation.picovoice_result import TARGET_FA_PER_HOUR
        from wakeword.training.picovoice import Protocol

        snrs_db = clips.snrs_db if _given("snr") else (SNR_DB,)
        if len(snrs_db) != 1:
            raise click.UsageError(f"--protocol takes one --snr, not {len(snrs_db)}")
        return Protocol(
            StreamConfig(hours=self.hours, snr_db=snrs_db[0], seed=trial.seed),
            TARGET_FA_PER_HOUR if target is None else target,
            self.words,
            frozenset(self.speech_corpora),
            self.scores,
        )


def protocol_options(command: Command) -> Command:
    """Add the options; with ``--protocol`` the command itself is not called.

    To be put right above the command, so that it sees what the other decorators made of theirs.
    """

    @functools.wraps(command)
    def with_protocol(
        *arguments: Any,
        protocol: str | None,
        hours: float,
        words: tuple[str, ...],
        speech_corpora: tuple[str, ...],
        scores: Path | None,
        listen: object,
        **others: Any,
    ) -> Any:
        strangers = [name for name in _NOT_OF[protocol] if _given(name)]
        if strangers:
            which = f"does not go with --protocol {protocol}"
            if protocol is None:
                which = "goes only with --protocol picovoice"
            raise click.UsageError(f"{_flag(strangers[0])} {which}")
        if protocol is None:
            return command(*arguments, listen=listen, **others)
        if protocol == "speech-commands":
            return run_commands(
                others["models"], others["trial"], others["report"], others["as_json"]
            )
        return ProtocolOptions(hours, words, speech_corpora, scores).run(*arguments, **others)

    for option in (
        click.option("--scores", type=click.Path(path_type=Path), metavar="DIR",
                     help="With picovoice: keep the scores of each stream here, and go on from "
                          "those that are there."),
        click.option("--speech-corpus", "speech_corpora", multiple=True, metavar="NAME",
                     help="With picovoice: speech between the words; repeatable. [default: all "
                          "running speech]"),
        click.option("--word", "words", multiple=True, metavar="WORD",
                     help="With picovoice: a word to measure; repeatable. [default: all that "
                          "have clips]"),
        click.option("--hours", type=float, default=HOURS, show_default=True, metavar="H",
                     help="With picovoice: length of the stream of each word."),
        click.option("--protocol", type=click.Choice(("picovoice", "speech-commands")),
                     help="Instead, picovoice: Picovoice's benchmark. Each word has a stream of "
                          "hours with all its clips, noise at 10 dB (or --snr) and speech in a "
                          "fifth; what counts is the share missed at 0.1 (or --target) alarms per "
                          "hour. speech-commands: how often command sets are right about single "
                          "clips of words, unknown words and silence."),
    ):  # fmt: skip
        with_protocol = option(with_protocol)
    return with_protocol


def _given(name: str) -> bool:
    """Whether an option was given on the command line, its default or not."""
    source = click.get_current_context().get_parameter_source(name)
    return source is click.core.ParameterSource.COMMANDLINE


def _flag(name: str) -> str:
    """The option as people write it."""
    options = {p.name: p.opts[0] for p in click.get_current_context().command.params}
    return options[name]


def _print(result: ProtocolResult, as_json: bool) -> None:
    from wakeword.evaluation.picovoice_tables import (
        content_rows,
        mean_rows,
        text_report,
        word_rows,
    )

    if not as_json:
        click.echo(text_report(result))
        return
    for name, rows in (("word", word_rows), ("mean", mean_rows), ("stream", content_rows)):
        for row in rows(result):
            figure: Mapping[str, Any] = {"figure": name, **row}
            click.echo(json.dumps(figure, ensure_ascii=False))
