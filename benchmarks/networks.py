"""All networks side by side: what each costs, and what those that were trained are worth.

    python benchmarks/networks.py
    python benchmarks/networks.py --manifest ../shared/data/manifest.csv
    python benchmarks/networks.py --manifest ... --document docs/networks.md
    python benchmarks/networks.py --networks tc-resnet8 crnn --out runs/two-networks

What a network costs needs no training: parameters, operations, size in float and in 8 bits, time of
a window and of a stream's second in turns with the CRNN that ships. With --manifest, the networks
trained by benchmarks/commands.py (--commands) are measured on the command set, in float and in 8
bits; what they miss as wake words is read from the runs of
``benchmarks/studies/run.py networks`` (--wake-words). A cell of what was not measured has a dash.

Table, CSV, JSON and picture go to --out. What was measured before is kept there: call it again when
more is trained. --again times anew.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench.costs import costs_of
from bench.show import NOTES, picture_of, rows_of, table_of
from bench.trained import Clips, bundles_in, wake_word_figures
from ending import run

from wakeword.cli.options import note
from wakeword.data.manifest import read_manifest
from wakeword.errors import EvaluationError
from wakeword.evaluation.documents import replace_section
from wakeword.files import atomic_write, read_json, write_csv, write_json
from wakeword.networks import NETWORKS, named_network
from wakeword.runtime import Bundle, find_bundle

SECTION = "bench of networks"
COSTS = "costs.json"
_MOST_BYTES = 16 * 2**20


def main() -> None:
    """Measure what is not measured yet, and show all of it."""
    given = _arguments()
    names = [named_network(name).name for name in given.networks]
    document = given.document and given.document.read_text("utf-8")
    if document is not None:
        replace_section(document, SECTION, "")  # damaged: say so before measuring
    shipped = find_bundle(given.model)
    figures = [_costs(name, shipped, given.out, given.again) for name in names]
    _add_trained(figures, given)
    write_json(given.out / "networks.json", {"beside": shipped.name, "networks": figures})
    write_csv(given.out / "networks.csv", list(rows_of(figures)))
    with atomic_write(given.out / "networks.png", "wb") as image:
        image.write(picture_of(figures))
    print(table_of(figures))
    note(f"written to {given.out}")
    if given.document is not None:
        _write_section(given.document, figures, shipped)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="All networks side by side.")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), metavar="NAME")
    parser.add_argument("--manifest", type=Path, help="recordings of the command set")
    parser.add_argument("--split", default="test", choices=("dev", "test"))
    parser.add_argument("--commands", type=Path, default=Path("runs/commands-seeds/runs"),
                        help="runs of benchmarks/commands.py")  # fmt: skip
    parser.add_argument("--wake-words", type=Path, default=Path("runs/studies/networks/runs"),
                        help="runs of benchmarks/studies/run.py networks")  # fmt: skip
    parser.add_argument("--model", default="seven", help="the CRNN beside which times are taken")
    parser.add_argument("--out", type=Path, default=Path("runs/networks"))
    parser.add_argument("--document", type=Path, help="page whose section is written anew")
    parser.add_argument("--again", action="store_true", help="time networks that were timed before")
    return parser.parse_args()


def _costs(name: str, shipped: Bundle, out: Path, again: bool) -> dict[str, Any]:
    """Costs of one network, measured now or kept from before beside the same CRNN."""
    path = out / COSTS
    kept: dict[str, Any] = {}
    if path.exists():
        kept = read_json(path, _MOST_BYTES, EvaluationError)
    if kept.get("beside") != shipped.sha256:
        kept = {"beside": shipped.sha256, "networks": {}}
    if again or name not in kept["networks"]:
        note(f"{name}: timing")
        kept["networks"][name] = costs_of(name, shipped)
        out.mkdir(parents=True, exist_ok=True)
        write_json(path, kept)
    found: dict[str, Any] = kept["networks"][name]
    return found


def _add_trained(figures: list[dict[str, Any]], given: argparse.Namespace) -> None:
    words = wake_word_figures(given.wake_words)
    trained = bundles_in(given.commands) if given.manifest is not None else {}
    clips = None
    if given.manifest is not None:
        clips = Clips(read_manifest(given.manifest), given.split, given.out / "clips")
    for one in figures:
        name = one["network"]
        one["wake_word"] = words.get(name)
        one["commands"] = (
            clips.figures(trained[name]) if clips is not None and name in trained else None
        )
    unmeasured = [f["network"] for f in figures if f["commands"] is None]
    note(f"no accuracy of {len(unmeasured)} networks: {', '.join(unmeasured) or 'none'}")
    missing = [f["network"] for f in figures if f["wake_word"] is None]
    note(f"no wake words of {len(missing)} networks: {', '.join(missing) or 'none'}")


def _write_section(path: Path, figures: list[dict[str, Any]], shipped: Bundle) -> None:
    """The table, the picture and what they mean, into the page."""
    picture = path.parent / "figures" / "networks.png"
    picture.parent.mkdir(exist_ok=True)
    with atomic_write(picture, "wb") as image:
        image.write(picture_of(figures))
    told = f"Beside `{shipped.name}` {shipped.metadata.version} ({shipped.sha256[:12]})."
    parts = [told, str(table_of(figures)), "\n".join(f"- {n}" for n in NOTES),
             f"![Accuracy and time over operations](figures/{picture.name})"]  # fmt: skip
    document = path.read_text("utf-8")
    with atomic_write(path) as out:
        out.write(replace_section(document, SECTION, "\n\n".join(parts)))


if __name__ == "__main__":
    run(main)
