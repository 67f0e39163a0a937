"""A model for the telephone: the rate of everything follows the recipe's front end."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from bundles import RATE, with_bursts
from run_notes import Notes
from tone_manifest import LOW
from tone_recipe import write_tone_recipe

from wakeword.audio.resample import resample
from wakeword.data.corpus import Corpus
from wakeword.errors import ConfigError
from wakeword.evaluation.events import Label
from wakeword.evaluation.scoring import Clip, score_clips
from wakeword.runtime import Bundle, Engine
from wakeword.training.finish import finish
from wakeword.training.run import TrainingRun
from wakeword.training.shards import ShardPlan

HALF = RATE // 2
FRONTEND = """
[frontend]
sample_rate = 8000
window_samples = 200
hop_samples = 80
fft_size = 256
f_max_hz = 3800.0

[detection]
step_samples = 800
"""



@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """A small model of tones at 8 kHz, trained to the end from recordings at 16 kHz."""
    folder = tmp_path_factory.mktemp("telephone")
    recipe = write_tone_recipe(folder)
    recipe.write_text(recipe.read_text() + FRONTEND)
    made = TrainingRun(recipe, folder / "runs" / "phone", 0, Notes())
    made.run()
    return made


def test_recordings_rooms_and_scenes_are_at_the_rate_of_the_front_end(run: TrainingRun) -> None:
    corpus = run.sources.corpus
    assert corpus.sample_rate == HALF
    for index, recording in enumerate(corpus.recordings):
        assert len(corpus.audio(index)) == pytest.approx(recording.seconds * HALF, abs=1)
    assert all(len(room) <= 0.6 * HALF for room in run.sources.rooms)
    for word in itertools.chain(*run.sources.words):  # bursts lie from 0.5 s to 0.9 s
        assert 0.35 * HALF < word.start < 0.65 * HALF
    (shard,) = itertools.islice(run._shards(0, 4), 1)
    assert shard.features.shape[1] == run.recipe.frontend.frames_after(round(3.2 * HALF))


def test_recordings_of_another_rate_than_the_front_end_are_refused(run: TrainingRun) -> None:
    r = run.recipe
    corpus = run.sources.corpus
    other = Corpus(corpus.recordings, corpus.offsets, corpus.samples, RATE)
    sources = type(run.sources)(**{**vars(run.sources), "corpus": other})
    with pytest.raises(ConfigError, match=r"16000 Hz, but frontend\.sample_rate = 8000"):
        ShardPlan(sources, r.scenes, r.features, r.frontend, 1, 4)


def test_the_bundle_hears_every_rate_alike(run: TrainingRun, tmp_path: Path) -> None:
    """Calibrated, measured and written at 8 kHz; a stream of another rate is resampled."""
    written = finish(run, tmp_path / "phone", Notes().stage)
    bundle = Bundle.load(written.path)
    assert bundle.metadata.frontend.sample_rate == HALF
    assert bundle.metadata.step_samples == 800
    assert all(bundle.operating_point(word).clips == 4 for word in bundle.words)
    tone = 0.1 * with_bursts(4.0, [(2.0, LOW)], noise=0.002)
    engine = Engine(bundle)
    tracks = score_clips(bundle, [Clip.of(Label("a"), resample(tone, RATE, HALF))])
    stream = engine.open_stream(RATE)
    stream.accept(tone)
    stream.finish()
    heard = np.stack([result.smoothed for result in engine.step([stream])])
    assert len(heard) == len(tracks[0].posteriors) == pytest.approx(45, abs=1)
    assert heard == pytest.approx(tracks[0].posteriors, abs=0.02)
