"""How much is missed beside engines of others, on the same audio and at the same false alarms.

    python benchmarks/others.py --manifest ../shared/data/manifest.csv
    python benchmarks/others.py --manifest ... --model seven runs/seven-synthetic-bundle
    python benchmarks/others.py --manifest ... --document docs/evaluation.md

"alexa", the word that all have, on the dev split: clips clean, in noise, in babble and from two
metres away in simulated rooms. For each engine the threshold is chosen on the same negatives for
0.5 false alarms per hour, as ``wakeword evaluate`` chooses it. An engine of others hears
everything as one stream, with a second of faint noise before and after each recording; of ours
each recording is a stream of its own. CSV and JSON go to --out, anew after each engine: stopped and
called again, it measures what it has not.
"""

from __future__ import annotations

import argparse
import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ending import run
from foreign import FOREIGN, WORD, Foreign
from sections import Section

from wakeword.cli.options import note
from wakeword.cli.trial_options import Stages, TrialOptions
from wakeword.errors import EvaluationError
from wakeword.evaluation.bootstrap import by_speaker, share_interval
from wakeword.evaluation.calibration import choose_threshold, negative_curve
from wakeword.evaluation.conditions import Condition
from wakeword.evaluation.events import EventRules, Track
from wakeword.evaluation.outcomes import outcomes_of
from wakeword.evaluation.scoring import Clip, event_rules
from wakeword.evaluation.tables import markdown
from wakeword.files import read_json, write_csv, write_json
from wakeword.runtime import Bundle, find_bundle
from wakeword.training.measuring import Stage, score_trials
from wakeword.training.trials import Trials

SECTION = "others"
SEED = 1
DISTANCE_M = 2.0
CONDITIONS = (
    Condition("clean"), Condition("noise", 10.0), Condition("noise", 5.0),
    Condition("babble", 10.0), Condition("babble", 5.0),
    Condition("clean", math.inf, DISTANCE_M),
)  # fmt: skip
GAP, FAINT = 16_000, 3.0
"""Samples before and after each recording that an engine of others hears, and their deviation."""


@dataclass(frozen=True)
class Heard:
    """What one engine made of everything: tracks of the recordings, and of clips by condition."""

    what: str
    recorded: Sequence[Track]
    by_condition: Mapping[str, Sequence[Track]]


