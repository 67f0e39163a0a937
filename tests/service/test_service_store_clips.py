"""Clips of detections: only where wanted, bounded, and none is left behind."""

from __future__ import annotations

import numpy as np
from bundles import with_bursts
from live_use import Clock, hear, recorder_of
from wakeword_service.clips import Clips
from wakeword_service.store import Store

from wakeword.audio.files import read_audio
from wakeword.runtime import Engine


def test_clips_are_kept_only_where_wanted_and_bounded(store: Store, engine: Engine) -> None:
    clock = Clock()
    sound = with_bursts(8.0, [(at, "low tone") for at in (1.0, 3.0, 5.0)])
    off = recorder_of(store, clock)
    hear(off, engine, sound)
    off.flush()
    assert not store.detections.clips() and not (store.folder / "clips").exists()
    on = recorder_of(store, clock, keep_clips=True, clip_max_bytes=2 * 364, clip_retention_h=1.0)
    first, second, third = hear(on, engine, sound)
    on.flush()
    assert [c[0] for c in store.detections.clips()] == [first, second, third]
    assert set(read_audio(on.clips.path(first))) == {np.float32(1000 / 32768)}
    (store.folder / "clips" / ("0" * 16 + ".wav")).touch()
    (store.folder / "clips" / "other.txt").touch()
    on.clips.sweep()
    on._tidy()
    names = sorted(p.name for p in (store.folder / "clips").iterdir())
    assert names == sorted([f"{second}.wav", f"{third}.wav", "other.txt"])
    clock.tick(3700.0)
    on._tidy()
    assert not store.detections.clips() and store.detections.get(first) is not None
    assert [p.name for p in (store.folder / "clips").iterdir()] == ["other.txt"]


def test_a_clip_that_cannot_be_written_leaves_its_detection(store: Store, engine: Engine) -> None:
    (store.folder / "clips").write_text("in the way")
    recorder = recorder_of(store, Clock(), keep_clips=True)
    (found,) = hear(recorder, engine, with_bursts(3.0, [(1.0, "low tone")]))
    assert recorder.flush()
    row = store.detections.get(found)
    assert row is not None and row.clip_bytes == 0
    assert isinstance(recorder.clips, Clips)
