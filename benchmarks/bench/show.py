"""The bench as one table, and rows for files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wakeword.evaluation.tables import Table

Figures = dict[str, Any]
NONE = "-"
HEADER = (
    "network", "parameters", "printed", "MFLOP", "printed", "KiB", "8-bit KiB", "accuracy", "seeds",
    "in 8 bits", "printed", "missed as a wake word", "seeds", "ms a window", "beside the CRNN",
    "in 8 bits", "printed", "ms a stream's second", "beside the CRNN", "in 8 bits",
)  # fmt: skip
NOTES = (
    "Parameters, MFLOP, sizes and times are for 12 labels, the front end and the window of the "
    "paper; of a bundle of no paper, for its own. MFLOP leave out batch norm and additions, which "
    "the printed ones of Choi et al. have; the table of networks tells the other differences.",
    "A dash: not measured here, or not printed there.",
    "Accuracy: the command set of benchmarks/recipes/commands-tc-resnet8.toml; mean over seeds, in "
    "brackets the 95 % interval over speakers. The printed ones are for 12 classes of Speech "
    "Commands: other words, and other clips.",
    "In 8 bits: as wakeword quantize makes it; finetuned where wakeword quantize --finetune wrote "
    "RUN/bundle-int8 beside RUN/bundle.",
    "Missed as a wake word: mean of the words of benchmarks/recipes/seven-alone.toml on dev, in "
    "noise at 10 dB, at 0.5 false alarms an hour and word, with windows of 1.5 s; of one seed the "
    "interval over speakers, of several their range.",
    "Times: processor time of one thread, the CRNN that ships in turns with each network; a "
    "stream's second is one of 32 streams in the engine, with the front end, and with the windows "
    "of the CRNN sharing what they overlap. Beside: less than 1 is faster; of 8 bits, beside the "
    "same network in float. The printed times are one small core of a Pixel 1.",
)  # fmt: skip


def rows_of(figures: Sequence[Figures]) -> Iterator[dict[str, Any]]:
    """Flat rows for CSV, with empty cells where nothing was measured."""
    for f in figures:
        flat = {k: v for k, v in f.items() if k not in ("commands", "wake_word")}
        flat["int8_in_float"] = " ".join(f"{n}:{k}" for n, k in f["int8_in_float"].items())
        commands, words = f.get("commands") or {}, f.get("wake_word") or {}
        flat["command_seeds"] = commands.get("seeds")
        for key in ("float", "int8"):
            for name in ("accuracy", "low", "high", "spread"):
                flat[f"{key}_{name}"] = commands.get(key, {}).get(name)
        for name in ("seeds", "rounds", "frr", "low", "high"):
            flat[f"wake_word_{name}"] = words.get(name)
        yield {k: "" if v is None else v for k, v in flat.items()}


def table_of(figures: Sequence[Figures]) -> Table:
    """One row for each network."""
    return Table(HEADER, tuple(map(_row, figures)))


def _row(f: Figures) -> tuple[str, ...]:
    commands, words = f.get("commands"), f.get("wake_word")
    return (
        f["network"], f"{f['parameters']:,}", _given(f["printed_parameters"], "{:,.0f}"),
        f"{f['mflop']:.2f}", _given(f["printed_mflop"], "{:g}"), f"{f['kib']:.0f}",
        f"{f['int8_kib']:.0f}" + _left(f["int8_float_share"]),
        _share(commands and commands["float"], "accuracy"),
        _given(commands and commands["seeds"], "{}"),
        _share(commands and commands["int8"], "accuracy")
        + (" finetuned" if commands and commands["int8"]["finetuned"] else ""),
        _given(f["printed_accuracy"] and 100 * f["printed_accuracy"], "{:.1f} %"),
        _share(words, "frr"), _given(words and words["seeds"], "{}"),
        f"{f['window_ms']:.3f}", f"{f['window_beside_crnn']:.2f}",
        f"{f['int8_window_beside_float']:.2f}", _given(f["printed_ms"], "{:g}"),
        f"{f['stream_ms']:.2f}", f"{f['stream_beside_crnn']:.2f}",
        f"{f['int8_stream_beside_float']:.2f}",
    )  # fmt: skip


def _given(value: Any, form: str) -> str:
    return NONE if value is None else form.format(value)


def _share(found: Figures | None, key: str) -> str:
    if not found:
        return NONE
    said = f"{100 * found[key]:.1f} %"
    if found["low"] is None:
        return said
    return f"{said} ({100 * found['low']:.1f} to {100 * found['high']:.1f})"


def _left(share: float) -> str:
    return f" ({100 * share:.0f} % float)" if share >= 0.005 else ""
