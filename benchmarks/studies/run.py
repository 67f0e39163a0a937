"""The papers' studies with our recordings: train many variants of a recipe, measure, draw.

    python benchmarks/studies/run.py table1 --manifest ../shared/data/manifest.csv
    python benchmarks/studies/run.py table1 --manifest ... --rows 1 15 26
    python benchmarks/studies/run.py recordings --manifest ... --rounds 140
    python benchmarks/studies/run.py distance --manifest ...
    python benchmarks/studies/run.py networks --manifest ... --networks tc-resnet8 crnn --seeds 1
    python benchmarks/studies/run.py pcen --manifest ... --parameters paper slow
    python benchmarks/studies/run.py table1 --manifest ... --plan
    python benchmarks/studies/run.py table1 --manifest ... --document docs/studies.md

``table1`` trains architectures of the paper's Table 1, ``recordings`` is its Figure 2 (number of
training recordings, with and without hard negative mining), ``distance`` its Figure 4 (with and
without simulated rooms in training). ``networks`` trains those of all papers as wake words, each
with the front end that it was published with and the window of the recipe. ``pcen`` changes
parameters of PCEN. Variants of benchmarks/recipes/seven-alone.toml (or --recipe) are trained one
after the other, each as ``wakeword train`` would, and measured on the dev split of the manifest.
Stop it at any time and call it again: it goes on from the last checkpoint, and what was measured is
not measured again.
Tables, picture and STUDY.json (missed at 0.5 and 1 false alarms per hour and word) are written anew
after every variant, into runs/studies/STUDY; the trained bundles are there in runs/*/bundle. With
--document the page's section of the study is written at the end, and its picture beside the page.

--plan trains nothing: it lists the variants, and how long their network's steps take here.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ending import run
from sections import Section

from studies import distance, networks, pcen, recordings, table1
from studies.plan import plan
from studies.recipes import shortened
from studies.variants import Setting, Variant, measured
from wakeword.cli.options import note
from wakeword.data.manifest import read_manifest
from wakeword.files import atomic_write, write_csv, write_json
from wakeword.training.recipe import read_recipe

REPOSITORY = Path(__file__).resolve().parents[2]
RECIPE = REPOSITORY / "benchmarks" / "recipes" / "seven-alone.toml"
Values = Sequence[dict[str, Any]]
STUDIES = {"table1": table1, "recordings": recordings, "distance": distance,
           "networks": networks, "pcen": pcen}  # fmt: skip


def main() -> None:
    """Run one study, or say what it would take."""
    given = _arguments()
    folder = given.out or Path("runs") / "studies" / given.study
    study = STUDIES[given.study]
    setting = Setting(
        given.recipe, given.manifest, folder, given.workers, study.KINDS, study.DISTANCES_M,
        given.keep,
    )  # fmt: skip
    variants = _variants(given, folder)
    if given.plan:
        print(plan(variants, setting))
        return
    section = given.document and Section(given.document, f"study {given.study}")
    done: list[dict[str, Any]] = []
    for number, variant in enumerate(variants, start=1):
        note(f"{given.study}: {variant.name}, {number} of {len(variants)}")
        done.append(measured(variant, setting))
        _write(given.study, folder, done)
    print(study.table(done))
    note(f"written to {folder}")
    if section is not None:
        _write_section(section, given.study, folder, done)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The paper's studies with our recordings.")
    parser.add_argument("study", choices=list(STUDIES))
    parser.add_argument("--manifest", type=Path, required=True, help="recordings to measure on")
    parser.add_argument("--recipe", type=Path, default=RECIPE, help="what is varied")
    parser.add_argument("--out", type=Path, help="default: runs/studies/STUDY")
    parser.add_argument("--rounds", type=int, help="shorter runs than the recipe's")
    parser.add_argument("--precision", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path, metavar="DIR",
                        help="keep here what is heard in training (50 MB a round), so that "
                        "variants that hear the same make it once")  # fmt: skip
    parser.add_argument("--rows", type=int, nargs="+", default=list(table1.CHOSEN),
                        help="rows of Table 1, from 1 to 26")  # fmt: skip
    parser.add_argument("--shares", type=float, nargs="+", default=list(recordings.SHARES),
                        help="shares of the training recordings")  # fmt: skip
    parser.add_argument("--networks", nargs="+", default=list(networks.CHOSEN), metavar="NAME",
                        help="networks to compare, or recipes whose network is taken")  # fmt: skip
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="seeds of each network")
    parser.add_argument("--parameters", nargs="+", choices=list(pcen.CHOSEN),
                        default=list(pcen.CHOSEN), help="sets of parameters of PCEN")
    parser.add_argument("--document", type=Path, help="page whose section is written anew")
    parser.add_argument("--plan", action="store_true", help="only say what it would take")
    return parser.parse_args()


def _variants(given: argparse.Namespace, folder: Path) -> list[Variant]:
    common = {**shortened(given.recipe, given.rounds), "training.precision": given.precision}
    if given.study == "table1":
        return table1.variants(given.rows, common)
    if given.study == "distance":
        return distance.variants(common)
    if given.study == "networks":
        return networks.variants(given.networks, given.seeds, given.recipe, common)
    recipe = read_recipe(given.recipe)
    if given.study == "pcen":
        return pcen.variants(given.parameters, recipe.frontend.pcen, common)
    manifest = read_manifest(given.recipe.parent / recipe.data.manifest)
    return recordings.variants(given.shares, recipe, manifest, folder, common)


def _write(study: str, folder: Path, done: Values) -> None:
    """Table for people, figures as CSV and JSON, and the picture."""
    facts = [{k: v for k, v in one.items() if k not in ("rows", "key")} for one in done]
    rows = [{**of, **row} for of, one in zip(facts, done, strict=True) for row in one["rows"]]
    write_json(folder / f"{study}.json", rows)
    write_csv(folder / f"{study}.csv", rows)
    with atomic_write(folder / f"{study}.md") as file:
        file.write(f"{STUDIES[study].table(done)}\n")
    with atomic_write(folder / f"{study}.png", "wb") as image:
        image.write(STUDIES[study].picture(done))


def _write_section(section: Section, study: str, folder: Path, done: Values) -> None:
    """What was measured on what, and the table and picture of ``folder``, into the page."""
    first = done[0]["rows"][0]
    rounds, seeds = (", ".join(map(str, sorted({v[k] for v in done}))) for k in ("rounds", "seed"))
    alarms: dict[float, set[int]] = {}
    for row in (row for v in done for row in v["rows"]):
        alarms.setdefault(row["target_fa_per_hour"], set()).add(row["alarms_all_words"])
    counted = ", ".join(
        f"{' or '.join(map(str, sorted(counts)))} at {target:g} per hour and word"
        for target, counts in alarms.items()
    )
    told = (
        f"{rounds} rounds, seed {seeds}; {first['clips']} clips of "
        f"{first['words']} words by {first['speakers']} speakers, {first['hours']:.2f} h without "
        f"them; alarms of all words together: {counted}."
    )
    table = (folder / f"{study}.md").read_text("utf-8").strip()
    picture = (folder / f"{study}.png").read_bytes()
    link = section.picture(f"study-{study}.png", picture, STUDIES[study].ALT)
    section.write(f"{told}\n\n{table}\n\n{link}")


if __name__ == "__main__":
    run(main)
