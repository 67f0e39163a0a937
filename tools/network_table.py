"""The networks in docs/networks.md, from the networks themselves: `python3 dev.py docs`."""

from __future__ import annotations

import re
from pathlib import Path

from wakeword.cli.networks import HEAD, record_of, table_row
from wakeword.evaluation.tables import markdown
from wakeword.networks import NETWORKS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "networks.md"
TABLE = re.compile(r"(?<=<!-- networks -->\n).*?(?=<!-- end -->)", re.DOTALL)
LABELS = 12


def networks_page() -> str:
    """docs/networks.md with the table as it is now."""
    rows = [table_row(network, record_of(network, LABELS)) for network in NETWORKS.values()]
    text = f"\n{markdown(HEAD, rows)}\n\n"
    return TABLE.sub(lambda _: text, PAGE.read_text("utf-8"))
