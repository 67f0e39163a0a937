"""``wakeword detect`` says what the library hears, whatever the file."""

import re
from pathlib import Path

import numpy as np
import pytest
from bundles import load_tiny_bundle, tiny_metadata, with_bursts, write_tiny_bundle
from inprocess import run, write_audio
from processes import RunCli

from wakeword.runtime import Spotter

BURSTS = [(0.5, "low tone"), (3.0, "high tone"), (5.5, "low tone")]
WORDS = [word for _, word in BURSTS]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_audio(tmp_path / "r.wav", with_bursts(7.0, BURSTS, noise=0.001))


def test_json_lines_hold_what_the_library_hears(
    capsys: Capture, tiny_bundle: Path, recording: Path
) -> None:
    done = run(capsys, "detect", recording, "-m", tiny_bundle, "--json")
    assert done.code == 0 and done.err == ""
    samples = np.round(with_bursts(7.0, BURSTS, noise=0.001) * 2**15).astype(np.int16)
    expected = Spotter(tiny_bundle).feed(samples, last=True)
    assert [
        (r["keyword"], r["start_sample"], r["end_sample"], r["threshold"]) for r in done.records
    ] == [(d.keyword, d.start_sample, d.end_sample, d.threshold) for d in expected]
    for record in done.records:
        assert list(record) == [
            "file", "keyword", "score", "threshold", "start_s", "end_s", "start_sample",
            "end_sample", "sample_rate", "model",
        ]  # fmt: skip
        assert record["file"] == str(recording) and record["model"] == "tiny"
        assert record["end_s"] == record["end_sample"] / record["sample_rate"]


def test_lines_for_people(capsys: Capture, tiny_bundle: Path, recording: Path) -> None:
    done = run(capsys, "detect", recording, "-m", tiny_bundle)
    lines = [line.split("  ") for line in done.out.splitlines()]
    assert [line[0] for line in lines] == [str(recording)] * 3
    assert [cell for line in lines for cell in line if "tone" in cell] == WORDS
    assert all(line[-1] == "0.600" for line in lines)
    assert done.err == "note: 3 detections in 7.0 s of audio\n"


@pytest.mark.parametrize(
    ("name", "rate", "options"),
    [
        ("a.wav", 8_000, {}),
        ("a.wav", 96_000, {"subtype": "FLOAT"}),
        ("a.wav", 44_100, {"subtype": "PCM_U8"}),
        ("a.flac", 48_000, {}),
        ("a.ogg", 44_100, {}),
        ("a.opus", 48_000, {"format": "OGG", "subtype": "OPUS"}),
        ("a.mp3", 32_000, {}),
    ],
)
def test_any_kind_of_file(
    capsys: Capture, tiny_bundle: Path, tmp_path: Path, name: str, rate: int,
    options: dict[str, str],
) -> None:  # fmt: skip
    mono = with_bursts(7.0, BURSTS, rate, noise=0.001)
    path = write_audio(tmp_path / name, np.stack([mono, mono], axis=1), rate, **options)
    done = run(capsys, "detect", path, "-m", tiny_bundle, "--json")
    assert done.code == 0, done.err
    assert [r["keyword"] for r in done.records] == WORDS
    for record, (at_s, _) in zip(done.records, BURSTS, strict=True):
        assert at_s < record["end_s"] < at_s + 0.7


def test_raw_pcm_and_wav_on_standard_input(
    run_cli: RunCli, tiny_bundle: Path, recording: Path
) -> None:
    expected = run_cli("detect", recording, "-m", tiny_bundle, "--json").stdout
    wav = run_cli("detect", "-", "-m", tiny_bundle, "--json", stdin=recording.read_bytes())
    raw = run_cli("detect", "-", "-m", tiny_bundle, "--json", "--rate", "16000",
                  stdin=recording.read_bytes()[44:])  # fmt: skip
    assert wav.stdout == raw.stdout == expected.replace(str(recording), "-")
    stereo = np.repeat(with_bursts(7.0, BURSTS, 48_000)[:, None], 2, axis=1).astype("<f4")
    options = ["--rate", "48000", "--channels", "2", "--encoding", "f32le"]
    done = run_cli("detect", "-", "-m", tiny_bundle, "--json", *options, stdin=stereo.tobytes())
    assert done.stdout.count("keyword") == 3, done.stderr


