"""What a bundle is measured on: which recordings, what truth, which noise and how loud."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles import RATE, load_tiny_bundle, tiny_metadata, with_bursts
from numpy.typing import NDArray
from tone_manifest import HIGH, LOW, ToneManifest, tone_manifest

from wakeword.audio.files import read_audio
from wakeword.data.manifest import read_manifest
from wakeword.data.mixing import loudest_rms, rms
from wakeword.errors import ConfigError, EvaluationError
from wakeword.evaluation.conditions import Condition
from wakeword.evaluation.scoring import Clip
from wakeword.training.trials import TrialConfig, Trials

CONFIG = TrialConfig(noise_corpora=frozenset({"noise"}), talkers=4)
SILENCE = np.zeros(RATE, np.float32)


def trials(made: ToneManifest, *trained_on: str, config: TrialConfig = CONFIG) -> Trials:
    return Trials(read_manifest(made.save()), (LOW, HIGH), trained_on, config)


def audio(clip: Clip) -> NDArray[np.float32]:
    return np.concatenate(list(clip.blocks()))


@pytest.fixture
def made(tmp_path: Path) -> ToneManifest:
    return tone_manifest(tmp_path)


def test_only_what_the_bundle_has_not_heard_is_used(made: ToneManifest) -> None:
    made.add("train-known", SILENCE, "x", corpus="clips", split="train", speaker="a")
    made.add("train-unknown", SILENCE, "x", corpus="elsewhere", split="train", speaker="b")
    made.add("test-known", SILENCE, "x", corpus="clips", split="test", speaker="c")
    names = [clip.label.name for clip in trials(made, "clips", "talk", "noise").recorded()]
    assert "low-0.wav" in names and "train-unknown.wav" in names
    assert "train-known.wav" not in names and "test-known.wav" not in names


def test_a_clip_of_a_word_holds_it_anywhere_unless_the_manifest_says_where(
    made: ToneManifest,
) -> None:
    made.add("timed", SILENCE, LOW, times=(0.2, 0.6))
    labels = {clip.label.name: clip.label for clip in trials(made).recorded()}
    (whole,), (timed,) = labels["low-0.wav"].truths, labels["timed.wav"].truths
    assert (whole.word, whole.start_s, whole.end_s) == (LOW, 0.0, 1.5)
    assert (timed.start_s, timed.end_s) == (0.2, 0.6)


@pytest.mark.parametrize(
    ("text", "corpus", "unsure"),
    [
        ("say low tone now", "talk", {LOW}),
        ("say low tone and high tone", "talk", {LOW, HIGH}),
        ("a below tone", "talk", set()),
        ("", "talk", {LOW, HIGH}),
        ("", "noise", set()),
        (LOW, "talk", set()),
    ],
)
def test_no_alarm_is_called_false_where_the_word_may_be_said(
    made: ToneManifest, text: str, corpus: str, unsure: set[str]
) -> None:
    made.add("odd", SILENCE, text, corpus)
    made_trials = trials(made)
    (label,) = [c.label for c in made_trials.recorded() if c.label.name == "odd.wav"]
    assert label.unsure == unsure
    assert ("odd" in {r.path.stem for r in made_trials.left_out()}) == bool(unsure)


@pytest.mark.parametrize("snr_db", [10.0, 0.0, -5.0])
def test_noise_has_the_stated_level_and_surrounds_the_clip(
    made: ToneManifest, snr_db: float
) -> None:
    """The clip is known, so the noise is what is left of the mixture without it."""
    for clip in trials(made).mixed(Condition("noise", snr_db)):
        speech = np.pad(read_audio(made.folder / clip.label.name), RATE)
        mixed = audio(clip)
        noise = mixed - speech
        expected = loudest_rms(speech, RATE) / rms(noise)
        assert 20.0 * math.log10(expected) == pytest.approx(snr_db, abs=0.01)
        assert rms(noise[:RATE]) > 0.0
        (truth,) = clip.label.truths
        assert (truth.start_s, truth.end_s) == (1.0, 2.5)


def test_the_same_noise_at_every_snr_and_in_any_order(made: ToneManifest) -> None:
    first, again = trials(made), trials(made)
    at = {c.label.name: audio(c) for c in first.mixed(Condition("babble", 10.0))}
    low = {c.label.name: audio(c) for c in first.mixed(Condition("babble", 0.0))}
    for clip in reversed(list(again.mixed(Condition("babble", 10.0)))):
        assert np.array_equal(audio(clip), at[clip.label.name])
        speech = np.pad(read_audio(made.folder / clip.label.name), RATE)
        quiet, loud = at[clip.label.name] - speech, low[clip.label.name] - speech
        np.testing.assert_allclose(loud, quiet * 10 ** (10 / 20), atol=1e-4)
    other = trials(made, config=TrialConfig(CONFIG.noise_corpora, talkers=4, seed=2))
    assert not np.array_equal(
        audio(next(iter(other.mixed(Condition("babble", 10.0))))), at["low-0.wav"]
    )


def test_over_a_telephone_the_word_stays_where_it_is_and_the_high_band_goes(
    made: ToneManifest,
) -> None:
    def energies(sound: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.square(sound[: len(sound) // 160 * 160]).reshape(-1, 160).sum(1)

    rng = np.random.default_rng(0)
    hiss = with_bursts(1.5, [(0.4, LOW)]) + 0.02 * rng.standard_normal(24_000).astype(np.float32)
    made.add("hissing", hiss, LOW)
    line, again = (
        {c.label.name: c for c in trials(made).mixed(Condition("telephone"))} for _ in range(2)
    )
    assert set(line) == {c.label.name for c in trials(made).mixed(Condition("noise", 5.0))}
    name = "hissing.wav"
    heard, said = audio(line[name]), np.pad(read_audio(made.folder / name), RATE)
    assert len(heard) == len(said) and np.array_equal(heard, audio(again[name]))
    power = np.square(np.abs(np.fft.rfft(np.stack([heard, said]))))
    high = power[:, power.shape[1] * 9 // 16 :].sum(1) / power.sum(1)
    assert high[0] < 0.1 * high[1]
    assert np.corrcoef(energies(heard), energies(said))[0, 1] > 0.9
    offset = line[name].label.truths[0].start_s - trials(made).label(
        next(r for r in trials(made).recordings if r.path.name == name)
    ).truths[0].start_s
    assert offset == 1.0
    assert trials(made).mixed_seconds(Condition("telephone")) == pytest.approx(
        sum(len(audio(c)) for c in line.values()) / RATE
    )


def test_the_line_has_no_levels_and_no_rooms(made: ToneManifest) -> None:
    found = trials(made).conditions([5.0, 10.0], ["telephone", "noise"])
    names = ("clean", "over a telephone", "noise at 10 dB SNR", "noise at 5 dB SNR")
    assert tuple(c.name for c in found) == names


def test_a_mixture_never_clips(made: ToneManifest) -> None:
    made.add("loud", with_bursts(1.0, [(0.3, LOW)]) / 0.3, LOW)
    for clip in trials(made).mixed(Condition("noise", -20.0)):
        assert np.abs(audio(clip)).max() <= 1.0


def test_seconds_are_those_of_the_streams(made: ToneManifest) -> None:
    made_trials = trials(made)
    mixed = [audio(c) for c in made_trials.mixed(Condition("noise", 5.0))]
    seconds = made_trials.mixed_seconds(Condition("noise", 5.0))
    assert seconds == pytest.approx(sum(map(len, mixed)) / RATE)
    recorded = [audio(c) for c in made_trials.recorded()]
    assert made_trials.seconds == pytest.approx(sum(map(len, recorded)) / RATE)
    assert made_trials.clips_of == {LOW: 4, HIGH: 4}


def test_what_is_missing_is_named(made: ToneManifest) -> None:
    with pytest.raises(EvaluationError, match="split 'test'"):
        trials(made, "clips", "talk", "noise", config=TrialConfig(frozenset(), split="test"))
    no_noise = trials(made, config=TrialConfig(frozenset({"rain"})))
    with pytest.raises(EvaluationError, match=r"nothing of the noise corpora \(rain\)"):
        list(no_noise.mixed(Condition("noise", 5.0)))
    many = trials(made, config=TrialConfig(CONFIG.noise_corpora, talkers=9))
    with pytest.raises(EvaluationError, match=r"9 talkers .* there are 8"):
        list(many.mixed(Condition("babble", 5.0)))


@pytest.mark.parametrize("snr_db", [math.nan, math.inf, 99.0])
def test_impossible_snrs_are_refused(snr_db: float) -> None:
    with pytest.raises(ConfigError, match="SNR"):
        Condition("noise", snr_db)


def test_conditions_have_names() -> None:
    assert Condition("clean").name == "clean"
    assert Condition("babble", 5.0).name == "babble at 5 dB SNR"


def test_several_bundles_are_measured_on_what_none_of_them_has_heard(
    made: ToneManifest, tmp_path: Path
) -> None:
    made.add("train-clips", SILENCE, "x", corpus="clips", split="train", speaker="a")
    made.add("train-talk", SILENCE, "x", corpus="talk", split="train", speaker="b")
    made.add("train-noise", SILENCE, "x", corpus="noise", split="train", speaker="")
    source = tiny_metadata().training.data[0]
    bundles = [
        load_tiny_bundle(
            tmp_path / corpus,
            tiny_metadata(
                words=[word],
                training=replace(tiny_metadata().training, data=(replace(source, corpus=corpus),)),
            ),
        )
        for corpus, word in (("clips", LOW), ("talk", HIGH))
    ]
    found = Trials.of_bundles(bundles, read_manifest(made.save()), CONFIG)
    assert found.words == (LOW, HIGH)
    train = {r.path.stem for r in found.recordings if r.split == "train"}
    assert train == {"train-noise"}
    telephone = replace(tiny_metadata().frontend, sample_rate=8000, f_max_hz=3800.0)
    slow = load_tiny_bundle(tmp_path / "slow", tiny_metadata(frontend=telephone))
    with pytest.raises(EvaluationError, match="hear at 8000 and 16000 Hz"):
        Trials.of_bundles([*bundles, slow], read_manifest(made.path), CONFIG)


SEVEN = ("alexa", "athena", "computer", "jarvis", "smart mirror", "snowboy", "view glass")
NOISE = frozenset({"kitchen20", "esc10", "moodist", "noisekun", "opensurge", "scbg"})


@pytest.mark.shared
def test_the_shared_recordings(shared_data: Path) -> None:
    """Telephone speech was not trained on: all of it is used, except where it says "computer"."""
    manifest = read_manifest(shared_data / "manifest.csv")
    heard = {r.corpus for r in manifest} - {"wuw2"}
    made_trials = Trials(manifest, SEVEN, heard, TrialConfig(NOISE))
    assert made_trials.clips_of == {
        "alexa": 41, "athena": 47, "computer": 62, "jarvis": 48, "smart mirror": 55,
        "snowboy": 56, "view glass": 57,
    }  # fmt: skip
    splits = {(r.corpus == "wuw2", r.split) for r in made_trials.recordings}
    assert splits == {(False, "dev"), (True, "dev"), (True, "train")}
    said = [r for r in made_trials.recordings if r.corpus == "wuw2" and r.says("computer")]
    assert len(said) > 5
    assert all(made_trials.label(r).unsure == {"computer"} for r in said)
    for kind in ("noise", "babble"):
        clip = next(iter(made_trials.mixed(Condition(kind, 5.0))))
        samples = audio(clip)
        assert np.isfinite(samples).all() and 0.0 < np.abs(samples).max() <= 1.0
