"""``evaluate --report``: a page with pictures and tables, and all figures as files."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wakeword.cli.options import Command, note
from wakeword.cli.plot import require_matplotlib

if TYPE_CHECKING:
    from wakeword.evaluation.results import Results


@dataclass(frozen=True)
class ReportOptions:
    """Where the report goes, None for nowhere, and whether pictures are drawn."""

    folder: Path | None
    pictures: bool

    def check(self) -> None:
        """Refuse early what could only fail after everything was scored."""
        if self.folder is None:
            return
        from wakeword.evaluation.report import check_report_folder

        check_report_folder(self.folder)
        if self.pictures:
            require_matplotlib("drawing a report")

    def write(self, results: Results) -> None:
        """Write the report, if one is wanted."""
        if self.folder is None:
            return
        from wakeword.evaluation.report import PAGE, write_report

        write_report(self.folder, results, pictures=self.pictures)
        note(f"report written to {self.folder}; open {self.folder / PAGE}")


def report_options(command: Command) -> Command:
    """Add the options; the command gets them as one keyword argument ``report``."""

    @functools.wraps(command)
    def with_report(*arguments: Any, report: Path | None, pictures: bool, **others: Any) -> Any:
        return command(*arguments, report=ReportOptions(report, pictures), **others)

    for option in (
        click.option("--pictures/--no-pictures", default=True,
                     help="Pictures in the report. [default: yes]"),
        click.option("--report", type=click.Path(path_type=Path), metavar="DIR",
                     help="Write a page with pictures and tables (index.html), and all figures "
                          "as CSV and JSON, into this folder."),
    ):  # fmt: skip
        with_report = option(with_report)
    return with_report