def test_one_bad_file_among_many_stops_no_other(
    capsys: Capture, tiny_bundle: Path, recording: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.wav").write_text("no sound")
    files = [recording, tmp_path / "bad.wav", tmp_path / "none.wav", recording]
    done = run(capsys, "detect", *files, "-m", tiny_bundle, "--json")
    assert done.code == 2 and len(done.records) == 6
    errors = done.err.splitlines()
    assert len(errors) == 2 and "bad.wav" in errors[0] and "none.wav" in errors[1]


def test_files_do_not_hear_each_other(
    capsys: Capture, tiny_bundle: Path, recording: Path, tmp_path: Path
) -> None:
    """Neither the refractory period nor the front end goes over from one file to the next."""
    short = write_audio(tmp_path / "short.wav", with_bursts(1.0, [(0.0, "low tone")], noise=0.001))
    alone = run(capsys, "detect", short, "-m", tiny_bundle, "--json").records
    both = run(capsys, "detect", short, short, "-m", tiny_bundle, "--json").records
    assert both == alone + alone and len(alone) == 1


def test_thresholds(capsys: Capture, tiny_bundle: Path, recording: Path) -> None:
    for options, thresholds in (
        ((), {0.6}),
        (("--threshold", "0.7"), {0.7}),
        (("--false-alarms-per-hour", "2"), {0.5}),
        (("--false-alarms-per-hour", "1"), {0.55}),
    ):
        done = run(capsys, "detect", recording, "-m", tiny_bundle, "--json", *options)
        assert {r["threshold"] for r in done.records} == thresholds and done.err == ""


def test_a_target_that_the_hours_cannot_support_is_said(
    capsys: Capture, tiny_bundle: Path, recording: Path
) -> None:
    for target in ("0.1", "0.3"):
        done = run(capsys, "detect", recording, "-m", tiny_bundle, "--json",
                   "--false-alarms-per-hour", target)  # fmt: skip
        assert done.code == 0 and done.err.count("10 hours cannot support 0.1 per hour") == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--threshold", "0.5", "--false-alarms-per-hour", "1"], "not both"),
        (["--threshold", "1"], "threshold = 1, but it must be between 0 and 1"),
        (["--false-alarms-per-hour", "100"], "outside the range .* 0.1 to 2"),
        (["--false-alarms-per-hour", "nan"], "outside the range"),
        (["--threads", "0"], "--threads"),
        (["--threads", "100000"], "the cores here"),
        (["--encoding", "f32le"], "--rate"),
        (["--channels", "2"], "--rate"),
        (["--encoding", "s16"], "s16le"),
        (["--rate", "16000", "--channels", "0"], "channels = 0"),
        (["--rate", "1"], "1 Hz"),
        (["--rate", "8000"], "header says 16000 Hz, but 8000"),
        (["--model", ""], "unknown model ''"),
    ],
)
def test_bad_options(
    capsys: Capture, tiny_bundle: Path, recording: Path, options: list[str], message: str
) -> None:
    done = run(capsys, "detect", recording, "-m", tiny_bundle, *options)
    assert done.code == 2 and done.out == ""
    (error,) = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert re.search(message, error), error


def test_models_words_and_both(
    capsys: Capture, tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiny_bundle(tmp_path / "models" / "both", tiny_metadata("both"))
    load_tiny_bundle(tmp_path / "models" / "low", tiny_metadata("low", ["low tone"]))
    monkeypatch.setenv("WAKEWORD_MODELS", str(tmp_path / "models"))

    def heard(*models: str) -> list[tuple[str, str]]:
        options = [part for model in models for part in ("--model", model)]
        records = run(capsys, "detect", recording, "--json", *options).records
        return [(r["keyword"], r["model"]) for r in records]

    both = [(word, "both") for word in WORDS]
    assert heard("both") == heard("low tone", "high-tone") == both
    assert heard("high tone") == [("high tone", "both")]
    assert heard("low", "high tone") == [
        ("low tone", "low"), ("high tone", "both"), ("low tone", "low"),
    ]  # fmt: skip
    assert len(heard("both", "low")) == 5, "both were asked for by name"
