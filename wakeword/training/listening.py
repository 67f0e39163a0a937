"""Makes the audio of misses and false alarms again, as it was scored, and puts it on a page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wakeword.data.mixing import loudest_rms
from wakeword.evaluation.conditions import Condition
from wakeword.evaluation.listening.excerpts import Samples, cut_excerpts
from wakeword.evaluation.listening.findings import Finding, Findings, worst_findings
from wakeword.evaluation.listening.page import Described, ListeningPage
from wakeword.evaluation.measurement import Evaluation
from wakeword.evaluation.scoring import Clip
from wakeword.runtime import Bundle
from wakeword.training.measuring import Scored, Stage
from wakeword.training.trials import Trials

_SILENCE_DBFS = -120.0

Span = tuple[int, int]


def write_listening_page(
    path: str | Path,
    bundle: Bundle,
    trials: Trials,
    conditions: Sequence[Condition],
    scored: Scored,
    evaluation: Evaluation,
    *,
    about: Mapping[str, Any],
    most: int,
    stage: Stage,
) -> Findings:
    """Write the worst ``most`` false alarms and misses under each condition as one HTML file.

    Noise and babble follow from the seed of the trials: what is heard is what was scored.

    Raises
    ------
    AudioError
        A recording cannot be read, or Opus not be written.
    OSError
        As from any writing.
    """
    found = worst_findings(evaluation, scored.recorded, scored.by_condition, scored.rules, most)
    page = ListeningPage(about, bundle.metadata.frontend.drawn, scored.rules)
    streams: dict[tuple[str, str], list[Finding]] = {}
    for finding in found.kept:
        streams.setdefault((finding.event.condition, finding.event.recording), []).append(finding)
    audio = _Audio(trials, conditions)
    advance = stage("cutting excerpts", len(streams), "recordings")
    number: dict[int, int] = {}
    for (condition, name), findings in streams.items():
        number |= _add(page, audio.blocks(condition, name), findings)
        advance(1)
    described = [_described(finding, number[id(finding)], audio) for finding in found.kept]
    page.write(path, described, found.left_out)
    return found


class _Audio:
    """The streams of an evaluation by condition and name; nothing is read until it is asked for."""

    def __init__(self, trials: Trials, conditions: Sequence[Condition]) -> None:
        self._trials = trials
        self._conditions = {c.name: c for c in conditions if not c.as_recorded}
        self._clips: dict[str, dict[str, Clip]] = {}
        self.recordings = {trials.label(r).name: r for r in trials.recordings}

    def blocks(self, condition: str, name: str) -> Iterable[Samples]:
        """The samples of one stream, from its beginning."""
        condition = condition if condition in self._conditions else ""
        if condition not in self._clips:
            trials = self._trials
            clips = trials.mixed(self._conditions[condition]) if condition else trials.recorded()
            self._clips[condition] = {clip.label.name: clip for clip in clips}
        return self._clips[condition][name].blocks()

    def mixed_in(self, condition: str, name: str) -> str:
        """What was mixed with it: the class of a noise, the speakers of babble."""
        if condition not in self._conditions:
            return ""
        noise = self._trials.config.noise_corpora
        found = self._trials.mixed_in(self.recordings[name], self._conditions[condition])
        texts = (r.text if r.corpus in noise else r.speaker or "unknown" for r in found)
        return ", ".join(f"{text} ({r.corpus})" for text, r in zip(texts, found, strict=True))


def _add(
    page: ListeningPage, blocks: Iterable[Samples], findings: Sequence[Finding]
) -> dict[int, int]:
    """Add the excerpts of one stream; gives the excerpt of each finding, by its identity."""
    rate = page.frontend.sample_rate
    spans: dict[Span, list[Finding]] = {}
    for finding in findings:
        span = round(finding.start_s * rate), round(finding.stop_s * rate)
        spans.setdefault(span, []).append(finding)
    number: dict[int, int] = {}
    cut = cut_excerpts(blocks, list(spans), page.frontend)
    for heard, excerpt in zip(spans.values(), cut, strict=True):
        level = loudest_rms(excerpt.samples, rate)
        dbfs = 20.0 * math.log10(level) if level > 0.0 else _SILENCE_DBFS
        index = page.add_excerpt(excerpt, heard, dbfs)
        number |= {id(finding): index for finding in heard}
    return number


def _described(finding: Finding, excerpt: int, audio: _Audio) -> Described:
    event = finding.event
    recording = audio.recordings[event.recording]
    return Described(
        finding=finding,
        excerpt=excerpt,
        transcript=recording.text,
        mixed_in=audio.mixed_in(event.condition, event.recording),
        times_known=not math.isnan(recording.word_start_s),
    )
