"""Measures and writes the figures into the pages of docs/: no figure there is typed by hand.

    python benchmarks/write_docs.py figures --manifest ../shared/data/manifest.csv [--model seven]
    python benchmarks/write_docs.py commands --manifest ../shared/data/manifest.csv
    python benchmarks/write_docs.py engine [--model seven]
    python benchmarks/write_docs.py load --manifest ../shared/data/manifest.csv
    python benchmarks/write_docs.py soak --manifest ../shared/data/manifest.csv
    python benchmarks/write_docs.py load --measured docs/figures/load.json

``figures`` takes about as long as a tenth of the audio; ``commands`` half a minute; ``engine`` some
minutes and the packages of ``python3 dev.py install bench``; ``load``, with the same packages, and
``soak`` half an hour each on Linux. Each replaces only its own section of docs/evaluation.md,
docs/commands.md or docs/service-behaviour.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from commands_section import commands
from ending import run
from sections import Section

from wakeword.cli.trial_options import Stages, TrialOptions
from wakeword.evaluation.measurement import DEFAULT_SNRS_DB, evaluate
from wakeword.evaluation.pictures import OVERVIEW, curve_pictures
from wakeword.evaluation.tables import markdown, text_report
from wakeword.files import read_json, write_json
from wakeword.runtime import Bundle, find_bundle
from wakeword.training.measuring import score_trials
from wakeword.training.trials import Trials

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = {
    "figures": "evaluation.md",
    "commands": "commands.md",
    "engine": "evaluation.md",
    "load": "service-behaviour.md",
    "soak": "service-behaviour.md",
}
SPLIT, SEED = "dev", 1


def main() -> None:
    """Measure one section and write it."""
    parser = argparse.ArgumentParser(description="Measure, and write a section of a page.")
    parser.add_argument("section", choices=list(PAGES))
    parser.add_argument("--model", help="name or folder of the bundle; default: seven or commands")
    parser.add_argument("--manifest", type=Path, help="recordings, for all but engine")
    parser.add_argument("--document", type=Path, help="the page, where it is not in docs/")
    parser.add_argument("--measured", type=Path, help="draw load or soak from a former run's file")
    given = parser.parse_args()
    if (given.section == "engine" or given.measured is not None) != (given.manifest is None):
        parser.error("all but engine need --manifest, load and soak else --measured")
    if given.measured is not None and given.section not in ("load", "soak"):
        parser.error("--measured is for load and soak")
    path = given.document or DOCS / PAGES[given.section]
    given.model = given.model or ("commands" if given.section == "commands" else "seven")
    bundle = find_bundle(given.model)
    name = f"figures of {bundle.name}" if given.section == "figures" else given.section
    section = Section(path, name)
    if given.section == "figures":
        text = figures(bundle, given.manifest, section)
    elif given.section == "commands":
        text = commands(bundle, given.manifest, section)
    elif given.section == "engine":
        text = engine(given.model, bundle)
    else:
        text = service(given, path.parent, section)
    section.write(text)


def service(given: argparse.Namespace, folder: Path, section: Section) -> str:
    """Load or soak of the service; what was measured is kept in ``figures/``."""
    sys.path.insert(0, str(Path(__file__).parent))
    import service_section

    if given.measured is not None:
        found = read_json(given.measured)
    else:
        found = service_section.measure_section(given.section, given.model, given.manifest)
        (folder / "figures").mkdir(exist_ok=True)
        write_json(folder / "figures" / f"{given.section}.json", found)
    return service_section.text_of(given.section, found, section)


def figures(bundle: Bundle, manifest_path: Path, section: Section) -> str:
    """Misses and false alarms of a bundle, with a picture of the curves."""
    options = TrialOptions(manifest_path, SPLIT, (), SEED)
    manifest, trials = options.open(bundle)
    conditions = trials.conditions(DEFAULT_SNRS_DB)
    with Stages() as stage:
        scored = score_trials(bundle, trials, conditions, stage)
    result = evaluate(bundle, scored.recorded, scored.by_condition, scored.rules)
    link = section.picture(
        f"{bundle.name}-{OVERVIEW}", curve_pictures(result, conditions)[OVERVIEW],
        "Missed over false alarms, by word",
    )  # fmt: skip
    said = (
        f"Bundle `{bundle.name}` {bundle.metadata.version} (sha256 {bundle.sha256[:12]}…) on the "
        f"split `{SPLIT}` of the manifest with sha256 {manifest.sha256[:12]}…, and on all of the "
        f"corpora that it was not trained on ({_unheard(bundle, trials)}); seed {SEED}. A "
        f"detection counts up to {scored.rules.tolerance_s:.2f} s after the word."
    )
    return f"### {bundle.name}\n\n{said}\n\n{text_report(result, conditions)}\n\n{link}"


def engine(model: str, bundle: Bundle) -> str:
    """Cost of the engines, ours and others', from one run."""
    sys.path.insert(0, str(Path(__file__).parent))
    from engine import compare

    found = compare(model, seconds=30.0, rounds=5)
    machine = found["machine"]
    packages = ", ".join(f"{k} {v}" for k, v in machine.items() if k not in ("cpu", "python"))
    network = bundle.metadata.model
    return "\n\n".join(
        [
            f"`{bundle.name}`: {network.parameters:,} parameters, "
            f"{network.flops_per_window / 1e6:.1f} MFLOP per window of "
            f"{bundle.metadata.window_frames} frames, {network.bytes:,} bytes.",
            f"One core of {machine['cpu']}, Python {machine['python']}, {packages}; the least "
            f"disturbed of {found['rounds']} rounds of {found['seconds']:.0f} s of audio, all "
            "engines in turn.",
            _engine_table(found["engines"]),
            "CPU time covers everything from 16 bit samples to the decision. Resident memory is "
            "that of the process beyond Python and numpy.",
        ]
    )


def _engine_table(engines: dict[str, dict[str, Any]]) -> str:
    ours = engines["wakeword"]["cpu_s_per_s"]
    rows = []
    for engine in engines.values():
        rows.append(
            [
                engine["what"],
                f"{1e3 * engine['cpu_s_per_s']:.2f} ms",
                f"{1.0 / engine['cpu_s_per_s']:.0f}",
                f"{engine['cpu_s_per_s'] / ours:.2f}",
                f"{engine['own_bytes'] / 2**20:.0f} MiB",
                f"{engine['model_bytes'] / 2**10:.0f} KiB",
            ]
        )
    return markdown(
        ["engine", "CPU per second of one stream", "streams per core", "relative to wakeword",
         "resident memory", "model"],
        rows,
    )  # fmt: skip


def _unheard(bundle: Bundle, trials: Trials) -> str:
    heard = {source.corpus for source in bundle.metadata.training.data}
    return ", ".join(sorted({r.corpus for r in trials.recordings} - heard)) or "none here"


if __name__ == "__main__":
    run(main)
