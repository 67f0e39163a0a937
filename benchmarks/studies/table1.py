"""Table 1 of the paper: its architectures, trained alike, at 5 dB SNR."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from studies.paper import TABLE_1
from studies.variants import ALIKE, Variant, bars, row_of, share_of
from wakeword.errors import ConfigError
from wakeword.evaluation.charts import log_shares, new_figure, png
from wakeword.evaluation.conditions import Condition, Kind
from wakeword.evaluation.tables import Table
from wakeword.training.derived import Changes

KINDS: tuple[tuple[Kind, float], ...] = (("noise", 5.0),)
ALT = "Missed over parameters, ours and the paper's"
DISTANCES_M = ()
CONDITION = Condition("noise", 5.0).name
CHOSEN = (1, 4, 6, 7, 9, 13, 14, 15, 17, 18, 20, 23)
"""Rows trained where nobody names others: every size up to 686 thousand, both kinds of unit."""


def variants(rows: Sequence[int], common: Changes) -> list[Variant]:
    """One for each row, numbered from 1 as printed.

    Raises
    ------
    ConfigError
        A row that Table 1 does not have.
    """
    found = []
    for number in rows:
        if not 1 <= number <= len(TABLE_1):
            raise ConfigError(f"row {number}; Table 1 has rows 1 to {len(TABLE_1)}")
        row = TABLE_1[number - 1]
        network = {f"network.parameters.{k}": v for k, v in row.parameters.items()}
        name = f"row-{number:02d}"
        changes = {**common, **ALIKE, "network.family": "crnn", **network}
        facts = {"row": number, "printed_parameters": 1000 * row.printed_thousands}
        paper = {"paper_frr_at_1": row.frr_percent_at_1 / 100,
                 "paper_frr_at_half": row.frr_percent_at_half / 100}  # fmt: skip
        found.append(Variant(name, changes, {**facts, **row.parameters, **paper}))
    return found


def table(values: Sequence[dict[str, Any]]) -> Table:
    """As the paper prints it, with ours beside theirs."""
    rows = []
    for v in sorted(values, key=lambda v: v["row"]):
        cells = [
            f"{v['row']}", f"{v['filters']}", _pair(v["kernel"]), _pair(v["stride"]),
            f"{v['recurrent_layers']}", f"{v['recurrent_units']}", v["recurrent_unit"],
            f"{v['hidden']}", f"{v['printed_parameters'] // 1000}k", f"{v['parameters']:,}",
        ]  # fmt: skip
        for target, theirs in ((1.0, v["paper_frr_at_1"]), (0.5, v["paper_frr_at_half"])):
            cells += [share_of(v, target, CONDITION), f"{100 * theirs:.2f} %"]
        rows.append(tuple(cells))
    header = (
        "row", "N_C", "(L_T, L_F)", "(S_T, S_F)", "R", "N_R", "unit", "N_F", "printed",
        "parameters", "missed at 1 per hour", "the paper's", "missed at 0.5 per hour",
        "the paper's",
    )  # fmt: skip
    return Table(header, tuple(rows))


def picture(values: Sequence[dict[str, Any]]) -> bytes:
    """Missed over number of parameters; filled ours, hollow the paper's."""
    figure = new_figure(9.0, 5.4)
    axes = figure.add_subplot()
    for colour, (target, key) in enumerate(((1.0, "paper_frr_at_1"), (0.5, "paper_frr_at_half"))):
        found = [(v["parameters"], row_of(v, target, CONDITION), v[key]) for v in values]
        axes.errorbar(
            [p for p, _, _ in found],
            [max(1e-3, r["frr"]) for _, r, _ in found],
            bars([r for _, r, _ in found]),
            fmt="o", capsize=2, linewidth=1, color=f"C{colour}",
            label=f"ours at {target:g} per hour and word",
        )  # fmt: skip
        axes.plot(
            [v["printed_parameters"] for v in values], [t for _, _, t in found], "o",
            fillstyle="none", color=f"C{colour}", label=f"the paper's at {target:g} per hour",
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlabel("parameters")
    log_shares(axes)
    axes.set_title(f"Table 1, {CONDITION}: other recordings and words than the paper's")
    axes.legend(fontsize="small")
    return png(figure)


def _pair(values: Sequence[int]) -> str:
    return f"({values[0]},{values[1]})"
