"""Results as a folder: every table as CSV and JSON, pictures, and a page that shows them."""

from __future__ import annotations

from pathlib import Path

from wakeword.errors import EvaluationError
from wakeword.evaluation.report_page import report_page
from wakeword.evaluation.report_pictures import report_pictures
from wakeword.evaluation.result_folder import write_result
from wakeword.evaluation.results import Results
from wakeword.evaluation.rows import TABLES, table_rows
from wakeword.files import refuse_foreign

PAGE, REPORT_FILE = "index.html", "report.json"


def write_report(folder: str | Path, results: Results, *, pictures: bool = True) -> Path:
    """Write a report: the folder is the whole new one or as it was before.

    ``index.html`` shows it all; ``report.json`` holds what was measured and every table, each
    of which is in a CSV file of its name too.

    Raises
    ------
    EvaluationError
        ``folder`` exists and holds anything that is not a report.
    MissingExtraError
        matplotlib is not installed and pictures are wanted.
    OSError
        As from any writing, a full disk included.
    """
    target = Path(folder)
    check_report_folder(target)
    tables = {name: list(table_rows(name, results)) for name in TABLES}
    about = {**results.about, "models": [dict(m.about) for m in results.models]}
    drawn = report_pictures(results) if pictures else {}
    page = report_page(results, frozenset(drawn)).encode()
    write_result(target, REPORT_FILE, about, tables, {**drawn, PAGE: page})
    return target


def check_report_folder(folder: str | Path) -> None:
    """Refuse, with an EvaluationError, a folder that holds anything that is not a report."""
    refuse_foreign(folder, "a report", _is_ours, EvaluationError)


def _is_ours(name: str) -> bool:
    ours = {PAGE, REPORT_FILE, *(f"{table}.csv" for table in TABLES)}
    return name in ours or name.endswith(".png")
