"""Measures the Picovoice benchmark, and writes it into docs/evaluation.md.

    python benchmarks/picovoice.py --manifest ../shared/data/manifest.csv

Takes three minutes of one core for each word and 24 h; the scores are kept in runs/picovoice, so
that a run that was stopped goes on. The same figures without a page:

    wakeword evaluate seven --manifest ... --protocol picovoice --speech-corpus librispeech
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ending import run
from sections import Section

from wakeword.cli.trial_options import Stages, TrialOptions
from wakeword.data.picovoice_plan import HOURS, StreamConfig
from wakeword.evaluation.picovoice_report import draw
from wakeword.evaluation.picovoice_result import BENCHMARK_WORDS
from wakeword.evaluation.picovoice_tables import text_report
from wakeword.runtime import find_bundle
from wakeword.training.picovoice import Protocol, run_protocol

ROOT = Path(__file__).resolve().parent.parent
SPLIT, SEED = "dev", 1


def main() -> None:
    """Measure, and write the section of the page."""
    parser = argparse.ArgumentParser(description="The Picovoice benchmark, into a page.")
    parser.add_argument("--model", default="seven", help="name or folder of the bundle")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--speech-corpus", default="librispeech", help="between the words")
    parser.add_argument("--noise-corpus", action="append", default=[], help="default: the recipe's")
    parser.add_argument("--hours", type=float, default=HOURS, help="of each word's stream")
    parser.add_argument("--scores", type=Path, default=ROOT / "runs" / "picovoice")
    parser.add_argument("--document", type=Path, default=ROOT / "docs" / "evaluation.md")
    given = parser.parse_args()
    bundle = find_bundle(given.model)
    section = Section(given.document, f"picovoice benchmark of {bundle.name}")
    protocol = Protocol(
        StreamConfig(hours=given.hours, seed=SEED),
        words=tuple(w for w in bundle.words if w in BENCHMARK_WORDS),
        speech_corpora=frozenset({given.speech_corpus}),
        scores=given.scores,
    )
    options = TrialOptions(given.manifest, SPLIT, tuple(given.noise_corpus), SEED)
    manifest, trials = options.open(bundle)
    with Stages() as stage:
        result = run_protocol(bundle, trials, manifest.sha256, protocol, stage)
    noise = {r.corpus for r in trials.recordings} & trials.config.noise_corpora
    said = (
        f"Bundle `{bundle.name}` {bundle.metadata.version} (sha256 {bundle.sha256[:12]}…), split "
        f"`{SPLIT}` of the manifest with sha256 {manifest.sha256[:12]}…, seed {SEED}: streams of "
        f"{given.hours:g} h, speech from `{given.speech_corpus}`, noise from "
        f"{', '.join(f'`{name}`' for name in sorted(noise))}."
    )
    link = section.picture(
        f"{bundle.name}-picovoice.png", draw(result), "Missed over false alarms on the streams"
    )
    section.write(f"### {bundle.name}\n\n{said}\n\n{text_report(result)}\n\n{link}")


if __name__ == "__main__":
    run(main)
