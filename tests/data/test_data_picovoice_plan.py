"""The order of sounds in a stream: every keyword once, a fifth spoken, long enough, repeatable."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakeword.data.picovoice_plan import Kind, Plan, StreamConfig, make_plan
from wakeword.errors import ConfigError

RATE = 100
some_lengths = st.lists(st.integers(1, 2_000), min_size=1, max_size=8)


def plan(
    keywords: list[int], speech: list[int], noise: list[int], hours: float = 0.5, seed: int = 1,
    key: int = 0,
) -> Plan:  # fmt: skip
    return make_plan(keywords, speech, noise, StreamConfig(hours=hours, seed=seed), RATE, key)


@given(some_lengths, some_lengths, some_lengths, st.floats(0.01, 0.5), st.integers(0, 99))
def test_every_plan_is_laid_out_as_the_benchmark_lays_it_out(
    keywords: list[int], speech: list[int], noise: list[int], hours: float, seed: int
) -> None:
    made = plan(keywords, speech, noise, hours, seed)
    is_keyword = made.kinds == Kind.KEYWORD
    sources = made.parts.sources
    assert sorted(sources[is_keyword]) == list(range(len(keywords)))
    assert made.lengths[is_keyword].tolist() == [keywords[i] for i in sources[is_keyword]]
    assert made.lengths[~is_keyword].tolist() == [speech[i] for i in sources[~is_keyword]]
    # Each gap ends with the first recording that reaches its share of the hours.
    gap = int(hours * 3600 * RATE) // (len(keywords) + 1)
    at = [-1, *np.flatnonzero(is_keyword).tolist(), len(is_keyword)]
    for before, after in pairwise(at):
        inside = made.lengths[before + 1 : after]
        assert inside.sum() >= gap > inside[:-1].sum()
    assert made.noise.edges[-1] >= made.samples > made.noise.edges[-2]
    assert np.diff(made.noise.edges).tolist() == [noise[i] for i in made.noise.sources]


def test_a_fifth_of_the_segments_is_spoken_and_recordings_are_drawn_evenly() -> None:
    """Within four standard deviations of the binomial law: 24 h of ten recordings."""
    made = plan([200] * 5, [700] * 10, [500] * 4, hours=24.0)
    segments = int((made.kinds != Kind.KEYWORD).sum())
    assert segments == 6 * math.ceil(24 * 3600 * RATE // 6 / 700)
    spoken = made.indices(Kind.SPEECH)
    assert abs(len(spoken) - 0.2 * segments) < 4 * math.sqrt(segments * 0.2 * 0.8)
    for share, counts in (
        (0.1, np.bincount(made.parts.sources[made.kinds != Kind.KEYWORD], minlength=10)),
        (0.1, np.bincount(made.parts.sources[spoken], minlength=10)),
        (0.25, np.bincount(made.noise.sources, minlength=4)),
    ):
        deviation = math.sqrt(counts.sum() * share * (1 - share))
        assert np.abs(counts - share * counts.sum()).max() < 4.5 * deviation


def test_recordings_of_unlike_length_are_drawn_alike() -> None:
    """Length decides nothing, as in the original: a long one is as likely as a short one."""
    made = plan([100], [100, 1_900], [1_000], hours=24.0)
    segments = made.parts.sources[made.kinds != Kind.KEYWORD]
    assert abs(segments.mean() - 0.5) < 4 * 0.5 / math.sqrt(len(segments))


def test_the_overrun_is_that_of_a_renewal_process() -> None:
    """A gap overruns by the rest of its last recording: (E[L^2] / E[L] - 1) / 2 on average."""
    lengths = [300, 500, 1_000]
    over = []
    for seed in range(40):
        made = plan([50] * 20, lengths, [900], hours=1.0, seed=seed)
        gap = 3600 * RATE // 21
        over.append((made.samples - 20 * 50) / 21 - gap)
    expected = (np.mean(np.square(lengths)) / np.mean(lengths) - 1) / 2
    assert np.mean(over) == pytest.approx(expected, abs=4 * 300 / math.sqrt(40 * 21))


def test_seed_and_word_decide_and_nothing_else_does() -> None:
    def drawn(seed: int, key: int) -> tuple[list[int], list[int], list[int]]:
        made = plan([100, 200, 300], [400, 500, 600], [700, 800], seed=seed, key=key)
        return made.parts.sources.tolist(), made.kinds.tolist(), made.noise.sources.tolist()

    assert drawn(1, 5) == drawn(1, 5)
    assert len({str(drawn(seed, key)) for seed in (1, 2) for key in (5, 6)}) == 4


def test_shares_of_none_and_of_all() -> None:
    for share, kind in ((0.0, Kind.SILENCE), (1.0, Kind.SPEECH)):
        config = StreamConfig(hours=0.1, speech_share=share)
        made = make_plan([100], [400], [500], config, RATE)
        assert set(made.kinds.tolist()) == {Kind.KEYWORD, kind}


def test_pieces_are_found_by_their_samples() -> None:
    row = plan([100], [400], [500], hours=0.1).noise
    assert (row.at(0), row.at(499), row.at(500)) == (0, 0, 1)
    assert list(row.within(499, 501)) == [0, 1]
    assert list(row.within(500, 1_000)) == [1]
    assert list(row.within(500, 500)) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"hours": 0.0}, "hours = 0; it must be above 0, at most 1000"),
        ({"hours": -1.0}, "hours = -1"),
        ({"hours": math.nan}, "hours = nan"),
        ({"hours": 1_001.0}, "hours = 1001"),
        ({"snr_db": math.nan}, "SNR of nan dB"),
        ({"snr_db": 81.0}, "from -40 to 80 dB"),
        ({"speech_share": 1.1}, "speech_share = 1.1"),
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, float], says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        StreamConfig(**changes)
    assert says in str(refused.value)


@pytest.mark.parametrize("lacking", range(3))
@pytest.mark.parametrize("instead", [[], [100, 0]])
def test_a_stream_of_nothing_is_refused(lacking: int, instead: list[int]) -> None:
    given_lengths = [[100], [100], [100]]
    given_lengths[lacking] = instead
    with pytest.raises(ConfigError, match=("keywords", "speech", "noise")[lacking]):
        plan(*given_lengths)
