"""Streams of a live server that share its calls: what one of them does reaches no other."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import with_bursts
from engine_runs import speech
from live_server import START, Heard, LiveServer, client, live_server, metric, offline, pcm

from wakeword.runtime import Engine


def test_a_stream_that_breaks_the_engine_is_closed_alone(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    """Its state is damaged while it runs: the shared call fails, and only it is told so."""
    sounds = [speech(seed, 3.0) for seed in range(5)]

    async def run(server: LiveServer) -> tuple[Heard, list[Heard]]:
        async with client(server.stream) as bad:
            ready = await bad.wait_for("ready")
            (stream,) = server.service.scheduler.streams[ready["stream_id"]].streams
            heard = replace(stream.state.heard, frames=np.zeros((3, 3), np.float32))
            stream.state = replace(stream.state, heard=heard)

            async def good(sound: Any) -> Heard:
                async with client(server.stream) as one:
                    for at in range(0, len(pcm(sound)), 3200):
                        await one.send(pcm(sound)[at : at + 3200])
                        await asyncio.sleep(0.002)
                    return await one.end()

            tasks = [asyncio.create_task(good(sound)) for sound in sounds]
            await asyncio.sleep(0.02)
            await bad.send(pcm(sounds[0]))
            return await bad.closed(), await asyncio.gather(*tasks)

    with live_server(tmp_path, models=(str(tiny_bundle),), gather_ms=20.0) as server:
        bad, good = asyncio.run(run(server))
        assert metric(server, 'wakeword_faults_total{where="score"}') == 1
    assert (bad.error["code"], bad.close_code) == ("internal", 4500)
    assert bad.error["message"] == "internal error"
    for heard, sound in zip(good, sounds, strict=True):
        assert heard.detections == offline(tiny_bundle, sound)


def test_a_slow_engine_holds_the_client_back_and_loses_nothing(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = with_bursts(20.0, [(t, "low tone") for t in np.arange(0.5, 19.0, 1.7)])
    step = Engine.step

    def slow(self: Engine, streams: Any, max_steps: int | None = None) -> Any:
        time.sleep(0.03)
        return step(self, streams, max_steps)

    monkeypatch.setattr(Engine, "step", slow)

    async def run(server: LiveServer) -> tuple[float, Heard]:
        most = 0.0
        async with client(server.stream, {**START, "acks": True}) as one:
            await one.wait_for("ready")
            (live,) = server.service.scheduler.streams.values()
            data = pcm(sound)
            for at in range(0, len(data), 3200):
                await one.send(data[at : at + 3200])
                most = max(most, live.inbox.received_s - live.scored_s)
            return most, await one.end()

    with live_server(tmp_path, models=(str(tiny_bundle),), buffer_s=1.0) as server:
        most, heard = asyncio.run(run(server))
        monkeypatch.undo()
        assert metric(server, 'wakeword_dropped_total{what="audio_seconds"}') == 0
    assert most <= 1.0 + 0.11 and heard.summary["samples"] == len(sound)
    assert heard.detections == offline(tiny_bundle, sound)
