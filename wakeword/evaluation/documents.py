"""Generated sections of Markdown documents: model cards and docs/evaluation.md.

A section stands between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``; what stands outside
was written by people and is never touched.
"""

from __future__ import annotations

from collections.abc import Mapping

from wakeword.errors import EvaluationError
from wakeword.evaluation.tables import operating_point_table
from wakeword.runtime import OperatingPoints

OPERATING_POINTS = "operating points"


def replace_section(document: str, name: str, text: str) -> str:
    """``document`` with ``text`` as its section ``name``; appended where there is none yet.

    Raises
    ------
    EvaluationError
        The markers of the section are not one pair in order.
    """
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    section = f"{begin}\n{text.strip()}\n{end}"
    counts = (document.count(begin), document.count(end))
    if counts == (0, 0):
        return f"{document.rstrip()}\n\n{section}\n".lstrip()
    first, last = document.find(begin), document.find(end)
    if counts != (1, 1) or last < first:
        raise EvaluationError(
            f"the document has {counts[0]} times '{begin}' and {counts[1]} times '{end}'; "
            "it must be one pair in this order"
        )
    return document[:first] + section + document[last + len(end) :]


def operating_points_section(points: Mapping[str, OperatingPoints]) -> str:
    """The section of a model card on its thresholds, with every sentence on weak support."""
    conditions = {p.condition for table in points.values() for p in table.points if p.condition}
    of_clips = f" Misses: {', '.join(sorted(conditions))}." if conditions else ""
    weak = [
        f"- {word}, {p.target_fa_per_hour:g} per hour: {p.statement}"
        for word, table in points.items()
        for p in table.points
        if not p.supported
    ]
    parts = [
        "## Operating points",
        "Thresholds for a target of false alarms per hour, and what was measured with them on "
        f"recordings that the model was not trained on.{of_clips} Each bound of a rate holds "
        "with 95 % confidence.",
        operating_point_table(points),
    ]
    if weak:
        parts += ["Where the hours are too few for the target:", "\n".join(weak)]
    return "\n\n".join(parts)
