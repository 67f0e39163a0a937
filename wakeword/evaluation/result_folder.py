"""What every result as a folder has: its record as JSON, each table as CSV too, pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wakeword.files import atomic_write, fresh_folder, write_csv, write_json


def write_result(
    folder: Path,
    record: str,
    about: Mapping[str, Any],
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    others: Mapping[str, bytes],
) -> None:
    """Write a result as one step: ``folder`` is the whole new one or as it was before.

    Parameters
    ----------
    record
        Name of the JSON file with ``about`` and every table.
    others
        Pictures and pages by file name.

    Raises
    ------
    OSError
        As from any writing, a full disk included.
    """
    with fresh_folder(folder) as fresh:
        write_json(fresh / record, {"about": dict(about), **tables})
        for name, rows in tables.items():
            write_csv(fresh / f"{name}.csv", rows)
        for name, data in others.items():
            with atomic_write(fresh / name, "wb") as out:
                out.write(data)