def main() -> None:
    """Hear with all engines, and show what each misses."""
    given = _arguments()
    section = given.document and Section(given.document, SECTION)
    bundles = [find_bundle(name) for name in given.model]
    for bundle in bundles:
        if WORD not in bundle.words:
            raise EvaluationError(f"{bundle.name} has no word '{WORD}': {', '.join(bundle.words)}")
    _, trials = TrialOptions(given.manifest, "dev", (), seed=SEED).open(*bundles)
    rules = event_rules(bundles[0])
    with Stages() as stage:
        rooms = trials.config.rooms
        trials.simulate_rooms([DISTANCE_M], stage("simulating rooms", rooms, "rooms"))
        hearers: dict[str, Callable[[], Heard]] = {}
        for bundle in bundles:
            hearers[bundle.sha256] = partial(_heard_by_us, bundle, trials, stage)
        for name in given.engines:
            hears = partial(_heard_by, FOREIGN[name], trials, rules, stage)
            hearers[f"{name} {version(name)}"] = hears
        rows = measured(hearers, heard_key(trials), rules, given.out)
    text = _text(rows)
    print(text)
    note(f"written to {given.out}")
    if section is not None:
        section.write(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Missed beside engines of others.")
    parser.add_argument("--manifest", type=Path, required=True, help="recordings to measure on")
    parser.add_argument("--model", nargs="+", default=["seven"],
                        help=f"models of ours that have the word {WORD}")  # fmt: skip
    parser.add_argument("--engines", nargs="*", default=list(FOREIGN), choices=list(FOREIGN))
    parser.add_argument("--out", type=Path, default=Path("runs/others"))
    parser.add_argument("--document", type=Path, help="page whose section is written anew")
    return parser.parse_args()


def heard_key(trials: Trials) -> str:
    """What all are measured on, in short: another key, other audio."""
    conditions = [condition.name for condition in CONDITIONS]
    recordings = sorted((r.path.as_posix(), r.seconds) for r in trials.recordings)
    noise = sorted(trials.config.noise_corpora)
    facts = (SEED, DISTANCE_M, trials.words, conditions, noise, recordings)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def measured(
    hearers: Mapping[str, Callable[[], Heard]], audio: str, rules: EventRules, out: Path
) -> list[dict[str, Any]]:
    """A row for each of ``hearers``; what ``out`` has of the same ``audio`` is not heard again."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "others.json"
    before: list[dict[str, Any]] = read_json(path) if path.exists() else []
    kept = {row["hearer"]: row for row in before if row.get("audio") == audio}
    rows = []
    for hearer, hear_all in hearers.items():
        if hearer in kept:
            note(f"{kept[hearer]['engine']}: measured before")
        else:
            kept[hearer] = {"hearer": hearer, "audio": audio, **_row(hear_all(), rules)}
        rows.append(kept[hearer])
        write_json(path, list(kept.values()))
        write_csv(out / "others.csv", [_flat(row) for row in rows])
    return rows


def _heard_by_us(bundle: Bundle, trials: Trials, stage: Stage) -> Heard:
    scored = score_trials(bundle, trials, CONDITIONS, stage)
    what = f"wakeword, {bundle.name} {bundle.metadata.version}"
    return Heard(what, scored.recorded, scored.by_condition)


def _heard_by(
    load: Callable[[], Foreign], trials: Trials, rules: EventRules, stage: Stage
) -> Heard:
    engine = load()

    def tracks(clips: Iterable[Clip], name: str, seconds: float) -> list[Track]:
        advance, found = stage(f"{engine.what}: {name}", seconds), []
        for track in hear(engine, clips, rules.step_samples):
            advance(track.scored_steps * rules.step_s)
            found.append(track)
        return found

    recorded = tracks(trials.recorded(), "recordings", trials.seconds)
    by_condition = {}
    for condition in CONDITIONS:
        if condition.as_recorded:
            by_condition[condition.name] = [t for t in recorded if t.truths(WORD)]
            continue
        clips = [c for c in trials.mixed(condition) if any(t.word == WORD for t in c.label.truths)]
        seconds = trials.mixed_seconds(condition) * len(clips) / sum(trials.clips_of.values())
        by_condition[condition.name] = tracks(clips, condition.name, seconds)
    return Heard(engine.what, recorded, by_condition)


def hear(engine: Foreign, clips: Iterable[Clip], step_samples: int) -> Iterator[Track]:
    """Highest score of each step of each clip, of an engine that hears them one after the other."""
    rng = np.random.default_rng(SEED)
    chunk = engine.chunk_samples
    for clip in clips:
        samples = np.concatenate(list(clip.blocks()))
        whole = -(-(GAP + len(samples) + GAP) // chunk) * chunk
        before = whole - GAP - len(samples)
        audio = FAINT * rng.standard_normal(whole)
        audio[before : before + len(samples)] = samples * 32768.0
        pcm = np.clip(np.rint(audio), -32768, 32767).astype(np.int16)
        highest = np.zeros((-(-(len(samples) + GAP) // step_samples), 1), np.float32)
        for start in range(0, whole, chunk):
            step = (start + chunk - before - 1) // step_samples
            for score in engine.scores(pcm[start : start + chunk]):
                if 0 <= step < len(highest):
                    highest[step] = max(highest[step, 0], score)
        yield Track(clip.label, (WORD,), highest, len(samples) // step_samples)


def _row(heard: Heard, rules: EventRules) -> dict[str, Any]:
    """The threshold, what it costs, and what is missed at it under each condition."""
    choice = choose_threshold(negative_curve(WORD, heard.recorded, rules), 0.5)
    conditions = {}
    for name, clips in heard.by_condition.items():
        judged = list(outcomes_of("chosen", {WORD: choice.threshold}, {name: clips}, rules))
        missed = np.array([[o.missed] for o in judged], np.float64)
        sums, counts = by_speaker([(o.word, o.cluster) for o in judged], missed)
        low, high = share_interval(sums, counts, SEED)
        conditions[name] = {
            "clips": len(judged), "speakers": len(counts), "missed": int(missed.sum()),
            "frr": float(missed.mean()), "frr_low": float(low[0]), "frr_high": float(high[0]),
        }  # fmt: skip
    return {
        "engine": heard.what, "word": WORD, "threshold": choice.threshold,
        "alarms": choice.rate.alarms, "hours": choice.rate.hours, "conditions": conditions,
    }  # fmt: skip


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the CSV file: missed under each condition beside the rest."""
    shares = {f"frr, {name}": c["frr"] for name, c in row["conditions"].items()}
    return {**{k: v for k, v in row.items() if k != "conditions"}, **shares}


def _text(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(rows[0]["conditions"])
    first = rows[0]["conditions"][names[0]]
    cells = [
        (
            row["engine"], f"{row['threshold']:.4f}",
            f"{row['alarms']} in {row['hours']:.2f} h",
            *(_share(row["conditions"][name]) for name in names),
        )
        for row in rows
    ]
    header = ("engine", "threshold", "false alarms", *(f"missed, {name}" for name in names))
    return (
        f'"{WORD}", split `dev`, seed {SEED}: {first["clips"]} clips of {first["speakers"]} '
        "speakers; thresholds chosen for 0.5 false alarms per hour on the same negatives. In "
        f"brackets the 95 % interval over speakers.\n\n{markdown(header, cells)}"
    )


def _share(condition: Mapping[str, Any]) -> str:
    low, high = 100 * condition["frr_low"], 100 * condition["frr_high"]
    return f"{100 * condition['frr']:.1f} % ({low:.1f} to {high:.1f})"


if __name__ == "__main__":
    run(main)
