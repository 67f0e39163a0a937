"""Networks on the command set with several seeds: trained, and measured together on one split.

    python benchmarks/commands.py --manifest ../shared/data/manifest.csv
    python benchmarks/commands.py --manifest ... --networks tc-resnet8 ds-cnn-s --seeds 1 2 3
    python benchmarks/commands.py --manifest ... --networks benchmarks/recipes/nas1/recipe.toml
    python benchmarks/commands.py --manifest ... --rounds 4 --seeds 1

Runs of benchmarks/recipes/commands-tc-resnet8.toml (or --recipe) with other networks and seeds, one
after the other, each as ``wakeword train`` would, but not calibrated. Another network brings the
front end that it was published with, with the band of the recipe. Stop it at any time and call it
again: it goes on from the last checkpoint. The report, written anew after every run, is that of
``wakeword evaluate --protocol speech-commands``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ending import run
from studies.recipes import shortened

from wakeword.cli.options import note
from wakeword.cli.run_options import StageReporter
from wakeword.cli.trial_options import Stages
from wakeword.data.manifest import Manifest, read_manifest
from wakeword.evaluation.commands.figures import CommandResult
from wakeword.evaluation.commands.report import check_commands_folder, write_commands
from wakeword.evaluation.commands.tables import text_report
from wakeword.runtime import write_bundle
from wakeword.training.commands.features import clip_features
from wakeword.training.commands.measure import measure_commands, trials_of
from wakeword.training.derived import derive, label_of, of_network
from wakeword.training.recipe import read_recipe
from wakeword.training.run import TrainingRun

REPOSITORY = Path(__file__).resolve().parents[1]
RECIPE = REPOSITORY / "benchmarks" / "recipes" / "commands-tc-resnet8.toml"


def main() -> None:
    """Train what was not trained, measure, write the report."""
    given = _arguments()
    report = given.out / "report"
    check_commands_folder(report)
    manifest = read_manifest(given.manifest)
    recipes = list(_recipes(given))
    results: list[CommandResult] = []
    for number, recipe in enumerate(recipes, start=1):
        note(f"{recipe.parent.name}, {number} of {len(recipes)}")
        results.append(_measured(recipe, manifest, given.split, given.workers))
        about = {"protocol": "speech-commands", "split": given.split,
                 "manifest_sha256": manifest.sha256, "recipe": given.recipe.name}  # fmt: skip
        write_commands(report, results, about)
    print(text_report(results))
    note(f"written to {report}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Networks on the command set, several seeds.")
    parser.add_argument("--manifest", type=Path, required=True, help="recordings to measure on")
    parser.add_argument("--recipe", type=Path, default=RECIPE, help="what is varied")
    parser.add_argument("--networks", nargs="+", metavar="NAME",
                        help="or recipes whose network is taken; default: that of the recipe"
                        )  # fmt: skip
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--rounds", type=int, help="shorter runs than the recipe's")
    parser.add_argument("--precision", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--split", default="test", choices=("dev", "test"))
    parser.add_argument("--out", type=Path, default=Path("runs") / "commands-seeds")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


def _recipes(given: argparse.Namespace) -> Iterator[Path]:
    """A recipe for each network and seed, in the folder of its run; wrong ones are refused now."""
    base = read_recipe(given.recipe)
    networks: Sequence[str] = given.networks or [base.network.family]
    for network in networks:
        name = label_of(network)
        for seed in given.seeds:
            changes = {
                **shortened(given.recipe, given.rounds),
                **(of_network(base, network) if network != base.network.family else {}),
                "bundle.name": name,
                "training.seed": seed,
                "training.precision": given.precision,
            }
            out = given.out / "runs" / f"{name}-{seed}" / "recipe.toml"
            yield derive(given.recipe, changes, out)


def _measured(recipe: Path, manifest: Manifest, split: str, workers: int) -> CommandResult:
    folder = recipe.parent
    with Stages() as stage:
        training = TrainingRun(recipe, folder, workers, StageReporter(stage))
        training.run()
        bundle = training.bundle()
        card = f"# {bundle.name}\n\nA run of benchmarks/commands.py, not calibrated.\n"
        write_bundle(folder / "bundle", bundle.model, bundle.metadata, card, training.recipe_text)
        trials = trials_of(bundle, manifest, training.recipe.data.noise_corpora, split)
        features = clip_features(trials, bundle.metadata.frontend, stage)
        return measure_commands(bundle, trials, features)


if __name__ == "__main__":
    run(main)
