"""Distances between pronunciations: a metric, closed forms, known words, an independent count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakeword.data.synthesis.phonemes import (
    GAP,
    PADDING,
    SUBSTITUTION,
    SYMBOLS,
    costs_inside,
    distances,
    pad,
    parse_ipa,
)

COMPUTER, COMMUTER, BANANA = "kəmpjˈuːɾɚ", "kəmjˈuːɾɚ", "bənˈænə"
PRONUNCIATIONS = st.lists(st.integers(0, len(SYMBOLS) - 1), min_size=1, max_size=4).map(
    lambda numbers: np.array(numbers, np.int8)
)


def distance(first: str, second: str) -> float:
    return float(distances(parse_ipa(first), pad([parse_ipa(second)]))[0])


def naive_edit(target: list[int], other: list[int]) -> float:
    """The same by plain recursion over the textbook's definition."""
    if not target:
        return float(sum(GAP[other]))
    if not other:
        return float(sum(GAP[target]))
    return min(
        naive_edit(target[1:], other[1:]) + SUBSTITUTION[target[0], other[0]],
        naive_edit(target[1:], other) + GAP[target[0]],
        naive_edit(target, other[1:]) + GAP[other[0]],
    )


def test_stress_and_length_and_separators_are_no_phonemes() -> None:
    assert [SYMBOLS[i] for i in parse_ipa("k_ə_m_p_j_ˈuː_ɾ_ɚ")] == list("kəmpjuɾɚ")
    assert [SYMBOLS[i] for i in parse_ipa("ˌdʒɑːɹ ɡ̊g?")] == ["d", "ʒ", "ɑ", "ɹ", "ɡ", "ɡ"]
    assert len(parse_ipa("")) == 0


def test_distances_of_known_words_are_in_the_order_of_the_ear() -> None:
    assert distance(COMPUTER, COMPUTER) == 0.0
    assert distance(COMPUTER, COMMUTER) < distance(COMPUTER, "kəmpˈoʊzɚ") < 0.5  # composer
    assert distance(COMPUTER, BANANA) > 0.5
    assert distance("pˈæt", "bˈæt") < distance("pˈæt", "sˈæt")  # voice, then manner too
    assert distance("bˈɪt", "bˈiːt") < distance("bˈɪt", "bˈɑːt")
    assert distance("sˈɪp", "ʃˈɪp") < distance("sˈɪp", "kˈɪp")


def test_what_is_left_out_costs_its_share_of_the_longer_one() -> None:
    whole = GAP[parse_ipa(COMPUTER)].sum()
    assert distance(COMPUTER, COMMUTER) == pytest.approx(GAP[SYMBOLS.index("p")] / whole)
    assert distance("kæt", "") == pytest.approx(1.0)


def test_costs_are_a_table_of_distances() -> None:
    assert np.array_equal(SUBSTITUTION, SUBSTITUTION.T)
    assert (np.diag(SUBSTITUTION) == 0.0).all()
    assert SUBSTITUTION.min() == 0.0 and SUBSTITUTION.max() <= 1.0
    same = {(SYMBOLS[i], SYMBOLS[j]) for i, j in np.argwhere(SUBSTITUTION == 0.0) if i < j}
    assert same == {("ɜ", "ɚ"), ("d", "ɾ")}  # one sound, stressed or not, in quick speech or not


def test_a_word_inside_another_costs_nothing() -> None:
    held, torn, far = costs_inside(
        parse_ipa(COMPUTER),
        pad([parse_ipa("mˌaɪkɹoʊ" + COMPUTER + "z"), parse_ipa(COMMUTER), parse_ipa(BANANA)]),
    )
    assert held == 0.0
    assert torn == pytest.approx(GAP[SYMBOLS.index("p")])
    assert far > torn


@given(PRONUNCIATIONS, st.lists(PRONUNCIATIONS, min_size=1, max_size=3))
def test_many_at_once_are_as_the_definition_says(
    target: np.ndarray, others: list[np.ndarray]
) -> None:
    table = pad(others)
    assert (table == PADDING).sum() == sum(table.shape[1] - len(o) for o in others)
    found = distances(target, table)
    inside = costs_inside(target, table)
    for other, one, held in zip(others, found, inside, strict=True):
        cost = naive_edit(list(target), list(other))
        assert one == pytest.approx(min(1.0, cost / max(GAP[target].sum(), GAP[other].sum())))
        stretches = [
            naive_edit(list(target), list(other[i:j]))
            for i in range(len(other) + 1)
            for j in range(i, len(other) + 1)
        ]
        assert held == pytest.approx(min(stretches))


@given(PRONUNCIATIONS, PRONUNCIATIONS)
def test_distance_is_symmetric(first: np.ndarray, second: np.ndarray) -> None:
    there, back = distances(first, pad([second])), distances(second, pad([first]))
    assert there == pytest.approx(back)
