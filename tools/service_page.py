"""Settings and metrics in docs/service.md, from the program itself: `python3 dev.py docs`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from wakeword_service.metrics import Metrics
from wakeword_service.settings import ENVIRONMENT_PREFIX, Settings

from wakeword.evaluation.tables import markdown

PAGE = Path(__file__).resolve().parent.parent / "docs" / "service.md"
PLACE = r"(?<=<!-- {} -->\n).*?(?=<!-- end -->)"


def settings_table() -> str:
    """Every setting: name in the environment, default, limits, meaning."""
    rows = [
        [f"`{name.upper()}`", _default(name, field), _limits(field), str(field.description)]
        for name, field in Settings.model_fields.items()
    ]
    head = f"Each is `{ENVIRONMENT_PREFIX}` and this name in the environment:\n\n"
    return head + markdown(["name", "default", "from, to", "meaning"], rows)


def metrics_table() -> str:
    """Every metric: name, kind, labels, meaning."""
    rows = []
    for metric in Metrics().registry.collect():
        name = metric.name + ("_total" if metric.type == "counter" else "")
        rows.append([f"`{name}`", metric.type, metric.documentation])
    return markdown(["name", "kind", "meaning"], sorted(rows))


def service_page() -> str:
    """docs/service.md with current tables."""
    text = PAGE.read_text("utf-8")
    for name, table in (("settings", settings_table()), ("metrics", metrics_table())):
        found = re.search(PLACE.format(name), text, re.DOTALL)
        assert found is not None, f"{PAGE.name} has no place for the {name}"
        text = f"{text[: found.start()]}\n{table}\n{text[found.end() :]}"
    return text


def write() -> None:
    """Bring the page up to date."""
    PAGE.write_text(service_page(), "utf-8")


BY_CORES = {"workers": "2, or 1 on one core", "processes": "one per core, at most 8"}
"""Defaults that depend on the machine."""


def _default(name: str, field: Any) -> str:
    if name in BY_CORES:
        return BY_CORES[name]
    value = field.default
    if value is None or value == ():
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


def _limits(field: Any) -> str:
    limits = {kind: getattr(rule, kind) for rule in field.metadata for kind in ("ge", "gt", "le")
              if hasattr(rule, kind)}  # fmt: skip
    if "le" not in limits:
        return ""
    low = f"{limits['ge']:g}" if "ge" in limits else f"above {limits['gt']:g}"
    return f"{low} to {_number(limits['le'])}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:g}"
