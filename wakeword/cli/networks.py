"""``wakeword networks``: which networks there are, what they cost, what their papers print."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from wakeword.cli.options import echo_table
from wakeword.errors import MissingExtraError

if TYPE_CHECKING:
    from wakeword.networks import NamedNetwork

EPILOG = """\b
Examples:
  wakeword networks
  wakeword networks tc-resnet8 ds-cnn-s
  wakeword networks --labels 3 --json

\b
A recipe names one as [network] family = "tc-resnet8"; docs/networks.md says more.
"""

HEAD = ("name", "family", "front end", "frames", "parameters", "printed", "MFLOP", "printed",
        "8-bit kB", "printed", "accuracy printed")  # fmt: skip
"""What :func:`table_row` says, column by column."""


@click.command(epilog=EPILOG)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--labels", type=click.IntRange(2, 1000), default=12, show_default=True,
              help="Outputs, background among them; the papers have 12.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per network.")
def networks(names: tuple[str, ...], labels: int, as_json: bool) -> None:
    """List the networks that a recipe can name, or those of the names given.

    Parameters are all numbers that are kept, batch norm's among them. MFLOP are million floating
    point operations of one window, two for each multiply-accumulate. 8-bit kB are thousand bytes of
    weights and of the activations that are needed at the same time, a byte each.
    """
    try:
        from wakeword.networks import NETWORKS, named_network
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "train", "networks") from error
    chosen = [named_network(name) for name in names or NETWORKS]
    records = [record_of(network, labels) for network in chosen]
    if as_json:
        for record in records:
            click.echo(json.dumps(record, ensure_ascii=False))
        return
    echo_table([HEAD, *map(table_row, chosen, records)])


def record_of(network: NamedNetwork, labels: int) -> dict[str, Any]:
    """What is known of a network, counted on one that is built for it."""
    from wakeword.networks import build_named, macs, memory, parameter_count, total_parameters

    model = build_named(network.name, labels)
    multiplications, memory_bytes = macs(model), memory(model)
    return {
        "name": network.name,
        "title": network.title,
        "family": network.family,
        "parameters": dict(network.parameters),
        "frontend": network.frontend.to_dict(),
        "window_frames": network.frames,
        "labels": labels,
        "all_parameters": total_parameters(model),
        "trained_parameters": parameter_count(model),
        "macs": multiplications,
        "flops": 2 * multiplications,
        "memory_8_bit": {
            "weights_bytes": memory_bytes.weights,
            "activations_bytes": memory_bytes.activations,
            "total_bytes": memory_bytes.total,
        },
        "printed": vars(network.printed) if network.printed else None,
    }


def table_row(network: NamedNetwork, record: dict[str, Any]) -> tuple[str, ...]:
    """The same for people."""
    f, p = network.frontend, network.printed
    rate = f.sample_rate / 1000
    return (
        network.name,
        network.family,
        f"{f.kind} {f.channels}, {f.window_samples / rate:g}/{f.hop_samples / rate:g} ms",
        str(network.frames),
        f"{record['all_parameters']:,}",
        _printed(p.parameters_thousands if p else None, " k"),
        f"{record['flops'] / 1e6:.2f}",
        _printed(p.mflops if p else None, ""),
        f"{record['memory_8_bit']['total_bytes'] / 1000:.1f}",
        _printed(p.memory_kb if p else None, ""),
        _printed(round(100 * p.accuracy, 1) if p and p.accuracy else None, " %"),
    )


def _printed(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:g}{unit}"
