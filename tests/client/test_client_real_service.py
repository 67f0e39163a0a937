"""Clients against the whole service: uvicorn, scheduler, store, the shipped words."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from cutting_proxy import CuttingProxy
from inprocess import run
from live_server import LiveServer, live_server
from streaming import QUICK, bursts, cut, detections, offline, start, streamed

from wakeword.audio.files import read_audio
from wakeword.audio.pcm import encode_int16
from wakeword.client import (
    BlockingStreamClient,
    Clip,
    DetectionMessage,
    Disconnected,
    ReadyMessage,
    Resumed,
    ScoreMessage,
)
from wakeword.errors import RefusedError

SOUND = bursts(24.0)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("state"), models=("seven",)) as server:
        yield server


@pytest.fixture(scope="module")
def words(repository: Path) -> np.ndarray:
    return encode_int16(read_audio(repository / "samples" / "words.flac"))


def port_of(server: LiveServer) -> int:
    return int(server.address.rpartition(":")[2])


@pytest.mark.parametrize("seed", [1, 2])
def test_the_shipped_words_over_a_network_that_cuts_anywhere(server, words, seed):
    rng = random.Random(seed)

    def cuts(connection: int) -> tuple[int, int] | None:
        if connection == 0:
            return rng.randint(5_000, 400_000), rng.randint(4_000, 8_000)
        return None if connection > 6 else (rng.randint(1, 500_000), rng.randint(1, 9_000))

    with CuttingProxy(port_of(server), cuts) as proxy:
        events = streamed(proxy.url, words)
    assert proxy.connections > 1
    assert detections(events) == offline("seven", words)


def test_scores_and_clips_come_once_over_a_broken_connection(server, words):
    asked = start(scores=True, clips=True)
    cut_at = [(300_000, 10**7), (400_000, 10**7)]
    with (
        CuttingProxy(port_of(server), lambda n: cut_at[n] if n < 2 else None) as proxy,
        BlockingStreamClient(proxy.url, asked, QUICK) as client,
    ):
        events = list(client.stream(cut(words)))
    assert proxy.connections == 3
    scores = [e.end_sample for e in events if isinstance(e, ScoreMessage)]
    assert scores == sorted(set(scores)) and len(scores) >= len(words) // 1600
    heard = [e for e in events if isinstance(e, DetectionMessage)]
    clips = {e.detection_id: e for e in events if isinstance(e, Clip)}
    assert [(d.keyword, d.end_sample) for d in heard] == offline("seven", words)
    for detection in heard[:-1]:
        clip = clips[detection.id]
        end = clip.start_sample + len(clip.samples)
        error = clip.samples.astype(int) - words[clip.start_sample : end]
        assert abs(end - detection.end_sample) <= 16_000 and np.abs(error).max() <= 1


def test_a_service_that_restarts(tiny_bundle, tmp_path):
    """Graceful, on the same port: the client is told 1012 and goes on with the new one."""
    with ExitStack() as stack:
        with live_server(tmp_path / "one", models=(str(tiny_bundle),)) as first:
            client = stack.enter_context(BlockingStreamClient(first.stream, start(), QUICK))
            events: list[object] = []
            reader = threading.Thread(target=lambda: events.extend(client))
            reader.start()
            for block in cut(SOUND[: len(SOUND) // 2]):
                client.send(block)
            while not detections(events):
                reader.join(0.01)
        second = stack.enter_context(
            live_server(tmp_path / "two", models=(str(tiny_bundle),), port=port_of(first))
        )
        for block in cut(SOUND[len(SOUND) // 2 :]):
            client.send(block)
        report = client.end()
        reader.join(20)
    assert second.address == first.address
    assert next(e for e in events if isinstance(e, Disconnected)).close_code == 1012
    assert (report.connections, report.unheard_s) == (2, 0.0)
    assert detections(events) == offline(tiny_bundle, SOUND)
    assert sum(isinstance(e, Resumed) for e in events) == 1


def test_keys(capsys, tiny_bundle, tmp_path):
    made = run(capsys, "keys", "add", "kitchen", "--scope", "stream", "--max-streams", "1",
               "--state-dir", tmp_path, "--json")  # fmt: skip
    key = made.records[0]["key"]
    with live_server(tmp_path, models=(str(tiny_bundle),)) as server:
        assert refused_by(server, None).close_code == 4401
        assert refused_by(server, "wk_wrong").close_code == 4401
        with BlockingStreamClient(server.stream, start(key=key)) as client:
            assert isinstance(next(iter(client)), ReadyMessage)
            too_many = refused_by(server, key)
            assert (too_many.close_code, too_many.limit) == (4429, 1)
            client.end()


def refused_by(server: LiveServer, key: str | None) -> RefusedError:
    """What the service says to a new stream with ``key``."""
    with (
        BlockingStreamClient(server.stream, start(key=key)) as client,
        pytest.raises(RefusedError) as refused,
    ):
        list(client)
    return refused.value
