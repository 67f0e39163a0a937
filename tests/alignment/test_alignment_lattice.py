"""The CTC lattice: against every path there is, and against torch's loss."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakeword.alignment.lattice import best_path, log_likelihood
from wakeword.errors import ConfigError


def logs(seed: int, steps: int, labels: int) -> np.ndarray:
    """Random log posteriors (steps, 1 + labels)."""
    p = np.random.default_rng(seed).dirichlet(np.ones(1 + labels), steps)
    return np.log(p)


def collapsed(path: tuple[int, ...]) -> list[int]:
    """What a path says: repetitions joined, blanks removed."""
    return [label for label, _ in itertools.groupby(path) if label]


def all_paths(log_posteriors: np.ndarray, text: list[int]) -> list[tuple[float, tuple[int, ...]]]:
    """Log probability of every path that says ``text``."""
    steps, labels = log_posteriors.shape
    return [
        (float(log_posteriors[np.arange(steps), path].sum()), path)
        for path in itertools.product(range(labels), repeat=steps)
        if collapsed(path) == text
    ]


texts = st.lists(st.integers(1, 2), max_size=4)


@given(st.integers(0, 9999), st.integers(1, 7), texts)
@settings(max_examples=80, deadline=None)
def test_likelihood_is_the_sum_over_all_paths(seed: int, steps: int, text: list[int]) -> None:
    p = logs(seed, steps, 2)
    paths = all_paths(p, text)
    found = log_likelihood(p, text)
    if not paths:
        assert found == -np.inf
    else:
        assert found == pytest.approx(np.logaddexp.reduce([score for score, _ in paths]))


@given(st.integers(0, 9999), st.integers(1, 7), texts)
@settings(max_examples=80, deadline=None)
def test_the_best_path_is_the_best_of_all_paths(seed: int, steps: int, text: list[int]) -> None:
    p = logs(seed, steps, 2)
    paths = all_paths(p, text)
    found = best_path(p, text)
    if not paths:
        assert found is None
        return
    _, best = max(paths)
    runs = [list(run) for _, run in itertools.groupby(enumerate(best), key=lambda s: s[1])]
    expected = [(run[0][0], run[-1][0]) for run in runs if run[0][1]]
    assert found is not None
    assert [tuple(row) for row in found.tolist()] == expected


@given(st.integers(0, 9999), st.integers(20, 60), st.lists(st.integers(1, 9), max_size=12))
@settings(max_examples=30, deadline=None)
def test_likelihood_is_the_loss_that_torch_trains_with(
    seed: int, steps: int, text: list[int]
) -> None:
    torch = pytest.importorskip("torch")
    p = logs(seed, steps, 9)
    loss = torch.nn.functional.ctc_loss(
        torch.from_numpy(p)[:, None],
        torch.tensor([text], dtype=torch.long).reshape(1, len(text)),
        torch.tensor([steps]),
        torch.tensor([len(text)]),
        reduction="sum",
    )
    assert log_likelihood(p, text) == pytest.approx(-float(loss), rel=1e-9)


@given(st.integers(0, 9999), st.lists(st.integers(1, 9), min_size=1, max_size=12))
@settings(max_examples=30, deadline=None)
def test_the_best_path_is_in_order_and_no_likelier_than_all(seed: int, text: list[int]) -> None:
    p = logs(seed, 40, 9)
    steps = best_path(p, text)
    assert steps is not None and steps.shape == (len(text), 2)
    flat = steps.ravel()
    assert np.all(np.diff(flat.reshape(-1, 2), axis=1) >= 0) and np.all(
        steps[1:, 0] > steps[:-1, 1]
    )
    assert flat[0] >= 0 and flat[-1] < 40


def test_letters_that_follow_themselves_need_a_blank_between() -> None:
    p = np.log(np.full((2, 2), 0.5))
    assert best_path(p, [1, 1]) is None and log_likelihood(p, [1, 1]) == -np.inf
    p = np.log(np.full((3, 2), 0.5))
    assert best_path(p, [1, 1]).tolist() == [[0, 0], [2, 2]]
    assert log_likelihood(p, [1, 1]) == pytest.approx(np.log(0.125))


def test_nothing_said_is_blank_throughout() -> None:
    p = logs(3, 5, 2)
    assert log_likelihood(p, []) == pytest.approx(p[:, 0].sum())
    assert best_path(p, []).shape == (0, 2)


@pytest.mark.parametrize("labels", [[0], [1, 3], [-1]])
def test_labels_that_the_network_does_not_have_are_refused(labels: list[int]) -> None:
    for of in (log_likelihood, best_path):
        with pytest.raises(ConfigError, match="labels must be 1 to 2"):
            of(logs(0, 4, 2), labels)
        with pytest.raises(ConfigError, match="T > 0"):
            of(np.zeros((0, 3)), [1])


def test_a_long_text_is_followed_to_its_end() -> None:
    """Two hundred labels, each certain for three steps, then a blank."""
    text = [1 + k % 9 for k in range(200)]
    said = np.repeat([label for k in text for label in (k, 0)], [3, 1] * 200)
    p = np.log(np.where(np.arange(10) == said[:, None], 0.91, 0.01))
    steps = best_path(p, text)
    assert steps is not None
    assert steps.tolist() == [[4 * k, 4 * k + 2] for k in range(200)]
