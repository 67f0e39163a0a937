"""The search against closed-form scores: what is tried, refined, kept, gone on with."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from wakeword.errors import ConfigError
from wakeword.networks.budgets import BUDGETS
from wakeword.networks.candidates import Candidate, Costed, widest, within
from wakeword.training.search.count import Counted, count
from wakeword.training.search.journal import JOURNAL, Journal
from wakeword.training.search.refine import Effort, drawn, trained

SMALL = BUDGETS["small"]
KEY = {"rounds": 1}


def silent(name: str, total: float, unit: str = "s") -> Callable[[float], None]:
    return lambda _: None


@pytest.fixture(scope="module")
def counted() -> Counted:
    return count(["gru", "basic-lstm"], SMALL, 9, silent)


class Hill:
    """A closed form: best at 110 GRU units in one layer, and worse by the ratio to them."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, candidate: Candidate) -> float:
        self.asked.append(candidate.name)
        off = abs(math.log(candidate.parameters["units"] / 110))
        gru = candidate.space == "gru" and candidate.parameters["layers"] == 1
        return max(0.0, (0.9 if gru else 0.5) - off)


def search(counted: Counted, folder: Path, hill: Hill) -> tuple[dict[str, Costed], Journal]:
    journal = Journal(folder, KEY)
    found = trained(counted.fitting, SMALL, Effort(tries=12, keep=2), hill, journal, silent)
    return dict(found), journal


def test_it_refines_around_the_best_and_stays_in_the_budget(
    counted: Counted, tmp_path: Path
) -> None:
    hill = Hill()
    found, journal = search(counted, tmp_path, hill)
    assert len(hill.asked) == len(set(hill.asked)) == len(found) == len(journal.scores)
    assert all(within(SMALL, one.cost) for one in found.values())
    first = {one.candidate.name for one in widest(counted.fitting)}
    assert set(hill.asked[: len(first)]) == first
    best = max(found, key=lambda name: journal.scores[name])
    assert best not in first
    assert journal.scores[best] > max(journal.scores[name] for name in first)


def test_a_search_that_was_stopped_goes_on(counted: Counted, tmp_path: Path) -> None:
    whole, _ = search(counted, tmp_path / "whole", Hill())

    class Stopped(Hill):
        def __call__(self, candidate: Candidate) -> float:
            if len(self.asked) == 7:
                raise KeyboardInterrupt
            return super().__call__(candidate)

    with pytest.raises(KeyboardInterrupt):
        search(counted, tmp_path / "broken", Stopped())
    with (tmp_path / "broken" / JOURNAL).open("a") as file:
        file.write('{"name": "gru (un')  # a line that was being written
    rest = Hill()
    found, journal = search(counted, tmp_path / "broken", rest)
    assert found == whole and len(rest.asked) == len(whole) - 7
    assert Journal(tmp_path / "broken", KEY).scores == journal.scores


def test_a_journal_of_another_search_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path, KEY).add("one", 0.5)
    assert Journal(tmp_path, KEY).scores == {"one": 0.5}
    with pytest.raises(ConfigError, match=r"another search \(rounds differ\); name another folder"):
        Journal(tmp_path, {"rounds": 2})
    (tmp_path / JOURNAL).write_text(json.dumps(KEY) + "\n{}\n", "utf-8")
    with pytest.raises(ConfigError, match="cannot be read"):
        Journal(tmp_path, KEY)


def test_so_many_of_each_family_are_tried(counted: Counted) -> None:
    some = drawn(counted.fitting, Effort(tries=3))
    assert [one.candidate.space for one in some] == ["gru"] * 3 + ["basic-lstm"] * 3
    assert some == drawn(counted.fitting, Effort(tries=3))
    assert some != drawn(counted.fitting, Effort(tries=3, seed=2))
    assert set(one.candidate.name for one in some) <= {
        one.candidate.name for one in widest(counted.fitting)
    }


@pytest.mark.parametrize("change", [{"tries": 0}, {"keep": 0}])
def test_a_search_that_tries_nothing_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        Effort(**change)
