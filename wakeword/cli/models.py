"""``wakeword models``: what is installed, and what was measured about it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import click

from wakeword.cli.main import FAILED
from wakeword.cli.options import echo_table, note, say_error
from wakeword.errors import BundleError
from wakeword.runtime import Bundle, OperatingPoint, find_bundle
from wakeword.runtime.registry import ENVIRONMENT, bundle_folders, default_folders

EPILOG = """\b
Examples:
  wakeword models
  wakeword models --json
  wakeword models show NAME
"""


@click.group(epilog=EPILOG, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per model.")
@click.pass_context
def models(context: click.Context, as_json: bool) -> int:
    """List the installed models: words, size, licence, operating points.

    Operating points are given as false alarms per hour; "?" marks those that the hours measured
    cannot support for every word. A word in brackets is heard by a model further up already.
    Models that are no default are loaded only for who names them, or a word that only they hear.
    """
    if context.invoked_subcommand is not None:
        if as_json:
            raise click.UsageError(
                "--json goes behind the command: wakeword models show NAME --json"
            )
        return 0
    bundles, code = _installed()
    if as_json:
        for bundle in bundles:
            record = {**_record(bundle), "default": bundle.path in default_folders()}
            click.echo(json.dumps(record, ensure_ascii=False))
    else:
        echo_table(_rows(bundles))
        if not bundles:
            note(f"no models are installed; {ENVIRONMENT} may name folders of models")
    return code


@models.command()
@click.argument("name", metavar="NAME")
@click.option("--json", "as_json", is_flag=True, help="Print the metadata as one JSON object.")
def show(name: str, as_json: bool) -> None:
    """Show the card of model NAME (or of a model's folder) and all of its operating points."""
    bundle = find_bundle(name)
    if as_json:
        record = {**_record(bundle), "card": bundle.card, "metadata": bundle.metadata.to_dict()}
        click.echo(json.dumps(record, ensure_ascii=False))
        return
    metadata = bundle.metadata
    echo_table(
        [
            ("name", f"{bundle.name} {metadata.version}"),
            ("description", metadata.description),
            ("words", ", ".join(bundle.words)),
            ("licence", metadata.licence),
            ("size", f"{_size(bundle)}, {metadata.model.parameters:,} parameters, "
                     f"{metadata.model.flops_per_window / 1e6:.1f} MFLOP per window"),
            *_curves(bundle),
            ("folder", str(bundle.path)),
        ]
    )  # fmt: skip
    click.echo(
        f"\nOperating points (default: {metadata.default_target_fa_per_hour:g} false alarms per "
        "hour; in brackets: 95 % bounds):\n"
    )
    points = [(word, p) for word in bundle.words for p in bundle.operating_points(word).points]
    echo_table([_POINT_HEAD, *(_point_row(word, point) for word, point in points)])
    for word, point in points:
        if point.statement and not point.supported:
            click.echo(f"\n{word} at {point.target_fa_per_hour:g} per hour: {point.statement}")
    if bundle.card:
        click.echo(f"\n{bundle.card.rstrip()}")


_POINT_HEAD = ("word", "target/h", "threshold", "measured/h", "hours", "missed", "clips",
               "condition", "supported")  # fmt: skip


def _point_row(word: str, point: OperatingPoint) -> tuple[str, ...]:
    missed = "-"
    if point.frr is not None:
        missed = f"{_percent(point.frr)} ({_percent(point.frr_low)}-{_percent(point.frr_high)})"
    return (
        word,
        f"{point.target_fa_per_hour:g}",
        f"{point.threshold:.3f}",
        f"{point.fa_per_hour:.2f} ({point.fa_per_hour_low:.2f}-{point.fa_per_hour_high:.2f})",
        f"{point.hours:.1f}",
        missed,
        str(point.clips),
        point.condition,
        "yes" if point.supported else "no",
    )


def _curves(bundle: Bundle) -> list[tuple[str, str]]:
    """A row that says how many thresholds were kept; none for a bundle without curves."""
    curves = [bundle.operating_points(word).curve for word in bundle.words]
    counts = [len(curve.thresholds) for curve in curves if curve is not None]
    if not counts:
        return []
    most = f"{len(counts)} of {len(curves)} words, up to {max(counts)} thresholds each"
    return [("curves", f"{most}; --json has them")]


def _installed() -> tuple[list[Bundle], int]:
    """All bundles that load, the first of each name; a damaged one is said and is a failure."""
    bundles: dict[str, Bundle] = {}
    code = 0
    for folder in bundle_folders():
        try:
            bundle = Bundle.load(folder)
        except BundleError as why:
            say_error(str(why))
            code = FAILED
        else:
            bundles.setdefault(bundle.name, bundle)
    return list(bundles.values()), code


def _rows(bundles: Iterable[Bundle]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        ("name", "words", "default", "size", "licence", "false alarms per hour")
    ]
    heard: set[str] = set()
    defaults = default_folders()
    for bundle in bundles:
        words = [f"({word})" if word in heard else word for word in bundle.words]
        heard.update(bundle.words)
        rows.append(
            (bundle.name, ", ".join(words), "yes" if bundle.path in defaults else "no",
             _size(bundle), bundle.metadata.licence, _targets(bundle))
        )  # fmt: skip
    return rows if len(rows) > 1 else []


def _targets(bundle: Bundle) -> str:
    """Targets that every word has, unsupported ones marked."""
    tables = [bundle.operating_points(word) for word in bundle.words]
    common = set(tables[0].targets).intersection(*(table.targets for table in tables))
    shown = [
        f"{target:g}" if all(table.at(target).supported for table in tables) else f"{target:g}?"
        for target in sorted(common, reverse=True)
    ]
    return " ".join(shown)


def _record(bundle: Bundle) -> dict[str, Any]:
    metadata = bundle.metadata
    return {
        "name": bundle.name,
        "version": metadata.version,
        "description": metadata.description,
        "words": list(bundle.words),
        "bytes": metadata.model.bytes,
        "parameters": metadata.model.parameters,
        "licence": metadata.licence,
        "default_target_fa_per_hour": metadata.default_target_fa_per_hour,
        "operating_points": metadata.to_dict()["operating_points"],
        "sha256": bundle.sha256,
        "path": str(bundle.path),
    }


def _size(bundle: Bundle) -> str:
    size = bundle.metadata.model.bytes
    return f"{size / 1e6:.2f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def _percent(rate: float | None) -> str:
    return "-" if rate is None else f"{100 * rate:.1f} %"
