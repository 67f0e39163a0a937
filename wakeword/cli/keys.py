"""``wakeword keys``: who may use a service, besides this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wakeword.cli.options import note
from wakeword.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from wakeword_service.keys import Key, Keys

SCOPES = ("stream", "read", "tune", "admin")
"""As in wakeword_service.keys; said again because help must work without the service extra."""

EPILOG = """\b
Examples:
  wakeword keys add kitchen --scope stream --max-streams 2
  wakeword keys add dashboard --scope read --expires 90
  wakeword keys list
  wakeword keys remove kitchen

A running service sees the change at once: no restart.
"""
_STATE_DIR = click.option(
    "--state-dir", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="The state of the service, as for \"wakeword serve\". "
         "[default: WAKEWORD_SERVICE_STATE_DIR, or ./wakeword-state]",
)  # fmt: skip


@click.group(epilog=EPILOG)
def keys() -> None:
    """Make, list and remove the API keys of a service.

    While there is no key, a service hears this machine only. As soon as there is one, every
    request needs a key.
    """


@keys.command()
@click.argument("name", metavar="NAME")
@click.option("--scope", "scopes", type=click.Choice(SCOPES), multiple=True, required=True,
              help="What the key may do; repeatable. \"admin\" holds all others.")
@click.option("--max-streams", type=int, metavar="N", help="Streams at a time.")
@click.option("--expires", "expires_days", type=float, metavar="DAYS",
              help="Days until the key ends. [default: never]")
@click.option("--key-file", type=click.File("r", encoding="utf-8"), metavar="FILE",
              help="Take this key instead of making one, so that several services know the same; "
                   "\"-\" is stdin. Done again, it changes nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the key and what it may do as JSON.")
@_STATE_DIR
def add(
    name: str,
    scopes: tuple[str, ...],
    max_streams: int | None,
    expires_days: float | None,
    key_file: Any,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Make a key called NAME and print it, this once: the service keeps only its hash."""
    given = None if key_file is None else key_file.read(1024).strip()
    with _open(state_dir, make=True) as (known, folder):
        key, token = known.add(name, scopes, max_streams, expires_days, token=given)
    if as_json:
        shown = _record(key) if given else {"key": token, **_record(key)}
        click.echo(json.dumps(shown, ensure_ascii=False))
    elif not given:
        click.echo(token)
    what = "this key is shown only now" if not given else "the given key is known"
    note(f"{what}; its hash is in {folder}")


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per key.")
@_STATE_DIR
def list_(as_json: bool, state_dir: Path | None) -> None:
    """List the keys: what each may do, until when, and when it was last used."""
    with _open(state_dir) as (known, folder):
        found = known.all()
    if as_json:
        for key in found:
            click.echo(json.dumps(_record(key), ensure_ascii=False))
        return
    if not found:
        note(f"no key is in {folder}: a service with this state hears this machine only")
        return
    rows = [_HEAD, *map(_row, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


@keys.command()
@click.argument("name", metavar="NAME")
@_STATE_DIR
def remove(name: str, state_dir: Path | None) -> None:
    """Forget the key called NAME; streams that it opened end within seconds."""
    with _open(state_dir) as (known, folder):
        known.remove(name)
        left = known.exist()
    note(f"'{name}' is removed from {folder}")
    if not left:
        note("no key is left: the service hears this machine only, and needs no key from it")


@contextmanager
def _open(state_dir: Path | None, make: bool = False) -> Iterator[tuple[Keys, Path]]:
    """The keys in a service's state, and the folder that it is in."""
    try:
        from wakeword_service.keys import Keys
        from wakeword_service.settings import load_settings
        from wakeword_service.store import STATE_FILE, Store
    except ImportError as why:
        raise MissingExtraError(str(why.name), "service", "wakeword keys") from why
    folder = load_settings(state_dir=state_dir).state_dir.absolute()
    if not make and not (folder / STATE_FILE).is_file():
        raise ConfigError(f"no service has its state in {folder}; see --state-dir")
    store = Store(folder)
    try:
        yield Keys(store.keys), folder
    finally:
        store.close()


def _record(key: Key) -> dict[str, Any]:
    return {
        "name": key.name,
        "id": key.id,
        "scopes": list(key.scopes),
        "max_streams": key.max_streams,
        "created": _iso(key.created_s),
        "expires": None if key.expires_s is None else _iso(key.expires_s),
        "last_used": None if key.last_used_s is None else _iso(key.last_used_s),
    }


_HEAD = ("name", "id", "scopes", "streams", "made", "expires", "last used")


def _row(key: Key) -> tuple[str, ...]:
    return (
        key.name,
        key.id,
        ",".join(key.scopes),
        "any" if key.max_streams is None else str(key.max_streams),
        _minute(key.created_s),
        _minute(key.expires_s),
        _minute(key.last_used_s),
    )


def _minute(seconds: float | None) -> str:
    return "never" if seconds is None else _iso(seconds)[:16]


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
