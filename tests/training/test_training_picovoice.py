"""The benchmark on real files with the tiny bundle: what goes into a stream, and what comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import RATE, load_tiny_bundle, tiny_metadata, with_bursts
from tone_manifest import HIGH, LOW, SENTENCE, ToneManifest, tone_manifest

from wakeword.data.manifest import read_manifest
from wakeword.data.picovoice_plan import Kind, StreamConfig
from wakeword.data.picovoice_sounds import SoundCache, measure_lengths
from wakeword.data.picovoice_stream import StreamMaker
from wakeword.errors import ConfigError, EvaluationError
from wakeword.evaluation.picovoice_result import ProtocolResult
from wakeword.runtime import Bundle
from wakeword.training.picovoice import Protocol, choose_ingredients, content, run_protocol
from wakeword.training.picovoice_scoring import KeptScores, score_stream
from wakeword.training.trials import TrialConfig, Trials

SHA = "0" * 64


def no_stage(name: str, total: float, unit: str = "s") -> Callable[[float], None]:
    return lambda amount: None


def open_trials(made: ToneManifest, noise: str = "noise") -> Trials:
    config = TrialConfig(noise_corpora=frozenset({noise}))
    return Trials(read_manifest(made.save()), (LOW, HIGH), ["sine"], config)


@pytest.fixture
def made(tmp_path: Path) -> ToneManifest:
    return tone_manifest(tmp_path / "recordings")


@pytest.fixture
def bundle(tiny_bundle: Path) -> Bundle:
    return Bundle.load(tiny_bundle)


def run(bundle: Bundle, made: ToneManifest, **changes: object) -> ProtocolResult:
    settings: dict[str, Any] = {"stream": StreamConfig(hours=0.02, snr_db=20.0), **changes}
    protocol = Protocol(**settings)
    return run_protocol(bundle, open_trials(made), SHA, protocol, no_stage)


def test_sentences_that_hold_the_word_are_left_out_and_so_are_unknown_ones(
    made: ToneManifest,
) -> None:
    """Whole words in any case, as transcripts have them; the other word's sentences stay."""
    noise = np.full(RATE, 0.01, np.float32)
    for name, text in (
        ("says", f"he said {LOW.upper()} twice"), ("punctuated", f"the '{LOW}', please"),
        ("alike", f"{LOW}s are not the word"), ("other", f"a {HIGH} rang"), ("unknown", ""),
        ("single", "rang"),
    ):  # fmt: skip
        made.add(name, noise, text, "talk", speaker=name)
    chosen = choose_ingredients(open_trials(made), LOW, ())
    names = {r.path.stem for r in chosen.speech} - {f"talk-{i}" for i in range(8)}
    assert names == {"alike", "other"}
    assert {r.path.stem for r in chosen.keywords} == {f"low-{i}" for i in range(4)}
    assert {r.path.stem for r in chosen.noise} == {f"noise-{i}" for i in range(3)}
    named = choose_ingredients(open_trials(made), LOW, {"talk"})
    assert {r.path.stem for r in named.speech} >= {"single", "other"}
    assert not {r.path.stem for r in named.speech} & {"says", "punctuated", "unknown"}


