"""Which clips are aligned, in what order they are shown, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wakeword.data.align import WordTimes
from wakeword.data.alignment import (
    Alignment,
    choose,
    most_suspicious_first,
    summarize,
)
from wakeword.data.manifest import Manifest, Recording
from wakeword.errors import ManifestError


def clip(
    text: str = "alpha", split: str = "train", start: float = np.nan, end: float = np.nan
) -> Recording:
    return Recording(Path("a.wav"), "c", text, "", split, start, end, 2.0)


def manifest(*recordings: Recording) -> Manifest:
    return Manifest(Path("m.csv"), recordings, "")


def found(
    start: float,
    end: float,
    contrast_db: float = 40.0,
    known: tuple[float, float] = (np.nan, np.nan),
) -> Alignment:
    return Alignment(clip("alpha", "train", *known), WordTimes(start, end, contrast_db))


def test_texts_are_taken_as_they_are_named_in_their_order() -> None:
    listed = manifest(clip("alpha"), clip("beta wave"), clip("alpha two"), clip("alpha", "dev"))
    chosen = choose(listed, ["Beta Wave", " alpha ", "alpha"])
    assert {text: len(rs) for text, rs in chosen.items()} == {"beta wave": 1, "alpha": 2}
    assert list(chosen) == ["beta wave", "alpha"]
    assert [r.split for r in choose(listed, ["alpha"], "dev")["alpha"]] == ["dev"]


def test_without_texts_those_that_look_like_words_are_taken() -> None:
    listed = manifest(
        *[clip("alpha")] * 5, *[clip("beta")] * 4, *[clip("one two three four")] * 9,
        *[clip("")] * 9, *[clip("hey smart mirror")] * 6,
    )  # fmt: skip
    assert list(choose(listed)) == ["alpha", "hey smart mirror"]


def test_a_text_without_recordings_is_refused_with_those_that_exist() -> None:
    listed = manifest(*[clip("alpha")] * 5, *[clip("beta")] * 6)
    for texts, split, says in (
        (["gamma"], None, "'gamma'; .* share: beta, alpha"),
        (["alpha"], "dev", "split 'dev': .*'alpha'; .* share: none"),
        ([""], None, "whole text is ''"),
        ([], "dev", "whole text is 'a word'"),
    ):
        with pytest.raises(ManifestError, match=f"m.csv.*{says}"):
            choose(listed, texts, split)


def test_a_sample_follows_from_its_seed_and_not_from_other_texts() -> None:
    def numbered(text: str, n: int) -> list[Recording]:
        return [Recording(Path(f"{i}"), "c", text, "", "dev", 0, 0, 1) for i in range(n)]

    alpha, beta = numbered("alpha", 100), numbered("beta", 100)
    first = choose(manifest(*alpha, *beta), ["alpha"], None, 10, 1)["alpha"]
    assert first == choose(manifest(*beta, *alpha), ["beta", "alpha"], None, 10, 1)["alpha"]
    assert first != choose(manifest(*alpha), ["alpha"], None, 10, 2)["alpha"]
    order = [int(r.path.name) for r in first]
    assert order == sorted(set(order)) and len(order) == 10
    assert choose(manifest(*alpha[:7]), ["alpha"], None, 10)["alpha"] == alpha[:7]


def test_the_most_suspicious_come_first() -> None:
    usual = [found(0.5, 1.0 + i / 100) for i in range(10)]
    none = Alignment(clip(), None)
    short, long = found(0.5, 0.6), found(0.2, 1.5)
    hidden, wrong = found(0.5, 1.05, 12.0), found(0.5, 1.05, known=(1.2, 1.8))
    order = most_suspicious_first([*usual, hidden, long, none, wrong, short])
    assert order[0] is none
    assert {id(a) for a in order[1:5]} == {id(a) for a in (short, long, hidden, wrong)}
    assert len(order) == 15 and {id(a) for a in usual} == {id(a) for a in order[5:]}
    assert most_suspicious_first([]) == []


def test_a_summary_counts_and_measures() -> None:
    summary = summarize(
        "alpha",
        [
            found(0.5, 1.0, 30.0, (0.4, 1.3)),
            found(0.5, 1.1, 40.0, (0.52, 1.1)),
            found(0.5, 0.6, 50.0),
            Alignment(clip(start=0.1, end=0.5), None),
        ],
    )
    assert (summary.clips, summary.not_found, summary.too_short, summary.known) == (4, 1, 1, 2)
    assert summary.seconds == pytest.approx(0.5)
    assert summary.seconds_range == pytest.approx((0.14, 0.59))
    assert summary.contrast_db == 40.0
    assert summary.start_error_s == pytest.approx((0.06, 0.02 + 0.95 * 0.08))
    assert summary.end_error_s == pytest.approx((0.15, 0.95 * 0.3))


def test_a_summary_of_nothing_has_no_figures() -> None:
    summary = summarize("alpha", [Alignment(clip(), None)])
    assert (summary.clips, summary.not_found, summary.known) == (1, 1, 0)
    assert summary.seconds is summary.seconds_range is summary.contrast_db is None
    assert summary.start_error_s is summary.end_error_s is None


def test_training_takes_what_is_no_click() -> None:
    assert found(0.5, 0.71).usable and not found(0.5, 0.65).usable
    assert not Alignment(clip(), None).usable
