"""What a page says of networks already, in the JSON beside its picture: it outlives the runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wakeword.cli.options import note
from wakeword.errors import EvaluationError
from wakeword.files import read_json
from wakeword.runtime import Bundle

Figures = dict[str, Any]
MEASURED = ("commands", "wake_word")
"""What trained networks were measured to do; all else of a row is what they cost."""
_MOST_BYTES = 16 * 2**20


def path_of(page: Path) -> Path:
    """The JSON of the page's section; its picture has the same name."""
    return page.parent / "figures" / "networks.json"


def as_json(figures: Sequence[Figures], shipped: Bundle) -> dict[str, Any]:
    """All rows, and the CRNN beside which their times were taken."""
    return {"beside": shipped.name, "sha256": shipped.sha256, "networks": list(figures)}


class Published:
    """Rows of a page by network; empty without a page, or where it has none yet."""

    def __init__(self, page: Path | None, shipped: Bundle) -> None:
        self._rows: dict[str, Figures] = {}
        self._same = False
        if page is None or not path_of(page).exists():
            return
        found = read_json(path_of(page), _MOST_BYTES, EvaluationError)
        self._rows = {row["network"]: row for row in found["networks"]}
        self._same = found["sha256"] == shipped.sha256

    def costs(self) -> dict[str, Figures]:
        """What networks cost; nothing where times were taken beside another CRNN."""
        if not self._same:
            return {}
        return {
            name: {k: v for k, v in row.items() if k not in MEASURED}
            for name, row in self._rows.items()
        }

    def joined(self, figures: Sequence[Figures]) -> list[Figures]:
        """``figures``, with what only the page has of them; then the rows that only it has."""
        out = [
            {**f, **{k: f[k] or self._rows.get(f["network"], {}).get(k) for k in MEASURED}}
            for f in figures
        ]
        named = {f["network"] for f in figures}
        for name, row in self._rows.items():
            if name in named:
                continue
            if self._same:
                out.append(row)
            else:
                note(f"{name}: left out, its times are beside another CRNN; name its --bundle")
        return out
