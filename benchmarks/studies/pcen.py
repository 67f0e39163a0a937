"""Parameters of PCEN beside those that the paper of the front end has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from studies.comparison import KINDS, missed_headers, missed_of, picture
from studies.variants import ALIKE, Variant
from wakeword.evaluation.tables import Table
from wakeword.frontend import PcenConfig
from wakeword.training.derived import Changes

__all__ = ["ALT", "CHOSEN", "DISTANCES_M", "KINDS", "picture", "table", "variants"]

ALT = "What PCEN with other parameters misses under each condition"
DISTANCES_M = ()
CHOSEN: dict[str, dict[str, float]] = {
    "paper": {}, "slow": {"s": 0.01}, "fast": {"s": 0.06}, "offset": {"delta": 0.5},
    "root": {"r": 0.25}, "gain": {"alpha": 0.9}, "offset-root": {"delta": 0.5, "r": 0.25},
}  # fmt: skip
"""What each changes: how fast the gain follows, what is added before the root, the root, and how
much of the level the gain takes away; the last one two of these."""


def variants(names: Sequence[str], base: PcenConfig, common: Changes) -> list[Variant]:
    """The recipe, whose own is ``base``, with each of ``names``; mined and taught by nobody."""
    found = []
    for name in names:
        values = {f"frontend.pcen.{key}": value for key, value in CHOSEN[name].items()}
        facts = {"pcen": name, **asdict(replace(base, **CHOSEN[name]))}
        found.append(Variant(name, {**common, **ALIKE, **values}, facts))
    return found


def table(values: Sequence[dict[str, Any]]) -> Table:
    """A row for each set of parameters."""
    shown = ("s", "alpha", "delta", "r")
    rows = [(v["pcen"], *(f"{v[key]:g}" for key in shown), *missed_of(v)) for v in values]
    return Table(("", *shown, *missed_headers()), tuple(rows))