@pytest.mark.parametrize("stretches", [2, 7])
def test_stretches_score_as_the_stream_in_one_go(
    bundle: Bundle, made: ToneManifest, stretches: int
) -> None:
    chosen, cache = choose_ingredients(open_trials(made), LOW, ()), SoundCache(RATE)
    lengths = measure_lengths([chosen], cache)
    maker = StreamMaker(chosen, lengths, StreamConfig(hours=0.02), cache)
    gain, _ = maker.survey()
    whole = score_stream(bundle, maker, gain, stretches=1)
    assert whole.max() > 0.9
    assert len(whole) == -(-maker.plan.samples // 1_600) + 5  # half a second of silence at the end
    parts = score_stream(bundle, maker, gain, stretches=stretches)
    assert parts.shape == whole.shape
    assert np.abs(parts - whole).max() < 1e-5


def test_words_are_heard_and_nothing_else(bundle: Bundle, made: ToneManifest) -> None:
    result = run(bundle, made)
    assert [w.word for w in result.words] == [LOW, HIGH]
    for word in result.words:
        assert word.chosen is not None and word.shipped is not None
        assert (word.chosen.misses.missed, word.chosen.misses.clips) == (0, 4)
        assert word.shipped.threshold == pytest.approx(0.8)
        assert word.chosen.rate.alarms == 0 and word.chosen.rate.hours < word.content.hours
        assert word.content.hours > 0.02
        assert {u.name for u in word.utterances} == {
            f"{word.word.split()[0]}-{i}.wav" for i in range(4)
        }


def test_what_a_stream_holds_is_said(made: ToneManifest) -> None:
    """Eight talks of 3 s and three noises of 4 s: more is never different, however many hours."""
    chosen, cache = choose_ingredients(open_trials(made), LOW, ()), SoundCache(RATE)
    lengths = measure_lengths([chosen], cache)
    maker = StreamMaker(chosen, lengths, StreamConfig(hours=1.0), cache)
    holds = content(maker, lengths)
    assert holds.distinct_speech_hours == pytest.approx(8 * 3.0 / 3600)
    assert holds.distinct_noise_hours == pytest.approx(3 * 4.0 / 3600, rel=0.02)
    assert holds.spoken_segments == len(maker.plan.indices(Kind.SPEECH))
    assert holds.spoken_hours == pytest.approx(holds.spoken_segments * 3.0 / 3600)
    assert 0.15 < holds.spoken_hours / holds.hours < 0.25


def test_a_word_in_the_speech_alarms_and_the_recording_is_named(
    bundle: Bundle, made: ToneManifest
) -> None:
    """A sentence with the sound of the word that its transcript does not own up to."""
    liar = 0.1 * with_bursts(3.0, [(1.0, LOW)], noise=0.002)
    made.rows = [r for r in made.rows if r["corpus"] != "talk"]
    made.add("liar", liar, SENTENCE, "talk", speaker="t")
    low, high = run(bundle, made).words
    assert low.shipped is not None and high.shipped is not None
    alarms = low.shipped.alarms
    assert len(alarms) == low.content.spoken_segments > 0
    assert {(a.recording, a.is_speech) for a in alarms} == {("liar.wav", True)}
    assert low.shipped.distinct.alarms == 1
    assert high.shipped.alarms == ()


def test_a_run_goes_on_from_kept_scores_and_takes_no_others(
    bundle: Bundle, made: ToneManifest, tmp_path: Path
) -> None:
    folder = tmp_path / "scores"
    first = run(bundle, made, scores=folder)
    kept = sorted(folder.iterdir())
    assert [p.name.rsplit("-", 1)[0] for p in kept] == ["high-tone", "low-tone"]
    stamps = [p.stat().st_mtime_ns for p in kept]
    again = run(bundle, made, scores=folder)
    assert [p.stat().st_mtime_ns for p in kept] == stamps
    assert [w.chosen for w in again.words] == [w.chosen for w in first.words]
    with np.load(kept[1]) as stored:
        steps = len(stored["scores"])
    for wrong, is_taken in ((np.zeros(steps, np.float32), True), (np.zeros(30), False)):
        np.savez(kept[1], scores=wrong)
        (low,) = run(bundle, made, words=(LOW,), scores=folder).words
        assert (low.chosen != first.words[0].chosen) == is_taken
    kept[1].write_bytes(b"damaged")
    assert run(bundle, made, words=(LOW,), scores=folder).words[0].chosen == first.words[0].chosen
    run(bundle, made, words=(LOW,), scores=folder, stream=StreamConfig(hours=0.02, seed=2))
    assert len(list(folder.iterdir())) == 3


def test_scores_are_kept_by_model_front_end_and_recordings(
    bundle: Bundle, made: ToneManifest, tmp_path: Path
) -> None:
    trials, config = open_trials(made), StreamConfig(hours=0.01)
    chosen, cache = choose_ingredients(trials, LOW, ()), SoundCache(RATE)
    maker = StreamMaker(chosen, measure_lengths([chosen], cache), config, cache)
    scores = np.zeros(maker.plan.samples // 1_600, np.float32)
    KeptScores(tmp_path / "s", bundle, trials, SHA).save(maker, config, scores)
    assert KeptScores(tmp_path / "s", bundle, trials, SHA).load(maker, config) is not None
    assert KeptScores(tmp_path / "s", bundle, trials, "1" * 64).load(maker, config) is None
    smoother = type(bundle.metadata.smoother)(steps=2)
    other = load_tiny_bundle(tmp_path / "other", tiny_metadata(smoother=smoother))
    assert KeptScores(tmp_path / "s", other, trials, SHA).load(maker, config) is None
    assert KeptScores(None, bundle, trials, SHA).load(maker, config) is None


def test_what_is_lacking_is_said(bundle: Bundle, made: ToneManifest) -> None:
    trials = open_trials(made)
    with pytest.raises(EvaluationError, match=r"'low tone': .* no speech .*corpora: nowhere"):
        choose_ingredients(trials, LOW, {"nowhere"})
    with pytest.raises(EvaluationError, match=r"no noise \(corpora: nowhere\)"):
        choose_ingredients(open_trials(made, "nowhere"), LOW, ())
    with pytest.raises(ConfigError, match="'bell' is not a word of tiny; it hears: low tone, high"):
        run(bundle, made, words=("bell",))
    with pytest.raises(ConfigError, match="target of 0 false alarms"):
        Protocol(target_fa_per_hour=0)
    made.rows = [r for r in made.rows if r["text"] not in (LOW, HIGH)]
    with pytest.raises(EvaluationError, match="no clip of it"):
        choose_ingredients(open_trials(made), LOW, ())
    with pytest.raises(EvaluationError, match="no clip of any word: low tone, high tone"):
        run(bundle, made)


@pytest.mark.shared
def test_no_real_sentence_that_holds_a_word_comes_into_its_stream(shared_data: Path) -> None:
    """By plain text search, against every transcript of the shared manifest."""
    manifest = read_manifest(shared_data / "manifest.csv")
    words = ("computer", "view", "glass")  # these do occur
    trials = Trials(manifest, words, ["picovoice"], TrialConfig(frozenset({"kitchen20"})))
    for word in ("computer", "view", "glass"):
        said = [f" {r.text} " for r in trials.recordings if " " in r.text]
        assert any(f" {word} " in text for text in said)
        clip = replace(trials.recordings[0], text=word, corpus="made")
        trials.recordings.append(clip)
        chosen = choose_ingredients(trials, word, ())
        assert chosen.keywords[-1] == clip
        assert len(chosen.speech) > 100
        assert not [r for r in chosen.speech if f" {word} " in f" {r.text} " or not r.text]
