"""What ``evaluate`` and ``calibrate`` share: the recordings to measure on, and the stages."""

from __future__ import annotations

import functools
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wakeword.cli.options import Command, note
from wakeword.cli.progress import Advance, progress
from wakeword.runtime import Bundle

if TYPE_CHECKING:
    from wakeword.data.manifest import Manifest
    from wakeword.training.measuring import Stage
    from wakeword.training.trials import Trials


@dataclass(frozen=True)
class TrialOptions:
    """Which recordings of which manifest, and what clips are mixed with."""

    manifest: Path
    split: str
    noise_corpora: tuple[str, ...]
    seed: int

    def read(self, *bundles: Bundle) -> tuple[Manifest, frozenset[str]]:
        """Read the manifest; with it, which of its corpora are noise."""
        from wakeword.data.manifest import read_manifest
        from wakeword.training.trials import listed_in_recipe

        manifest = read_manifest(self.manifest)
        for warning in manifest.warnings:
            note(f"manifest {warning}")
        noise = self.noise_corpora or {
            name for bundle in bundles for name in listed_in_recipe(bundle, "noise_corpora")
        }
        return manifest, frozenset(noise)

    def open(self, *bundles: Bundle) -> tuple[Manifest, Trials]:
        """Read the manifest and pick what none of the bundles was trained on."""
        from wakeword.training.trials import TrialConfig, Trials

        manifest, noise = self.read(*bundles)
        config = TrialConfig(noise, self.split, self.seed)
        trials = Trials.of_bundles(bundles, manifest, config)
        _note_gaps(trials)
        return manifest, trials


def trial_options(command: Command) -> Command:
    """Add the options; the command gets them as one keyword argument ``trial``."""

    @functools.wraps(command)
    def with_trial(
        *arguments: Any,
        manifest: Path,
        split: str,
        noise_corpus: tuple[str, ...],
        seed: int,
        **others: Any,
    ) -> Any:
        options = TrialOptions(manifest, split, noise_corpus, seed)
        return command(*arguments, trial=options, **others)

    for option in (
        click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True,
                     help="Which noise each clip is mixed with."),
        click.option("--noise-corpus", multiple=True, metavar="NAME",
                     help="Corpus of the manifest that is noise; repeatable. [default: those of "
                          "the model's recipe]"),
        click.option("--split", type=click.Choice(("train", "dev", "test")), default="dev",
                     show_default=True,
                     help="Recordings of this split are used, and all of corpora that the model "
                          "was not trained on."),
        click.option("--manifest", required=True, type=click.Path(path_type=Path),
                     metavar="M.csv", help="The recordings: path,corpus,text,speaker,split,..."),
    ):  # fmt: skip
        with_trial = option(with_trial)
    return with_trial


class Stages:
    """Progress of one stage after the other; leaving it ends the last."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Stage:
        return self._begin

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _begin(self, name: str, total: float, unit: str = "s") -> Advance:
        self._stack.close()
        return self._stack.enter_context(progress(name, total, unit))


def _note_gaps(trials: Trials) -> None:
    missing = [word for word, clips in trials.clips_of.items() if not clips]
    if missing:
        note(f"no clips of {', '.join(missing)}: their misses are not measured")
    if trials.excluded:
        note(f"{trials.excluded} recordings that the model's recipe excludes are not measured on")
    left_out = trials.left_out()
    if left_out:
        minutes = sum(r.seconds for r in left_out) / 60.0
        note(
            f"{len(left_out)} recordings ({minutes:.0f} min) hold a word at an unknown time, or "
            "have no transcript: for the words that may be in them they are left out"
        )
