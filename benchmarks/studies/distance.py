"""Figure 4 of the paper: missed over distance, with and without far-field training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from studies.variants import Variant, bars, row_of, share_of
from wakeword.evaluation.charts import new_figure, percent_axis, png
from wakeword.evaluation.conditions import Condition, Kind
from wakeword.evaluation.tables import Table
from wakeword.training.derived import Changes

KINDS: tuple[tuple[Kind, float], ...] = (("noise", 5.0), ("noise", 10.0), ("noise", 20.0))
ALT = "Missed over distance, with and without rooms in training"
DISTANCES_M = (0.5, 1.0, 2.0, 3.0, 4.5)
TARGET_FA_PER_HOUR = 1.0
BESIDE_M = 0.06
"""How far apart the bars of the two are drawn."""
NAMES = {"near": "without rooms", "far": "with rooms in training"}


def variants(common: Changes) -> list[Variant]:
    """The recipe without simulated rooms, and as it is."""
    no_rooms: Changes = {"data.rooms": 0, "scenes.room": 0.0}
    return [
        Variant("near", {**common, **no_rooms}, {"far_field": False}),
        Variant("far", common, {"far_field": True}),
    ]


def table(values: Sequence[dict[str, Any]]) -> Table:
    """A row for each distance and SNR."""
    found = {v["variant"]: v for v in values}
    rows = []
    for kind, snr_db in KINDS:
        for distance_m in (None, *DISTANCES_M):
            condition = Condition(kind, snr_db, distance_m)
            where = "as recorded" if distance_m is None else f"{distance_m:g} m"
            cells = [
                share_of(found.get(name), TARGET_FA_PER_HOUR, condition.name) for name in NAMES
            ]
            rows.append((condition.mixture, where, *cells))
    return Table(("", "distance", *NAMES.values()), tuple(rows))


def picture(values: Sequence[dict[str, Any]]) -> bytes:
    """A panel for each SNR: solid without, dashed with far-field training, bars over speakers."""
    found = {v["variant"]: v for v in values}
    figure = new_figure(10.0, 4.4)
    panels = figure.subplots(1, len(KINDS), sharey=True, squeeze=False)[0]
    for axes, (kind, snr_db) in zip(panels, KINDS, strict=True):
        for colour, (name, style) in enumerate(zip(NAMES, ("-", "--"), strict=True)):
            if name not in found:
                continue
            conditions = [Condition(kind, snr_db, m).name for m in DISTANCES_M]
            rows = [row_of(found[name], TARGET_FA_PER_HOUR, c) for c in conditions]
            axes.errorbar(
                [m + BESIDE_M * colour for m in DISTANCES_M],
                [r["frr"] for r in rows],
                bars(rows),
                color=f"C{colour}", linestyle=style, marker="o", markersize=4, capsize=2,
                linewidth=1.2, label=NAMES[name],
            )  # fmt: skip
        axes.set_xlim(left=0.0)
        axes.set_ylim(bottom=0.0)
        axes.set_xlabel("distance in simulated rooms, m")
        axes.grid(True, alpha=0.25)
        axes.set_title(f"{kind} at {snr_db:g} dB SNR", fontsize="medium")
    percent_axis(panels[0])
    panels[-1].legend(fontsize="small")
    figure.suptitle(f"mean of words at {TARGET_FA_PER_HOUR:g} false alarm per hour and word")
    return png(figure)
