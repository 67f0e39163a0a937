"""Cells that a search finds against random ones of the same size, on the command set.

    python benchmarks/nas.py --manifest ../shared/data/manifest.csv
    python benchmarks/nas.py --manifest ... --operations nas2 --out runs/nas2
    python benchmarks/nas.py --manifest ... --random 8 --seeds 1 2 3 4 5 --rounds 60

Searches as ``wakeword nas`` does, sized for two cores: 10 coefficients every 20 ms, kernels of 3,
4 channels, part of the clips. Then the found cells and random ones, of as many parameters give or
take --within, are trained with several seeds on the same clips by the same schedule, and measured
on a split that neither has seen. Prints a table and what comes of it; writes comparison.csv, .json
and .png beside the search. Stop it at any time and call it again: it goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from dataclasses import asdict, replace
from pathlib import Path

from ending import run

from wakeword.cli.options import echo_table, note
from wakeword.cli.run_options import StageReporter
from wakeword.cli.trial_options import Stages
from wakeword.data.manifest import read_manifest
from wakeword.errors import RecipeError
from wakeword.networks.nas.cells import Stack
from wakeword.networks.nas.supernet import Space
from wakeword.training.commands.watch import watch_split
from wakeword.training.derived import derive, of_network
from wakeword.training.material import plan_of, prepare, read_recordings
from wakeword.training.measuring import Stage
from wakeword.training.nas.comparison import Bench, compare, keep_shards
from wakeword.training.nas.contenders import FOUND, contender, drawn_beside
from wakeword.training.nas.record import Found
from wakeword.training.nas.run import SearchRun
from wakeword.training.nas.schedule import Schedule
from wakeword.training.nas.verdict import scored, sentence, text, verdict, write_comparison
from wakeword.training.recipe import Recipe, read_recipe
from wakeword.training.search.journal import Journal
from wakeword.training.search.scoring import search_key

REPOSITORY = Path(__file__).resolve().parents[1]
RECIPE = REPOSITORY / "benchmarks" / "recipes" / "commands-tc-resnet8.toml"


def main() -> None:
    """Search, train, compare: what is not done yet."""
    given = _arguments()
    changes = {**of_network(read_recipe(given.recipe), given.like),
               "data.manifest": str(given.manifest.resolve())}  # fmt: skip
    recipe = derive(given.recipe, changes, given.out / "recipe.toml")
    with Stages() as stage:
        found = _searched(given, recipe, stage)
        _compared(given, recipe, found, stage)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Found cells against random ones.")
    parser.add_argument("--manifest", type=Path, required=True, help="recordings")
    parser.add_argument("--recipe", type=Path, default=RECIPE, help="of a command set")
    parser.add_argument("--like", default="ds-cnn-s", help="network whose front end is used")
    parser.add_argument("--out", type=Path, default=Path("runs") / "nas")
    parser.add_argument("--workers", type=int, default=1, help="processes that make clips")
    search = parser.add_argument_group("search")
    search.add_argument("--operations", default="nas1", choices=("nas1", "nas2"))
    search.add_argument("--kernels", type=int, nargs="+", default=[3])
    search.add_argument("--cells", type=int, default=6)
    search.add_argument("--search-channels", type=int, default=4)
    search.add_argument("--epochs", type=int, default=24)
    search.add_argument("--scenes", type=int, default=2048, help="clips of an epoch, each half")
    search.add_argument("--architecture-rate", type=float, default=3e-3)
    search.add_argument("--second-order", action="store_true")
    search.add_argument("--search-seed", type=int, default=1)
    training = parser.add_argument_group("comparison")
    training.add_argument("--channels", type=int, default=8)
    training.add_argument("--rounds", type=int, default=24)
    training.add_argument("--round-scenes", type=int, default=2048, help="clips made each round")
    training.add_argument("--random", type=int, default=4, help="random cells")
    training.add_argument("--within", type=float, default=0.1, help="share of parameters")
    training.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    training.add_argument("--split", default="test", choices=("dev", "test"))
    training.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs at a time")
    return parser.parse_args()


def _searched(given: argparse.Namespace, recipe: Path, stage: Stage) -> Found:
    space = Space(given.operations, tuple(given.kernels), Stack(given.cells, given.search_channels))
    schedule = Schedule(
        epochs=given.epochs,
        scenes_per_epoch=given.scenes,
        batch=32,
        architecture_rate=given.architecture_rate,
        second_order=given.second_order,
        seed=given.search_seed,
    )
    search = SearchRun(recipe, given.out, space, schedule, given.workers, StageReporter(stage))
    search.run()
    search.write()
    return search.found()


def _compared(given: argparse.Namespace, path: Path, found: Found, stage: Stage) -> None:
    recipe, stack = _shortened(given, read_recipe(path)), Stack(given.cells, given.channels)
    own = contender(FOUND, found.genotype, stack, recipe)
    kernels = found.space.kernels
    others = drawn_beside(
        own, found.genotype, kernels, stack, recipe, given.random, given.within, given.search_seed
    )
    about = {**search_key(path, given.rounds), "training": asdict(recipe.training),
             "split": given.split}  # fmt: skip
    key = json.dumps(about, sort_keys=True)
    folder = given.out / f"comparison-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
    journal = Journal(folder, json.loads(key))
    bench = _bench(given, path, recipe, folder, stage)
    compare(bench, [own, *others], given.seeds, journal, given.jobs, stage)
    rows = scored([own, *others], given.seeds, journal.scores)
    write_comparison(given.out, rows, {**about, "clips": len(bench.watch.labels)})
    echo_table(text(rows))
    print(sentence(verdict(rows)))
    note(f"written to {given.out}")


def _shortened(given: argparse.Namespace, recipe: Recipe) -> Recipe:
    training = replace(
        recipe.training, rounds=given.rounds, scenes_per_round=given.round_scenes, seed=1
    )
    return replace(recipe, training=training)


def _bench(
    given: argparse.Namespace, path: Path, recipe: Recipe, folder: Path, stage: Stage
) -> Bench:
    """Clips of all rounds, made once, and those that are measured on."""
    reporter = StageReporter(stage)
    manifest = read_manifest(path.parent / recipe.data.manifest)
    watch = watch_split(recipe, manifest, reporter, given.split)
    if watch is None:
        raise RecipeError(f"recipe {given.recipe} has no clips to measure on")
    recordings = read_recordings(recipe, path.parent, reporter)
    cache = given.out.parent / "audio-cache"
    sources = prepare(recipe, recordings.chosen(recipe), cache, reporter)
    keep_shards(plan_of(recipe, sources), folder, recipe.training.rounds, given.workers, stage)
    return Bench(recipe, folder, watch)


if __name__ == "__main__":
    run(main)
