"""What a microcontroller has for a network: memory and operations (Zhang et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wakeword.errors import ConfigError

KILOBYTE = 1024


@dataclass(frozen=True)
class Budget:
    """Bytes of memory, and operations of one inference at ten inferences a second."""

    name: str
    memory_bytes: int
    operations: int

    def __post_init__(self) -> None:
        if min(self.memory_bytes, self.operations) < 1:
            raise ConfigError(
                f"budget '{self.name}': {self.memory_bytes} bytes and {self.operations} "
                f"operations must be above 0"
            )

    def holds(self, memory_bytes: int, operations: int) -> bool:
        """Whether a network of so much fits."""
        return memory_bytes <= self.memory_bytes and operations <= self.operations


BUDGETS: Mapping[str, Budget] = {
    name: Budget(name, kilobytes * KILOBYTE, millions * 1_000_000)
    for name, kilobytes, millions in (("small", 80, 6), ("medium", 200, 20), ("large", 500, 80))
}
"""The three classes of Cortex-M systems. The memory of chips comes in units of 1024 bytes."""
