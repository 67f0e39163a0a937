"""Mining recordings: segments are one stream, a stopped run goes on, nothing is scored twice."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bundles import RATE, TONES_HZ, with_bursts
from tone_manifest import write_wav

from wakeword.data.manifest import Recording
from wakeword.errors import AudioError, ConfigError, ManifestError
from wakeword.evaluation.events import Label
from wakeword.evaluation.scoring import Clip, score_clips
from wakeword.runtime import Bundle
from wakeword.training.hard_negatives.found import Peak
from wakeword.training.hard_negatives.hunt import hunt
from wakeword.training.hard_negatives.journal import Journal, run_key
from wakeword.training.hard_negatives.recordings import find_audio
from wakeword.training.hard_negatives.segments import Cut, segments
from wakeword.training.hard_negatives.writing import cut_out

LOW, HIGH = TONES_HZ


@pytest.fixture(scope="module")
def bundle(tiny_bundle: Path) -> Bundle:
    return Bundle.load(tiny_bundle)


@pytest.fixture
def cut(bundle: Bundle) -> Cut:
    return Cut.of(bundle, segment_s=8.0, lead_s=6.0)


def recordings(folder: Path, lengths_s: tuple[float, ...] = (30.0, 7.0, 17.3)) -> list[Recording]:
    """Noise with a burst every four seconds, one of them over the border of a segment."""
    for i, seconds in enumerate(lengths_s):
        times = np.arange(1.0, seconds - 0.5, 4.0)
        bursts = [(float(t) + 0.7 * (t == 5.0), (LOW, HIGH)[k % 2]) for k, t in enumerate(times)]
        samples = with_bursts(seconds, bursts, noise=0.003)
        write_wav(folder / f"{i}.wav", samples)
    return list(find_audio([folder], ["alpha"], "train").recordings)


def mined(
    bundle: Bundle,
    folder: Path,
    audio: list[Recording],
    cut: Cut,
    progress: Callable[[float], None] | None = None,
) -> list[Peak]:
    failures: list[AudioError] = []
    with Journal(folder, run_key(bundle, bundle.words, cut)) as journal:
        hunt(bundle, audio, bundle.words, journal, cut, workers=1, progress=progress,
             unreadable=failures.append)  # fmt: skip
        assert not failures
        return list(journal.peaks(audio))


def plain(peaks: list[Peak]) -> list[tuple[str, str, float, int, bytes]]:
    return [(p.path.name, p.word, p.score, p.end, p.sound.tobytes()) for p in peaks]


def test_segments_are_the_recording_in_order(tmp_path: Path, cut: Cut) -> None:
    for recording in recordings(tmp_path, (30.0, 7.0, 16.0, 16.05, 16.2)):
        pieces = list(segments(recording, cut))
        whole = np.concatenate([p.samples[p.lead :] for p in pieces])
        (track,) = [np.concatenate(list(cut_all(recording)))]
        assert np.array_equal(whole, track)
        assert [p.last for p in pieces] == [False] * (len(pieces) - 1) + [True]
        for i, piece in enumerate(pieces):
            assert piece.number == i and piece.start == i * cut.segment
            assert piece.lead == min(piece.start, cut.lead)
            assert np.array_equal(piece.samples[: piece.lead],
                                  whole[piece.start - piece.lead : piece.start])  # fmt: skip
        kept = [p.number for p in segments(recording, cut, done={0, 2})]
        assert kept == [p.number for p in pieces if p.number not in (0, 2)]


def cut_all(recording: Recording) -> list[np.ndarray]:
    from wakeword.audio.files import read_blocks

    return list(read_blocks(recording.path))


def test_a_segment_scores_as_the_stream_does(bundle: Bundle, tmp_path: Path, cut: Cut) -> None:
    recording = recordings(tmp_path)[0]
    pieces = list(segments(recording, cut))
    clips = [Clip.of(Label(str(p.number)), p.samples) for p in pieces]
    whole = np.concatenate(cut_all(recording))
    stream, *tracks = score_clips(bundle, [Clip.of(Label("whole"), whole), *clips])
    for piece, track in zip(pieces, tracks, strict=True):
        inside = track.posteriors[piece.lead // cut.step : track.scored_steps]
        first = piece.start // cut.step
        np.testing.assert_allclose(
            inside, stream.posteriors[first : first + len(inside)], atol=1e-3
        )


def test_every_burst_is_found_where_it_is(bundle: Bundle, tmp_path: Path, cut: Cut) -> None:
    audio = recordings(tmp_path / "audio", (30.0,))
    peaks = [p for p in mined(bundle, tmp_path / "out", audio, cut) if p.score > 0.5]
    ends = sorted(p.end / RATE for p in peaks)
    bursts = [1.0, 5.7, 9.0, 13.0, 17.0, 21.0, 25.0, 29.0]
    assert len(ends) == len(bursts)
    assert all(0.2 <= end - at <= 1.0 for end, at in zip(ends, bursts, strict=True))
    by_end = sorted(peaks, key=lambda p: p.end)
    assert [p.word for p in by_end] == [(LOW, HIGH)[i % 2] for i in range(8)]


@pytest.mark.parametrize("after", [1, 3, 6])
def test_a_stopped_run_goes_on_and_scores_nothing_twice(
    bundle: Bundle, tmp_path: Path, cut: Cut, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wakeword.evaluation.scoring.STREAMS", 1)
    audio = recordings(tmp_path / "audio")
    wanted = plain(mined(bundle, tmp_path / "whole", audio, cut))
    calls = 0

    def stop(_: float) -> None:
        nonlocal calls
        calls += 1
        if calls == after:
            raise KeyboardInterrupt

    out = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        mined(bundle, out, audio, cut, stop)
    journal = out / "scored.jsonl"
    lines = journal.read_text().splitlines()
    journal.write_bytes(journal.read_bytes() + b'{"path": "tor')  # killed while it wrote
    assert plain(mined(bundle, out, audio, cut)) == wanted
    after_all = journal.read_text().splitlines()
    assert after_all[: len(lines)] == lines
    assert len(after_all) == len((tmp_path / "whole" / "scored.jsonl").read_text().splitlines())
    done: list[float] = []
    assert plain(mined(bundle, out, audio, cut, done.append)) == wanted
    assert not done, "nothing is left to score"


def test_a_recording_that_changed_is_scored_anew(bundle: Bundle, tmp_path: Path, cut: Cut) -> None:
    audio = recordings(tmp_path / "audio", (7.0,))
    assert mined(bundle, tmp_path / "out", audio, cut)
    write_wav(audio[0].path, np.zeros(6 * RATE, np.float32))
    assert not mined(bundle, tmp_path / "out", audio, cut)


def test_journals_of_other_runs_and_damaged_ones_are_refused(
    bundle: Bundle, tmp_path: Path, cut: Cut
) -> None:
    audio = recordings(tmp_path / "audio", (7.0,))
    mined(bundle, tmp_path / "out", audio, cut)
    path = tmp_path / "out" / "scored.jsonl"
    whole = path.read_text()
    with pytest.raises(ConfigError, match="another model, other words"):
        Journal(tmp_path / "out", run_key(bundle, [LOW], cut))
    key = run_key(bundle, bundle.words, cut)
    head, line = whole.splitlines()
    wrong = ["", "nonsense\n", f"{head}\nnonsense\n{line}\n", f"{head}\n{{}}\n",
             f"{head}\n" + line.replace('"peaks": [[', '"peaks": [[1, ') + "\n"]  # fmt: skip
    for text in wrong:
        path.write_text(text)
        with pytest.raises(ConfigError, match=r"scored\.jsonl"):
            Journal(tmp_path / "out", key)
        assert path.read_text() == text


def test_a_recording_that_cannot_be_read_does_not_stop_the_others(
    bundle: Bundle, tmp_path: Path, cut: Cut
) -> None:
    audio = recordings(tmp_path / "audio", (7.0, 20.0))
    data = audio[1].path.read_bytes()
    audio[1].path.write_bytes(data[: len(data) // 2])
    (tmp_path / "audio" / "no.wav").write_bytes(b"no sound")
    audio = list(find_audio([tmp_path / "audio"], [], "train").recordings)
    failed: list[AudioError] = []
    with Journal(tmp_path / "out", run_key(bundle, bundle.words, cut)) as journal:
        hunt(bundle, audio, bundle.words, journal, cut, unreadable=failed.append)
        assert [journal.ended(r) for r in audio] == [True, False, False]
        assert journal.scored_samples(audio[1]) == cut.segment, "what is whole of it is kept"
    assert sorted(os.path.basename(str(e).split(":")[0]) for e in failed) == ["1.wav", "no.wav"]


def test_audio_is_found_below_folders_and_once(tmp_path: Path) -> None:
    for name in ("a.wav", "deep/er/b.FLAC", "deep/notes.txt", "c.bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    audio = find_audio([tmp_path, tmp_path / "a.wav", tmp_path / "c.bin"], [], "dev")
    assert [r.path.name for r in audio.recordings] == ["a.wav", "b.FLAC", "c.bin"]
    assert {(r.corpus, r.split, r.text) for r in audio.recordings} == {("mined", "dev", "")}
    assert audio.seconds is None
    for paths, says in (([tmp_path / "none"], "no such file"), ([tmp_path / "none.csv"], "read")):
        with pytest.raises(ManifestError, match=says):
            find_audio(paths, [], "dev")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ManifestError, match="no recording to mine"):
        find_audio([tmp_path / "empty"], [], "dev")


def test_stretches_are_cut_out_in_one_pass() -> None:
    samples = np.arange(100, dtype=np.float32)
    blocks = iter(np.split(samples, [7, 30, 55]))
    first, second, beyond = cut_out(blocks, [(5, 35), (0, 3), (50, 54)])
    assert np.array_equal(first, samples[5:35]) and np.array_equal(second, samples[:3])
    assert np.array_equal(beyond, samples[50:54])
    assert len(list(blocks)) == 1, "no more is read than is needed"
    assert len(cut_out([samples], [(90, 200), (200, 300)])[0]) == 10
