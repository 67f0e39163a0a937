"""Table 1 of Arik et al. 2017: 26 architectures, and what they missed there at 5 dB SNR.

Their recordings, speakers and word are others than ours: the figures stand beside ours to compare
how rows follow each other, not how high they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Row:
    """One architecture as printed; shares missed in per cent at 1 and 0.5 false alarms an hour."""

    filters: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    recurrent_layers: int
    recurrent_units: int
    recurrent_unit: Literal["GRU", "LSTM"]
    hidden: int
    printed_thousands: int
    frr_percent_at_1: float
    frr_percent_at_half: float

    @property
    def parameters(self) -> dict[str, Any]:
        """As a recipe has them under ``network.parameters``."""
        return {
            "filters": self.filters,
            "kernel": list(self.kernel),
            "stride": list(self.stride),
            "recurrent_layers": self.recurrent_layers,
            "recurrent_units": self.recurrent_units,
            "recurrent_unit": self.recurrent_unit,
            "hidden": self.hidden,
        }


TABLE_1 = (
    Row(32, (20, 5), (8, 2), 2, 8, "GRU", 32, 45, 5.54, 7.44),
    Row(32, (20, 5), (8, 2), 3, 8, "LSTM", 64, 68, 6.17, 7.68),
    Row(32, (5, 1), (4, 1), 2, 8, "GRU", 64, 102, 6.04, 7.31),
    Row(32, (20, 5), (8, 2), 2, 16, "GRU", 64, 110, 3.48, 4.46),
    Row(32, (20, 5), (20, 5), 2, 32, "GRU", 64, 110, 5.70, 7.99),
    Row(32, (20, 5), (8, 2), 3, 16, "GRU", 64, 115, 3.42, 4.10),
    Row(16, (20, 5), (8, 2), 2, 32, "GRU", 32, 127, 3.53, 5.55),
    Row(32, (20, 5), (12, 4), 2, 32, "GRU", 64, 143, 5.80, 7.72),
    Row(16, (20, 5), (8, 2), 1, 32, "GRU", 64, 148, 4.20, 6.27),
    Row(128, (20, 5), (8, 2), 3, 8, "GRU", 32, 159, 3.83, 5.21),
    Row(64, (10, 3), (8, 2), 1, 16, "GRU", 32, 166, 3.21, 4.31),
    Row(128, (20, 5), (8, 2), 1, 32, "LSTM", 64, 197, 3.37, 4.56),
    Row(32, (20, 5), (12, 2), 2, 32, "GRU", 64, 205, 3.26, 4.40),
    Row(32, (20, 5), (8, 2), 1, 32, "GRU", 64, 211, 3.00, 3.84),
    Row(32, (20, 5), (8, 2), 2, 32, "GRU", 64, 229, 2.85, 3.79),
    Row(32, (40, 10), (8, 2), 2, 32, "GRU", 64, 239, 3.57, 5.03),
    Row(32, (20, 5), (8, 2), 3, 32, "GRU", 64, 248, 3.00, 3.42),
    Row(32, (20, 5), (8, 2), 2, 32, "LSTM", 64, 279, 3.06, 4.41),
    Row(32, (20, 5), (8, 1), 2, 32, "GRU", 64, 352, 2.23, 3.31),
    Row(64, (20, 5), (8, 2), 2, 32, "GRU", 64, 355, 2.43, 3.99),
    Row(64, (20, 5), (8, 2), 2, 32, "LSTM", 32, 407, 3.11, 4.04),
    Row(64, (10, 3), (4, 1), 2, 32, "GRU", 64, 674, 3.37, 4.35),
    Row(128, (20, 5), (8, 2), 2, 32, "GRU", 128, 686, 2.64, 3.78),
    Row(32, (20, 5), (8, 2), 2, 128, "GRU", 128, 1513, 2.23, 2.95),
    Row(256, (20, 5), (8, 2), 4, 64, "GRU", 128, 2551, 2.18, 3.42),
    Row(128, (20, 5), (4, 1), 4, 64, "GRU", 128, 2850, 2.64, 3.21),
)
"""From the smallest to the largest, numbered from 1 as in the paper's order."""
