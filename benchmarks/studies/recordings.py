"""Figure 2 of the paper: missed over the number of training recordings, with and without mining."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studies.subsets import subset
from studies.variants import Variant, bars, row_of, share_of
from wakeword.data.manifest import Manifest
from wakeword.evaluation.charts import log_shares, new_figure, png
from wakeword.evaluation.conditions import Condition, Kind
from wakeword.evaluation.tables import Table
from wakeword.training.derived import Changes
from wakeword.training.recipe import Recipe

KINDS: tuple[tuple[Kind, float], ...] = (("noise", 5.0),)
ALT = "Missed over recordings, with and without mining"
DISTANCES_M = ()
CONDITION = Condition("noise", 5.0).name
TARGET_FA_PER_HOUR = 0.5
SHARES = (0.125, 0.25, 0.5, 1.0)


def variants(
    shares: Sequence[float], recipe: Recipe, manifest: Manifest, folder: Path, common: Changes
) -> list[Variant]:
    """Two for each share: with the mining of the recipe, and without.

    Synthetic voices are left out, they would stand in for recordings.
    """
    found = []
    words, synthetic = recipe.bundle.words, recipe.data.synthetic_corpora
    for share in sorted(set(shares)):
        path = folder / "manifests" / f"share-{share:g}.csv"
        clips = subset(manifest, words, synthetic, share, path)
        changes = {**common, "data.manifest": str(path.resolve()), "scenes.synthetic": 0.0}
        for mined in (False, True):
            name = f"{len(clips)}-clips-{'mined' if mined else 'unmined'}"
            mining: Changes = {} if mined else {"training.mine_after_rounds": []}
            facts = {
                "share": share,
                "training_clips": len(clips),
                "training_speakers": len({(r.corpus, r.speaker) for r in clips}),
                "mined": mined,
            }
            found.append(Variant(name, {**changes, **mining}, facts))
    return found


def table(values: Sequence[dict[str, Any]]) -> Table:
    """A row for each number of recordings."""
    found = {(v["training_clips"], v["mined"]): v for v in values}
    speakers = {v["training_clips"]: v["training_speakers"] for v in values}
    rows = []
    for clips in sorted(speakers):
        cells = [
            share_of(found.get((clips, mined)), TARGET_FA_PER_HOUR, CONDITION)
            for mined in (False, True)
        ]
        rows.append((f"{clips:,}", str(speakers[clips]), *cells))
    header = ("training recordings", "speakers", "without mining", "with hard negatives")
    return Table(header, tuple(rows))


def picture(values: Sequence[dict[str, Any]]) -> bytes:
    """Two lines over the number of recordings, bars over speakers."""
    figure = new_figure(8.0, 5.0)
    axes = figure.add_subplot()
    for mined, label in ((False, "without mining"), (True, "with mined hard negatives")):
        found = sorted(
            ((v["training_clips"], _row(v)) for v in values if v["mined"] == mined),
            key=lambda pair: pair[0],
        )
        axes.errorbar(
            [c for c, _ in found],
            [max(1e-3, r["frr"]) for _, r in found],
            bars([r for _, r in found]),
            fmt="o-", capsize=2, linewidth=1.2, label=label,
        )  # fmt: skip
    axes.set_xscale("log")
    counts = sorted({v["training_clips"] for v in values})
    axes.set_xticks(counts, [f"{c:,}" for c in counts])
    axes.minorticks_off()
    axes.set_xlabel("training recordings of the words")
    log_shares(axes)
    axes.set_title(f"mean of words, {CONDITION}, at {TARGET_FA_PER_HOUR:g} per hour and word")
    axes.legend()
    return png(figure)


def _row(values: dict[str, Any]) -> dict[str, Any]:
    return row_of(values, TARGET_FA_PER_HOUR, CONDITION)
