"""Bootstrap over speakers: known answers, the two models' clips, what clusters change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hand_made_tracks import CLEAN, HIGH, LOW, NOISY, RULES, SPEECH, clip
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from wakeword.errors import EvaluationError
from wakeword.evaluation.bootstrap import (
    by_speaker,
    differences,
    percentile_interval,
    share_interval,
)
from wakeword.evaluation.events import Track
from wakeword.evaluation.intervals import miss_rate
from wakeword.evaluation.measurement import ALL_WORDS, Evaluation, evaluate
from wakeword.runtime import Bundle


def measured(bundle: Path, clips: list[Track]) -> Evaluation:
    return evaluate(Bundle.load(bundle), [SPEECH], {"clean": clips}, RULES)


def spoken(missed: list[int], speaker_of: list[int]) -> list[Track]:
    """Clips of LOW, heard but for those in ``missed``."""
    return [
        clip(f"c{i}", LOW, f"s{s}", {} if i in missed else {(LOW, 14): 0.9})
        for i, s in enumerate(speaker_of)
    ]


def test_the_interval_agrees_with_that_of_scipy_where_each_speaker_has_one_clip() -> None:
    missed = (np.arange(60) % 4 == 0).astype(float)
    sums, clips = by_speaker([("w", ("c", f"s{i}", "")) for i in range(60)], missed[:, None])
    low, high = percentile_interval(sums, clips, seed=1, resamples=20_000)
    theirs = stats.bootstrap(
        (missed,), np.mean, method="percentile", n_resamples=20_000, rng=2
    ).confidence_interval
    assert (low[0], high[0]) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_clips_of_one_speaker_count_as_one() -> None:
    """Ten speakers with ten clips each, all alike, are known no better than ten clips."""
    missed = np.repeat([1.0, 1.0, 0, 0, 0, 0, 0, 0, 0, 0], 10)[:, None]
    owners = [("w", ("c", f"s{i // 10}", "")) for i in range(100)]
    alone = [("w", ("c", "", f"r{i}")) for i in range(100)]
    wide, narrow = (percentile_interval(*by_speaker(o, missed), seed=1) for o in (owners, alone))
    once = percentile_interval(*by_speaker(owners[::10], missed[::10]), seed=1)
    assert wide[0] == once[0] and wide[1] == once[1]
    assert wide[1][0] - wide[0][0] > 2.0 * (narrow[1][0] - narrow[0][0])


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_none_or_all_is_known_as_well_as_there_are_speakers(share: float) -> None:
    said = [("w", ("c", f"s{i % 8}", "")) for i in range(40)]
    missed = np.column_stack([np.full(40, share), np.arange(40) % 8 == 0])
    counted = by_speaker(said, missed)
    low, high = share_interval(*counted, seed=1)
    known = miss_rate(int(8 * share), 8)
    assert (low[0], high[0]) == (known.low, known.high)
    plain = percentile_interval(*counted, seed=1)
    assert (low[1], high[1]) == (plain[0][1], plain[1][1])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 1)), min_size=1))
def test_intervals_lie_within_what_was_counted(clips: list[tuple[bool, int, int]]) -> None:
    missed = np.array([[m] for m, _, _ in clips], np.float64)
    said = [(f"w{w}", ("c", f"s{s}", "")) for _, s, w in clips]
    sums, counts = by_speaker(said, missed)
    low, high = percentile_interval(sums, counts, seed=3, resamples=200)
    assert 0.0 <= low[0] <= high[0] <= 1.0
    assert sums.sum() == missed.sum() and counts.sum() == len(clips)
    if missed.all() or not missed.any():
        assert low[0] == high[0] == missed[0, 0]


def test_differences_are_those_of_the_two_and_clear_only_where_they_are(tiny_bundle: Path) -> None:
    owners = [i // 2 for i in range(40)]
    good = measured(tiny_bundle, spoken([0, 1], owners))
    bad = measured(tiny_bundle, spoken(list(range(0, 40, 2)), owners))
    (chosen, shipped) = differences(("good", good), ("bad", bad), seed=1)
    assert (chosen.basis, shipped.basis) == ("chosen", "shipped")
    assert (shipped.first, shipped.second, shipped.word) == ("good", "bad", LOW)
    assert (shipped.clips, shipped.speakers, shipped.unknown) == (40, 20, 0)
    assert (shipped.first_frr, shipped.second_frr) == (2 / 40, 20 / 40)
    assert shipped.value == pytest.approx(0.45)
    assert 0.0 < shipped.low < 0.45 <= shipped.high and shipped.is_clear
    same = differences(("good", good), ("good again", good), seed=1)[0]
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0) and not same.is_clear


def test_all_words_are_a_mean_over_words_and_unknown_speakers_are_each_their_own(
    tiny_bundle: Path,
) -> None:
    first = measured(tiny_bundle, CLEAN)
    deaf = [replace(t, posteriors=np.zeros_like(t.posteriors)) for t in CLEAN]
    found = differences(("a", first), ("b", measured(tiny_bundle, deaf)), seed=1)
    shipped = {d.word: d for d in found if d.basis == "shipped"}
    assert set(shipped) == {LOW, HIGH, ALL_WORDS}
    assert shipped[ALL_WORDS].first_frr == pytest.approx((1 / 3 + 0.0) / 2)
    assert shipped[ALL_WORDS].second_frr == 1.0
    assert (shipped[HIGH].speakers, shipped[HIGH].unknown) == (1, 1)
    assert (shipped[LOW].speakers, shipped[LOW].unknown) == (2, 0)


def test_other_clips_or_no_common_word_are_refused(tiny_bundle: Path) -> None:
    first, other = measured(tiny_bundle, CLEAN), measured(tiny_bundle, NOISY)
    with pytest.raises(EvaluationError, match="not measured on the same clips"):
        differences(("a", first), ("b", other), seed=1)
    with pytest.raises(EvaluationError, match="'a' and 'b' have no word in common"):
        differences(("a", first), ("b", replace(other, choices={})), seed=1)
