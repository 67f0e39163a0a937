"""Streams that are scored in other processes: heard as ever, and what happens when one is lost."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from bundles import with_bursts
from engine_runs import speech
from live_server import START, Heard, LiveServer, client, live_server, metric, offline, pcm
from streaming import QUICK, detections, start
from wakeword_service import process_lane, scheduler, service

from wakeword.client import StreamClient


@pytest.fixture
def server(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LiveServer]:
    """Two processes, and a single stream that is scored without them."""
    models = (str(tiny_bundle),)
    monkeypatch.setattr(scheduler, "FULL", 3)  # the fifth stream asks for the other one
    with live_server(tmp_path, models=models, processes=2, streams_here=1) as running:
        yield running


async def in_pieces(one: Any, sound: np.ndarray) -> Heard:
    for at in range(0, len(pcm(sound)), 3200):
        await one.send(pcm(sound)[at : at + 3200])
        await asyncio.sleep(0.002)
    return await one.end()


def test_nothing_starts_before_it_is_needed_and_all_streams_are_heard_alike(
    server: LiveServer, tiny_bundle: Path
) -> None:
    sounds = [speech(seed, 3.0) for seed in range(7)]
    served = server.service.scheduler

    async def run() -> tuple[list[int], list[Heard]]:
        async with client(server.stream) as first:
            await first.wait_for("ready")
            before = served.pids

            async def another(sound: np.ndarray) -> Heard:
                async with client(server.stream) as one:
                    return await in_pieces(one, sound)

            others = await asyncio.gather(*(another(sound) for sound in sounds[1:]))
            return before, [await in_pieces(first, sounds[0]), *others]

    before, heard = asyncio.run(run())
    assert before == [] and len(served.pids) == 2
    for one, sound in zip(heard, sounds, strict=True):
        assert one.detections == offline(tiny_bundle, sound)
        assert one.close_code == 1000


def test_a_threshold_of_the_site_reaches_them_at_once(server: LiveServer) -> None:
    sound = with_bursts(2.0, [(0.5, "low tone")])

    async def run() -> Heard:
        async with client(server.stream) as here, client(server.stream) as there:
            await here.wait_for("ready")
            await there.wait_for("ready")
            async with httpx.AsyncClient(base_url=server.http) as rest:
                path = "/v1/models/tiny/words/low%20tone/operating-point"
                tag = (await rest.get(path)).headers["etag"]
                done = await rest.put(path, json={"threshold": 0.999999}, headers={"If-Match": tag})
                assert done.status_code == 200
            return await in_pieces(there, sound)

    heard = asyncio.run(run())
    assert heard.detections == []
    assert [m["code"] for m in heard.messages if m["type"] == "warning"] == ["threshold_changed"]


def test_when_a_process_is_lost_clients_connect_again_and_miss_nothing(
    server: LiveServer, tiny_bundle: Path
) -> None:
    sound = with_bursts(6.0, [(t, "low tone") for t in (0.6, 2.1, 3.7, 5.0)], noise=0.001)
    wanted = [(word, end) for word, _, end in offline(tiny_bundle, sound)]
    assert len(wanted) == 4
    served = server.service.scheduler

    async def audio() -> Any:
        for at in range(0, len(sound), 1600):
            yield sound[at : at + 1600]
            if at == 30 * 1600:
                while not any(live.scored_s > 2.0 for live in list(served.streams.values())):
                    await asyncio.sleep(0.01)
                for pid in served.pids:
                    os.kill(pid, signal.SIGKILL)

    async def run() -> tuple[list[tuple[str, int]], int]:
        async with client(server.stream) as first:
            await first.wait_for("ready")  # takes the one place here
            async with StreamClient(server.stream, start(), QUICK) as one:
                events = [event async for event in one.stream(audio())]
                return detections(events), (await one.end()).connections

    found, connections = asyncio.run(run())
    assert found == wanted and connections == 2
    assert metric(server, 'wakeword_faults_total{where="process"}') >= 1
    assert httpx.get(f"{server.http}/healthz").status_code == 200


def test_its_processes_end_with_the_server(tmp_path: Path, tiny_bundle: Path) -> None:
    async def run(server: LiveServer) -> list[int]:
        async with client(server.stream, START) as one:
            await one.wait_for("ready")
            return server.service.scheduler.pids

    models = (str(tiny_bundle),)
    with live_server(tmp_path, models=models, processes=1, streams_here=0) as server:
        (pid,) = asyncio.run(run(server))
    deadline = time.monotonic() + 10.0
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_process_that_nobody_needs_ends_and_the_next_stream_starts_another(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_lane, "REST_S", 0.3)
    monkeypatch.setattr(service, "GIVE_BACK_S", 0.05)
    sound = speech(1, 3.0)

    async def run(server: LiveServer) -> tuple[list[int], Heard]:
        async with client(server.stream, START) as one:
            await one.wait_for("ready")
            await asyncio.sleep(1.0)  # it stays while it has a stream
            return server.service.scheduler.pids, await in_pieces(one, sound)

    models = (str(tiny_bundle),)
    with live_server(tmp_path, models=models, processes=1, streams_here=0) as server:
        pids = set()
        for _ in range(2):
            (pid,), heard = asyncio.run(run(server))
            assert heard.detections == offline(tiny_bundle, sound) and heard.close_code == 1000
            deadline = time.monotonic() + 10.0
            while Path(f"/proc/{pid}").exists():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            pids.add(pid)
        assert len(pids) == 2 and server.service.scheduler.pids == []
