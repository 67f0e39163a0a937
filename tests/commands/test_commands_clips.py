"""Clips of a command set: who is in which class, augmentation, epochs, what is measured on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from command_corpus import RATE, command_corpus, command_manifest
from hypothesis import given
from hypothesis import strategies as st

from wakeword.data.commands.clips import collect_commands, fit_clip
from wakeword.data.commands.maker import CommandMaker
from wakeword.data.commands.protocol import CommandsConfig
from wakeword.data.commands.trials import CommandTrials
from wakeword.data.manifest import read_manifest
from wakeword.data.sources import Kinds
from wakeword.errors import EvaluationError, ManifestError

KINDS = Kinds(frozenset({"hum"}), frozenset(), frozenset())
WORDS = ("low", "high")
PLAIN = CommandsConfig(background=0.0, shift_s=0.0)


@pytest.fixture(scope="module")
def manifest_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return command_manifest(tmp_path_factory.mktemp("commands"))


def maker(config: CommandsConfig, seed: int = 1) -> CommandMaker:
    return CommandMaker(collect_commands(command_corpus(), WORDS, config, KINDS), config, seed)


def test_recordings_are_sorted_into_classes() -> None:
    found = collect_commands(command_corpus(), WORDS, CommandsConfig(), KINDS)
    texts = [r.text for r in found.corpus.recordings]
    assert [{texts[w.index] for w in word} for word in found.words] == [{"low"}, {"high"}]
    assert {texts[i] for i in found.clips} == {"middle", "other"}
    assert [texts[i] for i in found.speech] == ["a sentence without them"]
    assert {texts[i] for i in found.noise} == {"hum"}


@pytest.mark.parametrize(
    ("words", "config", "kinds", "says"),
    [
        (("low", "absent"), CommandsConfig(), KINDS, "'absent'"),
        (("low", "high", "middle", "other"), CommandsConfig(), KINDS, "other word"),
        (WORDS, CommandsConfig(), Kinds(frozenset(), frozenset(), frozenset()), "noise"),
    ],
)
def test_a_class_without_recordings_is_refused(
    words: tuple[str, ...], config: CommandsConfig, kinds: Kinds, says: str
) -> None:
    with pytest.raises(ManifestError, match=says):
        collect_commands(command_corpus(), words, config, kinds)


def test_an_epoch_holds_each_clip_of_a_word_once() -> None:
    made = maker(PLAIN)
    words = sum(map(len, made.sources.words))
    assert len(made) == words + 2 * int(np.ceil(0.1 * words))
    for epoch in range(2):
        scenes = [made.clip(epoch * len(made) + k) for k in range(len(made))]
        counts = Counter(s.label for s in scenes)
        assert [counts[k] for k in (1, 2)] == [len(w) for w in made.sources.words]
        assert counts[0] == counts[3] == made.unknown == made.silence
        heard = sorted(float(np.abs(s.samples).sum()) for s in scenes if s.label in (1, 2))
        clips = [made.sources.corpus.audio(w.index) for of in made.sources.words for w in of]
        wanted = sorted(float(np.abs(fit_clip(c, made.length)).sum()) for c in clips)
        assert heard == pytest.approx(wanted)


def test_a_clip_follows_from_seed_and_number_alone() -> None:
    config = CommandsConfig()
    first, second, other = maker(config), maker(config), maker(config, seed=2)
    forwards = [first.clip(k).samples for k in range(40)]
    backwards = [second.clip(k).samples for k in reversed(range(40))][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(forwards, backwards, strict=True))
    assert not all(np.array_equal(a, other.clip(k).samples) for k, a in enumerate(forwards))
    again = [first.clip(k).samples for k in range(len(first), len(first) + 40)]
    assert not any(np.array_equal(a, b) for a, b in zip(forwards, again, strict=True))


def test_noise_is_mixed_into_the_stated_share_at_the_stated_volume() -> None:
    plain, noisy = maker(PLAIN), maker(CommandsConfig(shift_s=0.0))
    changed = words = 0
    for number in range(600):
        a, b = plain.clip(number), noisy.clip(number)
        assert a.label == b.label
        if a.label in (1, 2):
            words += 1
            added = np.abs(b.samples - a.samples).max()
            changed += added > 0.0
            assert added <= 0.1 * 0.5 + 1e-6  # the hum reaches 0.5
    assert changed / words == pytest.approx(0.8, abs=0.06)


def test_noise_at_a_ratio() -> None:
    plain = maker(PLAIN)
    noisy = maker(CommandsConfig(shift_s=0.0, background=1.0, background_snr_db=(6.0, 6.0)))
    pairs = [(plain.clip(k), noisy.clip(k)) for k in range(60)]
    for a, b in ((a, b) for a, b in pairs if a.label in (1, 2)):
        word, added = a.samples, b.samples - a.samples
        loudest = max(np.sqrt(np.mean(word[i : i + 4800] ** 2)) for i in range(0, 11_000, 160))
        assert 20 * np.log10(loudest / np.sqrt(np.mean(added**2))) == pytest.approx(6.0, abs=0.3)


def test_clips_are_shifted_evenly_by_at_most_100_ms() -> None:
    plain, moved = maker(PLAIN), maker(CommandsConfig(background=0.0))
    shifts = []
    for number in range(400):
        a, b = plain.clip(number), moved.clip(number)
        if a.label in (1, 2):
            shifts.append(np.flatnonzero(b.samples)[0] - np.flatnonzero(a.samples)[0])
    limit = 0.1 * RATE
    assert max(map(abs, shifts)) <= limit
    assert np.std(shifts) == pytest.approx(2 * limit / np.sqrt(12), rel=0.15)


def test_unknown_may_be_cut_from_running_speech() -> None:
    made = maker(CommandsConfig(unknown=1.0, speech=1.0, background=0.0, shift_s=0.0))
    talk = made.sources.corpus.audio(made.sources.speech[0])
    unknown = [s for s in map(made.clip, range(60)) if s.label == 3]
    windows = np.lib.stride_tricks.sliding_window_view(talk, 200)
    for scene in unknown[:5]:
        assert (windows == scene.samples[:200]).all(1).any()


@given(st.integers(1, 300), st.integers(1, 200))
def test_fit_clip_pads_or_keeps_the_loudest_part(length: int, wanted: int) -> None:
    samples = np.random.default_rng(length).standard_normal(length).astype(np.float32)
    clip = fit_clip(samples, wanted)
    assert len(clip) == wanted
    if length <= wanted:
        assert np.array_equal(clip[:length], samples) and not clip[length:].any()
        return
    windows = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), wanted)
    assert np.sum(clip.astype(np.float64) ** 2) == pytest.approx((windows**2).sum(1).max())


def test_what_is_measured_on(manifest_path: Path) -> None:
    manifest = read_manifest(manifest_path)
    config = CommandsConfig(unknown=0.5, silence=0.3)
    trials = CommandTrials(manifest, WORDS, config, {"hum"}, "dev")
    counts = Counter(trials.labels.tolist())
    words = counts[1] + counts[2]
    # 10 % each, whatever share is trained on.
    assert counts[0] == counts[3] == np.ceil(0.1 * words)
    assert {t.recording.split for t in trials.trials} == {"dev"}
    assert {t.recording.corpus for t in trials.trials if t.label} == {"clips"}
    clips = list(trials.audio(RATE))
    assert {len(c) for c in clips} == {RATE}
    again = CommandTrials(manifest, WORDS, config, {"hum"}, "dev")
    assert all(np.array_equal(a, b) for a, b in zip(clips, again.audio(RATE), strict=True))
    assert trials.measured == (0, 1, 2, 3)
    alone = CommandTrials(manifest, WORDS, CommandsConfig(unknown=0.0, silence=0.0), {"hum"}, "dev")
    assert alone.measured == (1, 2) and alone.classes == ("silence", *WORDS)
    with pytest.raises(EvaluationError, match="no clip of high, low"):
        CommandTrials(manifest, WORDS, config, {"hum"}, "test")
    with pytest.raises(EvaluationError, match="no background noise"):
        CommandTrials(manifest, WORDS, config, set(), "dev")
