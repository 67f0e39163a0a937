"""``wakeword data``: public recordings to train and measure with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from wakeword.cli.options import note
from wakeword.cli.trial_options import Stages

EPILOG = """\b
Examples:
  wakeword data get speech-commands                     # version 0.02, 2.4 GB, to data/
  wakeword data get speech-commands --version 0.01 --to /big/disk
  wakeword data get speech-commands --unpacked /big/disk/speech_commands_v0.02
"""


@click.group()
def data() -> None:
    """Public recordings to train and measure with."""


@data.command(epilog=EPILOG)
@click.argument("dataset", type=click.Choice(("speech-commands",)))
@click.option(
    "--version",
    type=click.Choice(("0.01", "0.02")),
    default="0.02",
    show_default=True,
    help="30 words (0.01) or 35 (0.02).",
)
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    metavar="DIR",
    help="The data set becomes a folder in it.",
)
@click.option("--url", metavar="URL", help="A copy of the archive elsewhere.")
@click.option(
    "--sha256", metavar="HEX", help="With --url: of another archive than the published one."
)
@click.option(
    "--unpacked",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Download nothing: write the manifest of a data set that is here already.",
)
def get(
    dataset: str,
    version: str,
    folder: Path,
    url: str | None,
    sha256: str | None,
    unpacked: Path | None,
) -> None:
    """Download DATASET, verify and unpack it, and write its manifest with the official split.

    Interrupt it at any time and call it again: it goes on where it was. Prints the path of the
    manifest, which recipes name. Licence of the recordings: CC BY 4.0.
    """
    from wakeword.data.commands.archive import ARCHIVES, get_speech_commands, write_manifest

    if sha256 is not None and url is None:
        raise click.UsageError("--sha256 goes only with --url")
    if unpacked is not None:
        if url is not None:
            raise click.UsageError("--unpacked downloads nothing: --url does not go with it")
        with Stages() as stage:
            click.echo(write_manifest(unpacked, stage))
        return
    remote = ARCHIVES[version]
    if url is not None:
        remote = replace(remote, url=url)
    if sha256 is not None:
        remote = replace(remote, sha256=sha256.lower(), bytes=None)
    with Stages() as stage:
        manifest = get_speech_commands(remote, folder / f"speech_commands_v{version}", stage)
    click.echo(manifest)
    note("a recipe names it as data.manifest: see docs/commands.md")
