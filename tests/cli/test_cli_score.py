"""``wakeword score``: the CSV holds exactly what the detector compared."""

import csv
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from bundles import load_tiny_bundle, tiny_metadata, with_bursts, write_tiny_bundle
from hypothesis import given, settings
from hypothesis import strategies as st
from inprocess import run, write_audio
from numpy.typing import NDArray

from wakeword.cli import plot
from wakeword.cli.plot import Picture, Thinned
from wakeword.runtime import Bundle, Detector, Spotter
from wakeword.runtime.detector import refractory_steps

BURSTS = [(0.5, "low tone"), (3.0, "high tone"), (5.5, "low tone")]
AUDIO = np.round(with_bursts(7.03, BURSTS, noise=0.001) * 2**15).astype(np.int16)
Capture = pytest.CaptureFixture[str]


def read(path: Path) -> tuple[list[str], list[str], NDArray[np.float32]]:
    """Column names, times as written, posteriors (steps, words)."""
    with path.open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    values = np.array([row[1:] for row in rows], np.float32).reshape(len(rows), len(head) - 1)
    return head, [row[0] for row in rows], values


def test_the_csv_holds_the_smoothed_posteriors_to_the_last_bit(
    capsys: Capture, tiny_bundle: Path, tmp_path: Path
) -> None:
    path = write_audio(tmp_path / "take 1.wav", AUDIO)
    done = run(capsys, "score", path, "-m", tiny_bundle, "--out", tmp_path / "out")
    assert done.code == 0 and done.out == ""
    head, times, values = read(tmp_path / "out" / "take 1.csv")
    assert head == ["time_s", "low tone", "high tone"]
    assert times == [str(round(0.1 * (i + 1), 1)) for i in range(70)], "70 steps are in 7.03 s"
    steps = Spotter(tiny_bundle).steps(AUDIO)
    assert len(steps) == 70
    np.testing.assert_allclose(values, [s.smoothed for s in steps], rtol=1e-5, atol=1e-7)
    text = (tmp_path / "out" / "take 1.csv").read_text()
    written = [row.split(",")[1:] for row in text.splitlines()[1:]]
    assert written == [[f"{v:.9g}" for v in row] for row in values], "9 digits are exact"


def test_the_detector_finds_in_the_csv_what_detect_prints(
    capsys: Capture, tiny_bundle: Path, tmp_path: Path
) -> None:
    path = write_audio(tmp_path / "a.wav", AUDIO)
    run(capsys, "score", path, "-m", tiny_bundle, "--out", tmp_path)
    records = run(capsys, "detect", path, "-m", tiny_bundle, "--json").records
    head, times, values = read(tmp_path / "a.csv")
    metadata = Bundle.load(tiny_bundle).metadata
    detector = Detector([0.6, 0.6], refractory_steps(metadata.detector, 1600, 16_000))
    crossings, _ = detector.process(values, detector.initial_state())
    assert [(head[1 + c.word], float(times[c.step])) for c in crossings] == [
        (r["keyword"], r["end_s"]) for r in records
    ]


def test_one_csv_per_file_and_a_bad_one_stops_no_other(
    capsys: Capture, tiny_bundle: Path, tmp_path: Path
) -> None:
    good = [write_audio(tmp_path / name, AUDIO) for name in ("a.wav", "b.flac")]
    bad = tmp_path / "bad.wav"
    bad.write_text("no sound")
    out = tmp_path / "out"
    done = run(capsys, "score", good[0], bad, good[1], "-m", tiny_bundle, "--out", out)
    assert done.code == 2 and "bad.wav" in done.err
    assert sorted(p.name for p in out.iterdir()) == ["a.csv", "b.csv"]
    values = [read(path)[2] for path in sorted(out.iterdir())]
    np.testing.assert_allclose(values[0], values[1], rtol=1e-5, atol=1e-7)


def test_scoring_again_refreshes_the_csv(
    capsys: Capture, tiny_bundle: Path, tmp_path: Path
) -> None:
    path = write_audio(tmp_path / "a.wav", AUDIO)
    (tmp_path / "a.csv").write_text("old")
    assert run(capsys, "score", path, "-m", tiny_bundle, "--out", tmp_path).code == 0
    assert len(read(tmp_path / "a.csv")[1]) == 70


@pytest.mark.parametrize(("samples", "steps"), [(3, 0), (1599, 0), (1600, 1), (3200, 2)])
def test_only_steps_inside_the_file_are_written(
    capsys: Capture, tiny_bundle: Path, tmp_path: Path, samples: int, steps: int
) -> None:
    path = write_audio(tmp_path / "a.wav", AUDIO[:samples])
    assert run(capsys, "score", path, "-m", tiny_bundle, "--out", tmp_path).code == 0
    assert len(read(tmp_path / "a.csv")[1]) == steps


def test_other_rates_have_the_same_times(
    capsys: Capture, tiny_bundle: Path, tmp_path: Path
) -> None:
    samples = with_bursts(7.0, BURSTS, 44_100)
    path = write_audio(tmp_path / "a.wav", np.stack([samples] * 6, axis=1), 44_100)
    assert run(capsys, "score", path, "-m", tiny_bundle, "--out", tmp_path).code == 0
    _, times, values = read(tmp_path / "a.csv")
    assert times[-1] == "7.0" and len(times) == 70 and values.max() > 0.9


