"""What an 8-bit bundle says of its making, under a key of its own in its recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wakeword.runtime import Bundle

QUANTISATION = "quantisation"


def quantisation_of(bundle: Bundle) -> Mapping[str, Any] | None:
    """What ``bundle`` was made of, and how; None for a float network."""
    found = bundle.metadata.training.recipe.get(QUANTISATION)
    return found if isinstance(found, Mapping) else None
