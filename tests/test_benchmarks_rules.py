"""Rules that are tried on posteriors: against their definitions, and as the command writes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scripts import run_script, script
from tone_manifest import tone_manifest

pytest.importorskip("scipy", reason="needs the train extra")

TRACKS = arrays(np.float32, st.tuples(st.integers(1, 12), st.integers(1, 3)),
                elements=st.floats(0.0, 1.0, width=32))  # fmt: skip


@pytest.fixture(scope="module")
def rules(repository: Path) -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(repository / "benchmarks")
        yield script("benchmarks/rules.py", "detection_rules")


@given(raw=TRACKS, steps=st.integers(1, 5))
def test_each_rule_says_of_every_step_what_its_definition_says(
    rules: ModuleType, raw: NDArray[np.float32], steps: int
) -> None:
    zeros = np.zeros((steps - 1, raw.shape[1]), np.float32)
    padded = np.vstack([zeros, raw])
    windows = [padded[i : i + steps] for i in range(len(raw))]
    np.testing.assert_allclose(
        rules.mean(raw, steps), [w.mean(axis=0) for w in windows], atol=1e-6)  # fmt: skip
    np.testing.assert_array_equal(rules.duration(raw, steps), [w.min(axis=0) for w in windows])
    peaks = [np.where((w >= 0.25).all(axis=0), w.max(axis=0), 0.0) for w in windows]
    np.testing.assert_array_equal(rules.two_thresholds(raw, steps, 0.25), peaks)


def test_log_odds_are_those_of_bayes(rules: ModuleType) -> None:
    """Two steps of 0.9 and 0.5: odds of 9 and 1, in the geometric mean 3 to 1."""
    raw = np.array([[0.9], [0.5]], np.float32)
    assert rules.odds(raw, 2)[1, 0] == pytest.approx(0.75, abs=1e-4)
    assert rules.odds(np.full((9, 2), 0.3, np.float32), 4)[3:] == pytest.approx(0.3, abs=1e-6)
    assert np.isfinite(rules.odds(np.array([[0.0], [1.0]], np.float32), 2)).all()


def test_the_section_of_a_version_holds_every_rule_and_the_second_model(
    repository: Path, rules: ModuleType, tiny_bundle: Path, tmp_path: Path
) -> None:
    """The bundle as its own second: asked everywhere, it is what it is alone."""
    made = tone_manifest(tmp_path / "recordings")
    page = tmp_path / "experiments.md"
    page.write_text("".join(f"<!-- {edge} rules of tiny 1.0.0 -->\n" for edge in ("begin", "end")))
    done = run_script(
        repository / "benchmarks" / "rules.py", "--model", tiny_bundle,
        "--second", tiny_bundle, "--manifest", made.path, "--document", page,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = {cells[1].strip(): cells[2:] for line in page.read_text().splitlines()
            if line.startswith("|") for cells in [line.split("|")]}  # fmt: skip
    assert {rule.name for rule in rules.RULES} <= rows.keys()
    assert rows["`tiny`, mean of 4"] == rows["mean of 4"]
    assert sum("where `tiny` is over" in name for name in rows) == len(rules.SURE_OF_NOTHING)