def test_two_files_for_one_csv_are_refused_before_work(
    capsys: Capture, tiny_bundle: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for pair in (("x/a.wav", "y/a.flac"), ("A.wav", "a.wav"), ("a.wav", "a.wav")):
        files = [tmp_path / name for name in pair]
        done = run(capsys, "score", *files, "-m", tiny_bundle, "--out", out)
        assert done.code == 2 and not out.exists()
        assert re.search(rf"error: .*{pair[0]}.*{pair[1]}.* would both be written", done.err)


def test_the_folder_cannot_be_a_file(capsys: Capture, tiny_bundle: Path, tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.wav", AUDIO)
    done = run(capsys, "score", path, "-m", tiny_bundle, "--out", path)
    assert done.code == 2 and "a.wav" in done.err


def test_words_of_several_models_are_columns_side_by_side(capsys: Capture, tmp_path: Path) -> None:
    path = write_audio(tmp_path / "a.wav", AUDIO)
    both = write_tiny_bundle(tmp_path / "m" / "both", tiny_metadata("both"))
    low = write_tiny_bundle(tmp_path / "m" / "low", tiny_metadata("low", ["low tone"]))
    options = ["-m", both, "-m", low, "--out", tmp_path]
    assert run(capsys, "score", path, *options).code == 0
    head, _, values = read(tmp_path / "a.csv")
    assert head == ["time_s", "both:low tone", "high tone", "low:low tone"]
    assert not np.array_equal(values[:, 0], values[:, 2]), "softmax over other words"
    steps = Spotter(low).steps(AUDIO)
    np.testing.assert_allclose(values[:, 2], [s.smoothed[0] for s in steps], rtol=1e-5, atol=1e-7)


def test_models_with_other_steps_cannot_share_a_csv(
    capsys: Capture, tiny_bundle: Path, tmp_path: Path
) -> None:
    path = write_audio(tmp_path / "a.wav", AUDIO)
    fast = tmp_path / "fast"
    load_tiny_bundle(fast, tiny_metadata("fast", step_samples=800))
    done = run(capsys, "score", path, "-m", tiny_bundle, "-m", fast, "--out", tmp_path / "out")
    assert done.code == 2 and "50 ms and 100 ms" in done.err and not (tmp_path / "out").exists()


def test_a_picture_beside_the_csv(capsys: Capture, tiny_bundle: Path, tmp_path: Path) -> None:
    import matplotlib.image

    path = write_audio(tmp_path / "cost $5$ _x.wav", AUDIO)
    done = run(capsys, "score", path, "-m", tiny_bundle, "--out", tmp_path, "--plot")
    assert done.code == 0, done.err
    image = matplotlib.image.imread(tmp_path / "cost $5$ _x.png")
    assert image.shape[:2] == (960, 1440) and image.std() > 0.1


@pytest.mark.parametrize("samples", [0, 3, 300, 1600])
def test_a_picture_of_next_to_nothing(tiny_bundle: Path, tmp_path: Path, samples: int) -> None:
    spotter = Spotter(tiny_bundle)
    picture = Picture("x", spotter)
    picture.add_samples(np.zeros(samples, np.float32))
    picture.save(tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 1000


def test_the_picture_shows_what_was_heard(tiny_bundle: Path) -> None:
    spotter = Spotter(tiny_bundle)
    picture = Picture("x", spotter)
    samples = (AUDIO / 2**15).astype(np.float32)
    picture.add_samples(samples)
    for step in spotter.steps(samples):
        picture.add_posteriors([float(p) for p in step.smoothed])
        picture.add_detections(step.detections)
    waveform, features, posteriors = picture.draw().axes
    assert [text.get_text() for text in posteriors.texts] == ["low tone", "high tone", "low tone"]
    assert features.get_images()[0].get_array().shape[0] == 40
    low = posteriors.lines[0].get_ydata()
    assert len(low) == 70 and low.max() > 0.9
    assert waveform.get_xlim() == (0.0, len(samples) / 16_000)


def test_without_matplotlib_nothing_is_begun(
    capsys: Capture, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    path = write_audio(tmp_path / "a.wav", AUDIO)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = run(capsys, "score", path, "-m", tiny_bundle, "--out", tmp_path / "out", "--plot")
    assert done.code == 2 and "pip install 'wakeword[plot]'" in done.err
    assert not (tmp_path / "out").exists()


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 6))
@settings(deadline=None)
def test_thinning_joins_neighbours(sizes: list[int], most: int) -> None:
    rows = np.random.default_rng(0).random((sum(sizes), 2), np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plot, "MAX_COLUMNS", most)
        thinned = Thinned(2, plot._maximum)
        for part in np.split(rows, np.cumsum(sizes)[:-1] if sizes else []):
            thinned.add(part)
            assert len(thinned.columns()) <= 2 * most
    count = thinned.rows_per_column
    assert thinned.rows == len(rows)
    assert count == 1 or len(rows) >= most * count, "no thinner than need be"
    expected = [rows[i : i + count].max(axis=0) for i in range(0, len(rows), count)]
    np.testing.assert_array_equal(thinned.columns(), np.reshape(expected, (-1, 2)))


def test_the_memory_of_a_picture_is_bounded(tiny_bundle: Path) -> None:
    picture = Picture("x", Spotter(tiny_bundle))
    block = np.random.default_rng(0).random(65_536).astype(np.float32)

    def held_mib(seconds: int) -> float:
        for _ in range(seconds // 4):
            picture.add_samples(block)
        return tracemalloc.get_traced_memory()[0] / 2**20

    tracemalloc.start()
    minute, five = held_mib(60), held_mib(240)
    tracemalloc.stop()
    assert five - minute < 2.0
