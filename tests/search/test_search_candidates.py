"""Candidates of a search: all of a space, counted, thinned to the widest, refined."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from wakeword.errors import ConfigError
from wakeword.networks import BUDGETS, NETWORKS, build, flops_per_window, memory, total_parameters
from wakeword.networks.candidates import (
    Candidate,
    Cost,
    Costed,
    candidates,
    cost_of,
    refined,
    widest,
    within,
)
from wakeword.networks.spaces import SPACES
from wakeword.training.search.count import one_thread


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    with one_thread():
        yield


SIZES = {"s": "small", "l": "large"}


def gru(units: int, layers: int = 1, coefficients: int = 10) -> Candidate:
    return Candidate("gru", {"units": units, "layers": layers}, coefficients, 20, 9)


@pytest.mark.parametrize("space", SPACES)
def test_every_combination_is_looked_at_once(space: str) -> None:
    names = [c.name for c in candidates(space, 9)]
    grid = SPACES[space]
    expected = len(grid.coefficients) * len(grid.hops_ms)
    for values in grid.grid.values():
        expected *= len(values)
    assert len(set(names)) == len(names) == expected
    assert names == [c.name for c in candidates(space, 9)]


@pytest.mark.parametrize("name", ["dnn", "basic-lstm", "lstm", "gru", "crnn", "ds-cnn"])
@pytest.mark.parametrize("size", SIZES)
def test_the_spaces_hold_what_the_paper_found_but_for_a_few_widths(name: str, size: str) -> None:
    """The same front end, and memory within 25 % of the named network's, inside its budget."""
    named = NETWORKS[f"{name}-{size}"]
    wanted = memory(build(named.name, {}, named.frames, named.channels, 12)).total
    budget = BUDGETS[SIZES[size]]
    like = [
        c for c in candidates(name, 12)
        if c.frontend == named.frontend
        and c.parameters.get("layers", 1) == (2 if name == "crnn" else 1)
    ]  # fmt: skip
    costs = [cost for c in like if (cost := cost_of(c, build)) and within(budget, cost)]
    assert max(cost.memory_bytes for cost in costs) > 0.75 * wanted


def test_a_cost_is_what_the_network_takes() -> None:
    one = Candidate("ds-cnn", {"filters": 64, "blocks": 4, "stride": [2, 2],
                               "block_stride": [1, 1]}, 10, 20, 12)  # fmt: skip
    model = build("ds-cnn-s", {}, 49, 10, 12)
    assert (one.frames, one.frontend) == (49, NETWORKS["ds-cnn-s"].frontend)
    assert cost_of(one, build) == Cost(
        memory(model).total, flops_per_window(model), total_parameters(model)
    )


def test_what_cannot_be_built_costs_nothing_and_is_left_out() -> None:
    misfit = [c for c in candidates("lstm", 9)
              if c.parameters["projection"] > c.parameters["units"]]  # fmt: skip
    assert misfit and all(cost_of(c, build) is None for c in misfit)


def test_of_networks_that_differ_in_widths_the_largest_is_kept() -> None:
    def costed(candidate: Candidate, memory_bytes: int) -> Costed:
        return Costed(candidate, Cost(memory_bytes, 1, 1))

    one, two, deep, other = gru(64), gru(96), gru(64, layers=2), gru(64, coefficients=20)
    found = widest([costed(one, 5), costed(two, 7), costed(deep, 3), costed(other, 4)])
    assert [c.candidate for c in found] == [two, deep, other]
    thin, thick, deeper = ({"hidden": [n] * count} for n, count in ((64, 2), (96, 2), (64, 3)))
    layers = [Candidate("dnn", table, 10, 40, 9) for table in (thin, thick, deeper)]
    kept = widest([costed(c, k) for k, c in enumerate(layers, 1)])
    assert [c.candidate for c in kept] == layers[1:]


def test_neighbours_differ_in_one_width() -> None:
    start = Candidate("lstm", {"units": 200, "projection": 64}, 10, 20, 9)
    found = [dict(c.parameters) for c in refined(start, 1.25)]
    assert found == [
        {"units": 250, "projection": 64}, {"units": 160, "projection": 64},
        {"units": 200, "projection": 80}, {"units": 200, "projection": 51},
    ]  # fmt: skip
    wide = Candidate("tc-resnet", {"width": 1.0, "channels": [16, 24], "kernel": 9}, 40, 10, 9)
    assert [c.parameters["width"] for c in refined(wide, 1.25)] == [1.25, 0.8]
    assert refined(gru(1), 1.01) == []


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"unknown family 'cnn-x'; a search knows: dnn, cnn"):
        list(candidates("cnn-x", 9))
