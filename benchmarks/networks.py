"""All networks side by side: what each costs, and what those that were trained are worth.

    python benchmarks/networks.py
    python benchmarks/networks.py --manifest ../shared/data/manifest.csv
    python benchmarks/networks.py --manifest ... --document docs/networks.md
    python benchmarks/networks.py --networks tc-resnet8 crnn --out runs/two-networks

What a network costs needs no training: parameters, operations, size in float and in 8 bits, time of
a window and of a stream's second in turns with the CRNN that ships. With --manifest, the networks
trained by benchmarks/commands.py (--commands) are measured on the command set, in float and in 8
bits, finetuned where RUN/bundle-int8 lies beside RUN/bundle (``wakeword quantize --finetune``);
what they miss as wake words is read from the runs of
``benchmarks/studies/run.py networks`` (--wake-words). Models of other networks, found by a search
(``wakeword search``, ``wakeword nas``) and trained by ``wakeword train``, get rows of their own:
--bundle runs/nas-commands/bundle. A cell of what was not measured has a dash.

Table, CSV, JSON and picture go to --out. What was measured before is kept there: call it again when
more is trained. --again times anew. With --document the section, the picture and their JSON beside
it are written anew, too; what they say of networks whose runs are not here stays.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.costs import costs_of, costs_of_bundle
from bench.picture import picture_of
from bench.published import Published, as_json, path_of
from bench.show import NOTES, rows_of, table_of
from bench.trained import Clips, bundles_in, shipped_figures, wake_word_figures
from ending import run
from sections import Section

from wakeword.cli.options import note
from wakeword.data.manifest import read_manifest
from wakeword.errors import EvaluationError
from wakeword.files import atomic_write, read_json, write_csv, write_json
from wakeword.networks import NETWORKS, named_network
from wakeword.runtime import Bundle, find_bundle
from wakeword.training.commands.bundles import commands_of

SECTION = "bench of networks"
COSTS = "costs.json"
_MOST_BYTES = 16 * 2**20


def main() -> None:
    """Measure what is not measured yet, and show all of it."""
    given = _arguments()
    names = [named_network(name).name for name in given.networks]
    section = given.document and Section(given.document, SECTION)
    shipped, others = find_bundle(given.model), [Bundle.load(path) for path in given.bundle]
    published = Published(given.document, shipped)
    given.out.mkdir(parents=True, exist_ok=True)
    kept = KeptCosts(given.out / COSTS, shipped, given.again, published.costs())
    figures = [kept.of(name, name, partial(costs_of, name)) for name in names]
    figures += [kept.of(b.sha256, b.name, partial(costs_of_bundle, b)) for b in others]
    _add_trained(figures, others, given)
    figures = published.joined(figures)
    _say_what_is_missing(figures)
    write_json(given.out / "networks.json", as_json(figures, shipped))
    write_csv(given.out / "networks.csv", list(rows_of(figures)))
    with atomic_write(given.out / "networks.png", "wb") as image:
        image.write(picture_of(figures))
    print(table_of(figures))
    note(f"written to {given.out}")
    if section is not None:
        _write_section(section, given.document, figures, shipped)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="All networks side by side.")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), metavar="NAME")
    parser.add_argument("--manifest", type=Path, help="recordings of the command set")
    parser.add_argument("--split", default="test", choices=("dev", "test"))
    parser.add_argument("--commands", type=Path, default=Path("runs/commands-seeds/runs"),
                        help="runs of benchmarks/commands.py")  # fmt: skip
    parser.add_argument("--wake-words", type=Path, default=Path("runs/studies/networks/runs"),
                        help="runs of benchmarks/studies/run.py networks")  # fmt: skip
    parser.add_argument("--bundle", type=Path, nargs="+", default=[], metavar="DIR",
                        help="a trained model of each other network, each a row")  # fmt: skip
    parser.add_argument("--model", default="seven-one", help="the CRNN that times are beside")
    parser.add_argument("--out", type=Path, default=Path("runs/networks"))
    parser.add_argument("--document", type=Path, help="page whose section is written anew")
    parser.add_argument("--again", action="store_true", help="time networks that were timed before")
    return parser.parse_args()


class KeptCosts:
    """Costs measured beside one CRNN, kept in a file: a call goes on where one was stopped."""

    def __init__(
        self, path: Path, shipped: Bundle, again: bool, published: Mapping[str, Any]
    ) -> None:
        self._path, self._shipped, self._again = path, shipped, again
        self._kept: dict[str, Any] = {}
        if path.exists():
            self._kept = read_json(path, _MOST_BYTES, EvaluationError)
        if self._kept.get("beside") != shipped.sha256:
            self._kept = {"beside": shipped.sha256, "networks": {}}
        self._kept["networks"] = {**published, **self._kept["networks"]}

    def of(
        self, key: str, name: str, measure: Callable[[Bundle], dict[str, Any]]
    ) -> dict[str, Any]:
        """Costs of one network, measured now or before."""
        if self._again or key not in self._kept["networks"]:
            note(f"{name}: timing")
            self._kept["networks"][key] = measure(self._shipped)
            write_json(self._path, self._kept)
        found: dict[str, Any] = self._kept["networks"][key]
        return found


def _add_trained(
    figures: Sequence[dict[str, Any]], others: Sequence[Bundle], given: argparse.Namespace
) -> None:
    """Accuracy and misses, where something was trained; ``others`` are the last of the figures."""
    words, trained, clips = wake_word_figures(given.wake_words), bundles_in(given.commands), None
    if given.manifest is not None:
        clips = Clips(read_manifest(given.manifest), given.split, given.out / "clips")
    named = len(figures) - len(others)
    for number, one in enumerate(figures):
        own = [others[number - named]] if number >= named else []
        bundles = trained.get(one["network"], own)
        is_set = bool(bundles) and commands_of(bundles[0]) is not None
        one["commands"] = clips.figures(bundles) if clips is not None and is_set else None
        one["wake_word"] = words.get(one["network"]) or (shipped_figures(own[0]) if own else None)


def _say_what_is_missing(figures: Sequence[dict[str, Any]]) -> None:
    for key, what in (("commands", "accuracy"), ("wake_word", "wake words")):
        missing = [f["network"] for f in figures if f[key] is None]
        note(f"no {what} of {len(missing)} networks: {', '.join(missing) or 'none'}")


def _write_section(
    section: Section, page: Path, figures: list[dict[str, Any]], shipped: Bundle
) -> None:
    """The table, the picture and what they mean, into the page."""
    kept = path_of(page)
    link = section.picture(
        kept.with_suffix(".png").name, picture_of(figures), "Accuracy and time over operations"
    )
    write_json(kept, as_json(figures, shipped))
    told = f"Beside `{shipped.name}` {shipped.metadata.version} ({shipped.sha256[:12]})."
    parts = [told, str(table_of(figures)), "\n".join(f"- {n}" for n in NOTES), link]
    section.write("\n\n".join(parts))


if __name__ == "__main__":
    run(main)
