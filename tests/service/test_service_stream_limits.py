"""Limits of streams, overload, thresholds that change, and what the owner sees of it."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from bundles import with_bursts
from live_server import START, Heard, LiveServer, client, live_server, metric, pcm, stream_all
from wakeword_service.auth import LOCAL


async def opened(server: LiveServer, **options: Any) -> Heard:
    async with client(server.stream, **options) as one:
        await asyncio.wait({one.reader, asyncio.create_task(one.wait_for("ready"))},
                           return_when="FIRST_COMPLETED")  # fmt: skip
        return one.heard


def test_streams_beyond_the_limit_are_told_to_come_again(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    async def run(server: LiveServer) -> None:
        async with client(server.stream) as one, client(server.stream) as two:
            await one.wait_for("ready")
            await two.wait_for("ready")
            async with client(server.stream) as three:
                refused = await three.closed()
            assert (refused.error["code"], refused.close_code) == ("overloaded", 1013)
            assert (refused.error["value"], refused.error["limit"]) == (2, 2)
            assert refused.error["retry_after_s"] == 5
            await one.end()
            async with client(server.stream) as three:
                await three.wait_for("ready")

    with live_server(tmp_path, models=(str(tiny_bundle),), max_streams=2) as server:
        asyncio.run(run(server))
        assert metric(server, 'wakeword_refused_total{code="overloaded"}') == 1


def test_a_key_has_its_own_limit(tmp_path: Path, tiny_bundle: Path) -> None:
    async def run(server: LiveServer, small: str, large: str) -> None:
        async with client(server.stream, {**START, "key": small}) as one:
            await one.wait_for("ready")
            async with client(server.stream, {**START, "key": small}) as two:
                refused = await two.closed()
            assert (refused.error["code"], refused.close_code) == ("too_many_streams", 4429)
            assert refused.error["limit"] == 1 and "'small'" in refused.error["message"]
            async with client(server.stream, {**START, "key": large}) as three:
                await three.wait_for("ready")
                await asyncio.to_thread(server.service.keys.remove, "large")
                ended = await three.closed()
            assert ended.close_code == 4401 and "removed" in ended.error["message"]
            assert (await opened(server)).close_code == 4401

    with live_server(tmp_path, models=(str(tiny_bundle),)) as server:
        keys = server.service.keys
        _, small = keys.add("small", ["stream"], max_streams=1)
        _, large = keys.add("large", ["stream"])
        asyncio.run(run(server, small, large))


def test_too_many_sockets_are_refused_before_the_upgrade(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wakeword_service.admission.SPARE_SOCKETS", 0)

    async def run(server: LiveServer) -> None:
        async with client(server.stream, {}):
            answer = httpx.get(server.http.replace("ws", "http") + "/v1/stream", headers=UPGRADE)
            assert answer.status_code == 503 and answer.headers["retry-after"] == "5"
            assert answer.json()["limit"] == 1

    with live_server(tmp_path, models=(str(tiny_bundle),), max_streams=1) as server:
        asyncio.run(run(server))


UPGRADE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip


def test_overload_refuses_streams_and_rest_until_it_is_over(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with live_server(tmp_path, models=(str(tiny_bundle),)) as server:
        service = server.service
        for lag_s, overloaded in ((0.9, False), (1.2, True), (0.6, True), (0.4, False)):
            service.admission.judge(lag_s)
            assert service.admission.overloaded is overloaded
        monkeypatch.setattr(service.scheduler, "lag_s", lambda now: 1.2)
        service.admission.judge(1.2)
        refused = asyncio.run(opened(server))
        assert (refused.error["value"], refused.error["limit"]) == (1200, 1000)
        assert refused.close_code == 1013
        answer = httpx.get(f"{server.http}/readyz")
        assert answer.status_code == 503 and answer.headers["retry-after"] == "5"
        assert answer.json()["type"] == "urn:wakeword:problem:overloaded"
        assert httpx.get(f"{server.http}/healthz").status_code == 200
        assert metric(server, "wakeword_overloaded") == 1


def test_a_new_threshold_is_in_force_at_once(tmp_path: Path, tiny_bundle: Path) -> None:
    """The word is missed at the old threshold; in the same stream it is heard at the new one."""
    word = pcm(with_bursts(2.0, [(0.5, "low tone")], noise=0.02))

    async def run(server: LiveServer) -> tuple[Heard, Heard]:
        tuning = server.service.tuning
        async with client(server.stream) as one, client(
            server.stream, {**START, "threshold": 0.7}
        ) as own:
            for each in (one, own):
                await each.wait_for("ready")
                await each.send(word)
                await each.wait_for("detection")
            await asyncio.to_thread(
                tuning.change, "tiny", "low tone", {"threshold": 0.42}, LOCAL, lambda now: None
            )
            for each in (one, own):
                await each.send(word)
                await each.wait_for("detection", 2)
            return await one.end(), await own.end()

    with live_server(tmp_path, models=(str(tiny_bundle),)) as server:
        tuned, own = asyncio.run(run(server))
    assert [d["threshold"] for d in tuned.of("detection")] == [0.6, 0.42]
    (warning,) = tuned.of("warning")
    assert warning["code"] == "threshold_changed"
    assert (warning["model"], warning["word"]) == ("tiny", "low tone")
    assert warning["values"] == {"threshold": 0.42, "before": 0.6}
    assert [d["threshold"] for d in own.of("detection")] == [0.7, 0.7] and not own.of("warning")


def test_the_site_threshold_is_that_of_new_streams(tmp_path: Path, tiny_bundle: Path) -> None:
    with live_server(tmp_path, models=(str(tiny_bundle),)) as server:
        server.service.tuning.change("tiny", "low tone", {"threshold": 0.42}, LOCAL, lambda _: None)
        (model,) = asyncio.run(opened(server)).of("ready")[0]["models"]
    assert [(w["threshold"], w["source"]) for w in model["words"]] == [
        (0.42, "site"), (0.6, "model"),
    ]  # fmt: skip


def test_metrics_count_what_happened(tmp_path: Path, tiny_bundle: Path) -> None:
    sound = with_bursts(3.0, [(1.0, "low tone")])
    with live_server(tmp_path, models=(str(tiny_bundle),)) as server:
        heard = asyncio.run(stream_all(server.stream, sound))
        assert heard.summary["reason"] == "end"
        expected = {
            "wakeword_streams": 0,
            "wakeword_sockets": 0,
            "wakeword_streams_opened_total": 1,
            'wakeword_streams_ended_total{reason="end"}': 1,
            'wakeword_detections_total{model="tiny",word="low tone"}': 1,
            'wakeword_detections_total{model="tiny",word="high tone"}': 0,
            "wakeword_steps_total": 35,
            "wakeword_batch_windows_sum": 35,
        }
        assert {name: metric(server, name) for name in expected} == expected
        assert metric(server, "wakeword_audio_seconds_total") == pytest.approx(3.5)


def test_a_stream_is_told_of_clipping_and_silence(tmp_path: Path, tiny_bundle: Path) -> None:
    loud = np.clip(3.0 * np.sin(np.arange(48_000) / 20.0), -1.0, 1.0)
    sound = np.concatenate([loud, np.zeros(40_000), loud[:16_000], np.zeros(20_000)])
    with live_server(tmp_path, models=(str(tiny_bundle),), silence_s=2.0) as server:
        heard = asyncio.run(stream_all(server.stream, sound, range(3200, 10**6, 3200)))
        assert metric(server, 'wakeword_warnings_total{code="clipping"}') == 1
    assert [w["code"] for w in heard.of("warning")] == ["clipping", "silence"]
    assert heard.summary["warnings"] == 2
