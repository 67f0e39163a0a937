"""Write what the documentation can take from the program: `python3 dev.py docs`.

docs/cli.md comes from the --help of every command, the keys of a recipe in docs/training.md from
the dataclasses that read it, the tables in docs/networks.md from the networks themselves, the
messages in docs/protocol.md and the schemas beside it from the message classes, settings and
metrics in docs/service.md from the service; README.md shows what the demo prints and what the
shipped bundles say was measured at their default operating points.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from wakeword import installed_bundles
from wakeword.cli.group import cli

ROOT = Path(__file__).resolve().parent.parent
CLI_PAGE, README = ROOT / "docs" / "cli.md", ROOT / "README.md"
DEMO = re.compile(r"(?<=<!-- demo -->\n```text\n).*?(?=```\n<!-- end -->)", re.DOTALL)
FIGURES = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- end -->)", re.DOTALL)
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


def cli_page() -> str:
    """The whole of docs/cli.md."""
    sections = [
        f"\n## {context.command_path}\n\n```text\n{context.get_help().rstrip()}\n```\n"
        for context in commands()
    ]
    return HEAD + "".join(sections)


def demo_output() -> str:
    """What `python3 dev.py demo` prints on standard output after the command itself."""
    command = [sys.executable, "-m", "wakeword", "detect", "samples/words.flac"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def figures() -> str:
    """Tables of what was measured at the default operating points, from the bundles themselves.

    One for each target of false alarms: what is missed at one says nothing of another.
    """
    rows: dict[str, list[str]] = {}
    for bundle in installed_bundles():
        target = bundle.metadata.default_target_fa_per_hour
        for word, table in bundle.metadata.operating_points.items():
            p = next(p for p in table.points if p.target_fa_per_hour == target)
            assert p.frr is not None and p.frr_low is not None and p.frr_high is not None
            rows.setdefault(f"{p.condition}, {target:g} false alarms per hour", []).append(
                f"| {bundle.name} | {word} | {p.frr:.1%} ({p.missed} of {p.clips}) | "
                f"{p.frr_low:.0%} to {p.frr_high:.0%} | {p.alarms} in {p.hours:.1f} h | "
                f"{p.fa_per_hour_high:.1f} |\n"
            )
    return "\n".join(
        f"At the default operating points ({where}), on the dev speakers:\n"
        "\n| model | word | missed | 95 % interval | false alarms | per hour, at most (95 %) |\n"
        f"|---|---|---|---|---|---|\n{''.join(found)}"
        for where, found in sorted(rows.items())
    ) + "\n"


def readme(output: str) -> str:
    """README.md with ``output`` in the place of the demo's output, and current figures."""
    text = DEMO.sub(lambda _: output, README.read_text("utf-8"))
    return FIGURES.sub(lambda _: figures(), text)


if __name__ == "__main__":
    import network_table
    import protocol_page
    import recipe_table
    import service_page

    CLI_PAGE.write_text(cli_page(), "utf-8")
    recipe_table.PAGE.write_text(recipe_table.training_page(), "utf-8")
    network_table.PAGE.write_text(network_table.networks_page(), "utf-8")
    protocol_page.write()
    service_page.write()
    README.write_text(readme(demo_output()), "utf-8")
    print(f"wrote {CLI_PAGE.name}, the keys in {recipe_table.PAGE.name}, the tables in "
          f"{network_table.PAGE.name}, the messages in {protocol_page.PAGE.name}, settings and "
          f"metrics in {service_page.PAGE.name}, the demo's output and the figures "
          f"in {README.name}")
