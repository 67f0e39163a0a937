"""Write docs/cli.md from the --help of every command: `python3 dev.py docs`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from wakeword.cli.group import cli

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
HEAD = """\
# Commands

Made from `--help` by `python3 dev.py docs`; a test keeps it current.
"""


def commands(
    command: click.Command = cli, parent: click.Context | None = None, name: str = "wakeword"
) -> Iterator[click.Context]:
    """A context for the command and for each one below it, depth first."""
    context = command.make_context(name, [], parent, resilient_parsing=True)
    context.terminal_width = context.max_content_width = 100
    yield context
    if isinstance(command, click.Group):
        for child_name in command.list_commands(context):
            child = command.get_command(context, child_name)
            assert child is not None, f"{child_name} is listed but does not exist"
            yield from commands(child, context, child_name)


def page() -> str:
    """The whole page."""
    sections = [
        f"\n## {context.command_path}\n\n```text\n{context.get_help().rstrip()}\n```\n"
        for context in commands()
    ]
    return HEAD + "".join(sections)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"wrote {PAGE.name}")
