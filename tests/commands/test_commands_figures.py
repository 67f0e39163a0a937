"""Accuracy, confusions, precision, recall and ROC against scikit-learn and by hand."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    auc,
    confusion_matrix,
    precision_recall_fscore_support,
    roc_curve,
)

from wakeword.errors import EvaluationError
from wakeword.evaluation.commands.figures import (
    FALSE_ALARM_RATES,
    CommandResult,
    mean_and_spread,
)
from wakeword.evaluation.commands.report import check_commands_folder, write_commands
from wakeword.evaluation.commands.tables import accuracy_rows, confusion_rows, text_report

CLASSES = ("silence", "yes", "no", "unknown")


def random_result(seed: int, clips: int = 60, model: str = "m", coarse: bool = False,
                  measured: int = 4) -> CommandResult:  # fmt: skip
    """Right more often than not; ``coarse``: many equal posteriors."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(measured), rng.integers(measured, size=clips - measured)])
    logits = rng.standard_normal((clips, 4)) + 1.5 * np.eye(4)[labels]
    posteriors = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    if coarse:
        posteriors = np.round(posteriors, 1) + 1e-3 * np.arange(4)
    return CommandResult(model, seed, CLASSES, labels, posteriors.astype(np.float32))


@given(st.integers(0, 10_000), st.booleans(), st.integers(2, 4))
def test_they_are_those_of_scikit_learn(seed: int, coarse: bool, measured: int) -> None:
    r = random_result(seed, coarse=coarse, measured=measured)
    labels = list(range(measured))
    assert r.measured == tuple(labels) and r.names == CLASSES[:measured]
    assert 1.0 - r.wrong.value == pytest.approx(accuracy_score(r.labels, r.found))
    assert np.array_equal(r.confusion(), confusion_matrix(r.labels, r.found, labels=labels))
    precision, recall, f_score, clips = precision_recall_fscore_support(
        r.labels, r.found, labels=labels, zero_division=np.nan
    )
    for k, figures in enumerate(r.by_class()):
        assert figures.name == CLASSES[k] and figures.clips == clips[k]
        assert figures.precision == pytest.approx(precision[k], nan_ok=True)
        assert figures.recall == pytest.approx(recall[k])
        assert figures.f_score == pytest.approx(f_score[k])
    true = np.eye(4)[r.labels][:, :measured].ravel()
    fpr, tpr, _ = roc_curve(true, r.posteriors[:, :measured].ravel(), drop_intermediate=False)
    roc = r.roc()
    assert roc.area == pytest.approx(1.0 - auc(fpr, tpr))
    np.testing.assert_allclose(roc.false_alarms, fpr)
    np.testing.assert_allclose(roc.false_rejects, 1.0 - tpr, atol=1e-12)


def test_a_curve_by_hand() -> None:
    posteriors = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]], np.float32)
    r = CommandResult("m", 1, ("silence", "yes"), np.array([0, 0, 1]), posteriors)
    # Decisions by score: 0.9 true, 0.7 true, 0.6 false, 0.4 true, 0.3 false, 0.1 false.
    roc = r.roc()
    assert roc.false_alarms == pytest.approx([0, 0, 0, 1 / 3, 1 / 3, 2 / 3, 1])
    assert roc.false_rejects == pytest.approx([1, 2 / 3, 1 / 3, 1 / 3, 0, 0, 0])
    assert roc.area == pytest.approx(1 / 9)
    assert roc.at(np.array([0.0, 1 / 6, 1 / 3, 1.0])) == pytest.approx([1 / 3, 1 / 6, 0.0, 0.0])
    assert r.wrong.missed == 1 and r.confusion().tolist() == [[1, 1], [0, 1]]


def test_mean_and_spread() -> None:
    assert mean_and_spread([0.9, 0.94, 0.95]) == pytest.approx((0.93, np.std([90, 94, 95], ddof=1)
                                                               / 100))  # fmt: skip
    mean, spread = mean_and_spread([0.5])
    assert mean == 0.5 and math.isnan(spread)


@pytest.mark.parametrize(
    ("labels", "shape", "says"),
    [
        ([], (0, 4), "0 clips"),
        ([0, 1], (2, 3), r"\(2, 3\)"),
        ([0, 4], (2, 4), "from 0 to 4"),
        ([1, 1], (2, 4), "of one class"),
    ],
)
def test_impossible_results(labels: list[int], shape: tuple[int, int], says: str) -> None:
    with pytest.raises(EvaluationError, match=says):
        CommandResult("m", 1, CLASSES, np.array(labels, np.int64), np.zeros(shape, np.float32))


def test_tables_and_files(tmp_path: Path) -> None:
    results = [random_result(s) for s in (1, 2, 3)] + [random_result(9, model="other")]
    text = text_report(results)
    for said in ("mean of 3", "m, mean of 3 runs, by class", "precision", "| yes", "±"):
        assert said in text
    folder = write_commands(tmp_path / "out", results, {"split": "test"})
    values = json.loads((folder / "commands.json").read_text("utf-8"))
    assert values["about"] == {"split": "test"}
    accuracies = [1.0 - r.wrong.value for r in results[:3]]
    mean = next(r for r in values["accuracy"] if r["seed"] == "mean of 3")
    assert (mean["accuracy"], mean["spread"]) == pytest.approx(mean_and_spread(accuracies))
    assert len(values["accuracy"]) == 5
    with open(folder / "roc.csv", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["model"] == "m"]
    assert len(rows) == len(FALSE_ALARM_RATES)
    curves = np.array([r.roc().at(FALSE_ALARM_RATES) for r in results[:3]])
    assert [float(r["false_reject_rate"]) for r in rows] == pytest.approx(curves.mean(0).tolist())
    for row, run in zip(accuracy_rows(results), results, strict=False):
        if row["right"] != "":
            assert row["accuracy_low"] <= row["accuracy"] <= row["accuracy_high"]
            assert row["right"] == int((run.found == run.labels).sum())
    counts = sum(r["clips"] for r in confusion_rows(results) if r["model"] == "other")
    assert counts == 60
    pictures = {p.name: p.stat().st_size for p in folder.glob("*.png")}
    assert set(pictures) == {"roc.png", "confusion-m.png", "confusion-other.png"}
    assert min(pictures.values()) > 5_000
    check_commands_folder(folder)
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(EvaluationError, match=r"mine\.txt"):
        write_commands(folder, results, {})
