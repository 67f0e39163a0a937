"""Streams over a real socket hear what the library hears offline, however they are cut."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bundles import tiny_metadata, with_bursts, write_tiny_bundle
from engine_runs import speech
from hypothesis import given, settings
from hypothesis import strategies as st
from live_server import START, Heard, LiveServer, client, live_server, offline, pcm, stream_all

from wakeword.audio.resample import resample
from wakeword.frontend import FrontendConfig


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("state"), models=(str(tiny_bundle),)) as running:
        yield running


def test_the_shipped_words_are_heard_in_the_sample(tmp_path: Path, repository: Path) -> None:
    samples, rate = soundfile.read(repository / "samples" / "words.flac", dtype="int16")
    expected = offline((), samples, rate)
    with live_server(tmp_path) as running:
        heard = asyncio.run(stream_all(running.stream, samples, range(2560, 10**6, 2560)))
    assert len(expected) == 7 and heard.detections == expected
    assert (heard.close_code, heard.summary["reason"]) == (1000, "end")
    assert heard.summary["samples"] == len(samples)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 128_000), max_size=30))
@settings(max_examples=10)
def test_how_audio_is_cut_makes_no_difference(
    server: LiveServer, tiny_bundle: Path, seed: int, cuts: list[int]
) -> None:
    samples = speech(seed)
    heard = asyncio.run(stream_all(server.stream, samples, cuts))
    assert heard.detections == offline(tiny_bundle, samples)


def test_many_streams_hear_each_its_own(server: LiveServer, tiny_bundle: Path) -> None:
    sounds = [speech(seed, 3.0) for seed in range(24)]

    async def run() -> list[Heard]:
        return await asyncio.gather(
            *(stream_all(server.stream, s, range(1999, 10**6, 1999)) for s in sounds)
        )

    for heard, sound in zip(asyncio.run(run()), sounds, strict=True):
        assert heard.detections == offline(tiny_bundle, sound)
        assert heard.close_code == 1000


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_times_count_at_the_declared_rate(
    server: LiveServer, tiny_bundle: Path, rate: int
) -> None:
    samples = with_bursts(3.0, [(0.8, "low tone")], rate, noise=0.001)
    heard = asyncio.run(stream_all(server.stream, samples, [1001, 30_001], sample_rate=rate,
                                   first_sample=10 * rate))  # fmt: skip
    ((word, start, end),) = offline(tiny_bundle, samples, rate)
    assert heard.detections == [(word, 10 * rate + start, 10 * rate + end)]
    (found,) = heard.of("detection")
    assert found["end_s"] == found["end_sample"] / rate and 10.8 < found["end_s"] < 11.6


def test_one_byte_at_a_time(server: LiveServer, tiny_bundle: Path) -> None:
    samples = with_bursts(0.8, [(0.1, "high tone")])
    heard = asyncio.run(stream_all(server.stream, samples, range(1, 10**6)))
    assert heard.detections == offline(tiny_bundle, samples) != []


def test_a_stream_may_be_empty(server: LiveServer) -> None:
    heard = asyncio.run(stream_all(server.stream, np.zeros(0, np.int16)))
    assert heard.summary["samples"] == 0 and heard.close_code == 1000
    assert [m["type"] for m in heard.messages] == ["ready", "summary"]


def test_scores_acks_and_clips_where_they_are_wanted(server: LiveServer) -> None:
    samples = with_bursts(4.0, [(2.0, "low tone")], noise=0.01)
    heard = asyncio.run(
        stream_all(server.stream, samples, range(2560, 10**6, 2560), scores=True, acks=True,
                   clips=True, name="kitchen")
    )  # fmt: skip
    assert [s["end_sample"] for s in heard.of("score")] == list(range(1600, 64_001, 1600))
    assert set(heard.of("score")[0]["scores"]) == {"low tone", "high tone"}
    acked = [a["samples"] for a in heard.of("ack")]
    assert acked == sorted(acked) and acked[0] >= 16_000 and acked[-1] <= 64_000
    (found,), (clip,) = heard.of("detection"), heard.of("clip")
    assert clip["detection_id"] == found["id"]
    begin, end = clip["start_sample"], found["end_sample"]
    assert heard.binary == [pcm(samples)[2 * begin : 2 * end]] and clip["samples"] == end - begin
    assert end - begin == min(end, 48_000)


def test_clips_of_models_that_hear_at_different_rates_hold_their_detections(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    frontend = FrontendConfig(
        sample_rate=8000, window_samples=200, hop_samples=80, fft_size=256, f_max_hz=3800.0
    )
    phone = tiny_metadata("phone", ["low tone"], frontend=frontend, step_samples=800)
    models = (str(tiny_bundle), str(write_tiny_bundle(tmp_path / "phone", phone)))
    samples = with_bursts(4.0, [(2.0, "low tone")], noise=0.01)
    with live_server(tmp_path / "state", models=models) as server:
        wanted = ["tiny:low tone", "phone:low tone"]
        heard = asyncio.run(
            stream_all(server.stream, samples, range(2560, 10**6, 2560), clips=True, models=wanted)
        )
    detections = {d["id"]: d for d in heard.of("detection")}
    assert sorted(d["model"] for d in detections.values()) == ["phone", "tiny"]
    for clip, sound in zip(heard.of("clip"), heard.binary, strict=True):
        found = detections[clip["detection_id"]]
        rate = 8000 if found["model"] == "phone" else 16_000
        assert clip["sample_rate"] == rate and len(sound) == 2 * clip["samples"]
        end = clip["start_sample"] + clip["samples"] * 16_000 // rate
        assert end == found["end_sample"]
        pcm16 = np.frombuffer(sound, "<i2") / 2**15
        tone = resample(samples[clip["start_sample"] : end], 16_000, rate)
        assert np.corrcoef(pcm16, tone)[0, 1] > 0.99


def test_detections_that_the_client_has_are_not_sent_again(server: LiveServer) -> None:
    samples = with_bursts(5.0, [(0.5, "low tone"), (3.0, "low tone")])
    _, first_end = asyncio.run(stream_all(server.stream, samples)).detections[0][1:]
    for after, count in ((first_end - 1, 2), (first_end, 1)):
        heard = asyncio.run(stream_all(server.stream, samples, detect_after_sample=after))
        assert len(heard.detections) == count
        assert heard.summary["detections"] == {"low tone": count}


def test_ready_says_what_was_made_of_the_wishes(server: LiveServer) -> None:
    async def ready(**start: object) -> dict[str, object]:
        async with client(server.stream, {**START, **start}) as one:
            return await one.wait_for("ready")

    async def words(**start: object) -> list[tuple[str, float, str]]:
        (model,) = (await ready(**start))["models"]  # type: ignore[misc]
        return [(w["word"], w["threshold"], w["source"]) for w in model["words"]]

    async def run() -> None:
        assert await words() == [("low tone", 0.6, "model"), ("high tone", 0.6, "model")]
        assert await words(models=["high tone"], threshold=0.7) == [("high tone", 0.7, "requested")]
        assert await words(threshold={"low tone": 0.7}, false_alarms_per_hour=2.0) == [
            ("low tone", 0.7, "requested"), ("high tone", 0.5, "target"),
        ]  # fmt: skip
        said = await ready(sample_rate=8000)
        assert said["step_ms"] == 100.0 and 300.0 < said["latency_ms"] < 430.0  # type: ignore[operator]

    asyncio.run(run())
