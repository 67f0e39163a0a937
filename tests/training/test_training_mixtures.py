"""Clips at a distance: the same room and noise at every distance and SNR, times in place."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bundles import RATE
from numpy.typing import NDArray
from tone_manifest import HIGH, LOW, ToneManifest, tone_manifest

from wakeword.audio.files import read_audio
from wakeword.data.manifest import read_manifest
from wakeword.data.mixing import loudest_rms, rms
from wakeword.data.rooms import simulate_distances
from wakeword.errors import ConfigError, EvaluationError
from wakeword.evaluation.conditions import Condition, Kind
from wakeword.training.trials import TrialConfig, Trials

DISTANCES_M = (0.5, 3.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ToneManifest:
    return tone_manifest(tmp_path_factory.mktemp("recordings"), clips=1)


@pytest.fixture(scope="module")
def trials(made: ToneManifest) -> Trials:
    config = TrialConfig(frozenset({"noise"}), rooms=2)
    found = Trials(read_manifest(made.path), (LOW, HIGH), (), config)
    told: list[float] = []
    found.simulate_rooms(DISTANCES_M, told.append)
    assert told == [1, 1]
    return found


def audio(trials: Trials, condition: Condition) -> dict[str, NDArray[np.float32]]:
    return {c.label.name: np.concatenate(list(c.blocks())) for c in trials.mixed(condition)}


def test_a_distance_is_a_convolution_with_one_of_the_rooms(
    made: ToneManifest, trials: Trials
) -> None:
    rooms = simulate_distances(DISTANCES_M, 2, 1)
    used = {}
    for number, distance_m in enumerate(DISTANCES_M):
        for name, heard in audio(trials, Condition("clean", distance_m=distance_m)).items():
            clip = read_audio(made.folder / name)
            expected = [np.convolve(clip, room[number]) for room in rooms]
            errors = [np.abs(heard[: len(e)] - e[: len(heard)]).max() for e in expected]
            assert min(errors) < 1e-5
            used.setdefault(name, set()).add(int(np.argmin(errors)))
    assert all(len(indices) == 1 for indices in used.values()), "another room farther away"


def test_noise_at_a_distance_has_its_snr_at_the_microphone(trials: Trials) -> None:
    near = audio(trials, Condition("clean", distance_m=3.0))
    far = audio(trials, Condition("noise", 5.0, 3.0))
    for clip in trials.mixed(Condition("noise", 5.0, 3.0)):
        speech = np.pad(near[clip.label.name], RATE)
        noise = far[clip.label.name] - speech
        snr_db = 20.0 * np.log10(loudest_rms(speech, RATE) / rms(noise))
        assert snr_db == pytest.approx(5.0, abs=0.01)
        (truth,) = clip.label.truths
        assert (truth.start_s, truth.end_s) == (1.0, 2.5)


@pytest.mark.parametrize("kind", ["clean", "noise"])
def test_seconds_are_those_of_the_streams(trials: Trials, kind: Kind) -> None:
    condition = Condition(kind, 5.0 if kind == "noise" else math.inf, 3.0)
    heard = audio(trials, condition).values()
    assert trials.mixed_seconds(condition) == pytest.approx(sum(map(len, heard)) / RATE)


def test_conditions_at_a_distance_follow_those_near_by(trials: Trials) -> None:
    names = [c.name for c in trials.conditions((5.0,))]
    assert names == [
        "clean", "noise at 5 dB SNR", "babble at 5 dB SNR",
        "clean, 0.5 m away", "noise at 5 dB SNR, 0.5 m away",
        "clean, 3 m away", "noise at 5 dB SNR, 3 m away",
    ]  # fmt: skip
    assert Condition("noise", 5.0, 3.0).mixture == "noise at 5 dB SNR"
    assert Condition("clean").as_recorded and not Condition("clean", distance_m=1.0).as_recorded


def test_distances_without_rooms_are_refused(trials: Trials) -> None:
    with pytest.raises(EvaluationError, match="no rooms were simulated for 2 m"):
        list(trials.mixed(Condition("clean", distance_m=2.0)))


@pytest.mark.parametrize("distance_m", [0.0, -1.0, 11.0, float("nan")])
def test_impossible_distances_are_refused(trials: Trials, distance_m: float) -> None:
    with pytest.raises(ConfigError, match=r"must be from 0\.1 to 10 m"):
        trials.simulate_rooms((1.0, distance_m))


def test_the_direct_sound_weakens_and_the_rest_does_not(trials: Trials) -> None:
    """Farther away, less of the energy comes first: the law of simulated and real rooms."""
    for near, far in simulate_distances((0.5, 4.0), 3, 5):
        direct = [np.square(r[: RATE // 200]).sum() for r in (near, far)]
        assert direct[0] > direct[1]
        assert np.square(far, dtype=np.float64).sum() == pytest.approx(1.0, rel=1e-5)


def test_the_noise_that_is_named_is_what_is_left_without_the_clip(
    made: ToneManifest, trials: Trials
) -> None:
    for clip in trials.mixed(Condition("noise", 0.0)):
        (recording,) = [r for r in trials.recordings if r.path.name == clip.label.name]
        (named,) = trials.mixed_in(recording, Condition("noise", 0.0))
        left = np.concatenate(list(clip.blocks())) - np.pad(read_audio(recording.path), RATE)
        for noise in (r for r in trials.recordings if r.corpus == "noise"):
            samples = read_audio(noise.path)
            at = np.abs(np.correlate(samples, left, "valid")).argmax()
            alike = np.corrcoef(samples[at : at + len(left)], left)[0, 1]
            assert alike > 0.999 if noise == named else alike < 0.1


def test_the_talkers_of_babble_are_told_and_nothing_of_what_is_clean(trials: Trials) -> None:
    recording = next(r for r in trials.recordings if r.text == LOW)
    talkers = trials.mixed_in(recording, Condition("babble", 0.0))
    assert len({r.path for r in talkers}) == trials.config.talkers
    assert all(r.corpus == "talk" for r in talkers)
    assert trials.mixed_in(recording, Condition("clean")) == ()
    assert trials.mixed_in(recording, Condition("clean", distance_m=0.5)) == ()
