"""Words inside sentences are found where the manifest says, and counted by themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bundles import RATE, with_bursts
from tone_manifest import HIGH, LOW, SENTENCE, ToneManifest, tone_manifest

from wakeword.data.manifest import read_manifest
from wakeword.evaluation.conditions import Condition
from wakeword.evaluation.events import Truth
from wakeword.evaluation.measurement import evaluate
from wakeword.runtime import Bundle
from wakeword.training.measuring import score_trials
from wakeword.training.trials import TrialConfig, Trials

CONFIG = TrialConfig(noise_corpora=frozenset({"noise"}), talkers=4)
AT_S = (2.0, 2.4)
INSIDE = "please say low tone to me"


@pytest.fixture
def made(tmp_path: Path) -> ToneManifest:
    """Five clips of each word, and two sentences with a low tone; one of them has its times."""
    manifest = tone_manifest(tmp_path, clips=5)
    for name, times in (("timed", AT_S), ("open", None)):
        samples = 0.1 * with_bursts(4.0, [(AT_S[0], LOW)], noise=0.002)
        manifest.add(name, samples, INSIDE, times=times)
    manifest.save()
    return manifest


def trials(made: ToneManifest, excluded: tuple[str, ...] = ()) -> Trials:
    return Trials(read_manifest(made.path), (LOW, HIGH), (), CONFIG, RATE, excluded)


def test_a_sentence_with_times_is_a_truth_and_one_without_is_unsure(made: ToneManifest) -> None:
    labels = {c.label.name: c.label for c in trials(made).recorded()}
    timed, unknown = labels["timed.wav"], labels["open.wav"]
    assert timed.truths == (Truth(LOW, *AT_S),) and timed.in_sentence and not timed.unsure
    assert unknown.truths == () and unknown.unsure == {LOW} and not unknown.in_sentence
    assert not labels["low-0.wav"].in_sentence and not labels["talk-0.wav"].in_sentence


def test_sentences_are_a_condition_of_their_own_and_not_mixed_with_anything(
    made: ToneManifest, tiny_bundle: Path
) -> None:
    listed = trials(made)
    conditions = listed.conditions([5.0])
    assert [c.name for c in conditions] == [
        "clean", "in sentences", "noise at 5 dB SNR", "babble at 5 dB SNR"
    ]  # fmt: skip
    bundle = Bundle.load(tiny_bundle)
    scored = score_trials(bundle, listed, conditions[:3], lambda *_: lambda done: None)
    names = {c: [t.label.name for t in ts] for c, ts in scored.by_condition.items()}
    assert names["in sentences"] == ["timed.wav"]
    assert len(names["clean"]) == len(names["noise at 5 dB SNR"]) == 10
    assert not {"timed.wav", "open.wav"} & {*names["clean"], *names["noise at 5 dB SNR"]}
    result = evaluate(bundle, scored.recorded, scored.by_condition, scored.rules)
    (found,) = [
        o for o in result.outcomes if o.condition == "in sentences" and o.basis == "shipped"
    ]
    assert not found.missed and found.word == LOW
    assert AT_S[0] <= found.time_s <= AT_S[1] + scored.rules.tolerance_s + 0.1


def test_without_sentences_there_is_no_such_condition(tmp_path: Path) -> None:
    manifest = tone_manifest(tmp_path)
    assert Condition("sentence") not in trials(manifest).conditions([5.0])


def test_a_recipe_that_excludes_recordings_keeps_them_out_of_its_figures(
    made: ToneManifest,
) -> None:
    whole, part = trials(made), trials(made, ("timed.wav", "talk-[01].wav", "elsewhere/*.wav"))
    assert part.excluded == 3 and whole.excluded == 0
    gone = {r.path.name for r in whole.recordings} - {r.path.name for r in part.recordings}
    assert gone == {"timed.wav", "talk-0.wav", "talk-1.wav"}


def test_recordings_are_read_at_the_rate_of_the_model(made: ToneManifest) -> None:
    half = Trials(read_manifest(made.path), (LOW, HIGH), (), CONFIG, RATE // 2)
    clip = next(c for c in half.recorded() if c.label.name == "timed.wav")
    assert len(np.concatenate(list(clip.blocks()))) == 4 * RATE // 2
    mixed = next(c for c in half.mixed(Condition("noise", 5.0)) if c.label.name == "low-0.wav")
    assert len(np.concatenate(list(mixed.blocks()))) == round(3.5 * RATE / 2)
    assert SENTENCE in {r.text for r in half.recordings}
