"""The group of all commands; each is imported only when it runs, so that help is quick."""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS: dict[str, tuple[str, str]] = {
    "listen": ("wakeword.cli.listen:listen", "Listen to a microphone and report each word."),
    "devices": ("wakeword.cli.devices:devices", "List the microphones."),
    "detect": ("wakeword.cli.detect:detect", "Which words are heard in recordings, and when."),
    "score": ("wakeword.cli.score:score", "Write the posterior of every word every 100 ms as CSV."),
    "say": ("wakeword.cli.say:say", "Synthetic recordings of a word and of its near misses."),
    "align": ("wakeword.cli.align:align", "Where words lie in recordings, with pictures to check."),
    "data": ("wakeword.cli.data:data", "Public recordings to train and measure with."),
    "train": ("wakeword.cli.train:train", "Train a model of your own word from recordings."),
    "train-aligner": (
        "wakeword.cli.train_aligner:train_aligner",
        "Train a network that reads letters, for align.",
    ),
    "evaluate": ("wakeword.cli.evaluate:evaluate", "How much a model misses, how often it alarms."),
    "mine": ("wakeword.cli.mine:mine", "What a model takes for a word, in any amount of audio."),
    "calibrate": ("wakeword.cli.calibrate:calibrate", "New thresholds, from recordings of yours."),
    "ensemble": ("wakeword.cli.ensemble:ensemble", "Several models as one that misses less."),
    "quantize": ("wakeword.cli.quantize:quantize", "A model in 8 bits: smaller, often faster."),
    "models": ("wakeword.cli.models:models", "Which models are installed, and what was measured."),
    "networks": ("wakeword.cli.networks:networks", "Which networks there are, and what they cost."),
    "search": ("wakeword.cli.search:search", "Which networks fit into a budget, and hear best."),
    "nas": ("wakeword.cli.nas:nas", "Which cells make the best network for a recipe."),
    "serve": ("wakeword.cli.serve:serve", "Serve streams over a websocket, and a REST interface."),
    "stream": ("wakeword.cli.stream:stream", "Let a service hear a microphone or recordings."),
    "keys": ("wakeword.cli.keys:keys", "Who may use a service: make, list, remove API keys."),
}
"""Name: where the command is, and its line in the list of commands."""

EXAMPLES = """\b
Examples:
  wakeword listen                              # all words, default microphone
  wakeword listen --model computer --json
  wakeword detect recording.mp3
  wakeword models
"""


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, or None where there is no such name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but an unknown name is answered with those that exist."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(
                f"no such command '{args[0]}'; there are: {', '.join(COMMANDS)}", ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table's own lines: nothing is imported for them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from wakeword import __version__

        click.echo(f"wakeword {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    help="Hear wake words, at a false-alarm rate that was measured.\n\n" + EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False,
              callback=_print_version, help="Print the version and exit.")  # fmt: skip
def cli() -> None:
    """Carries the commands; has nothing to do itself."""
