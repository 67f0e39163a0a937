"""Which bundles are command sets."""

from __future__ import annotations

from wakeword.data.commands.protocol import CommandsConfig
from wakeword.runtime import Bundle
from wakeword.tables import from_table


def commands_of(bundle: Bundle) -> CommandsConfig | None:
    """The ``[commands]`` of the recipe that ``bundle`` was trained with; None without them.

    Raises
    ------
    ConfigError
        They are not such a table.
    """
    table = bundle.metadata.training.recipe.get("commands")
    if table is None:
        return None
    return from_table(CommandsConfig, table, f"model '{bundle.name}': commands")
