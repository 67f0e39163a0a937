"""Clients over real websockets, against a service that behaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest
from small_service import Behaviour, SmallService
from streaming import QUICK, bursts, cut, detections, offline, start, streamed

from wakeword.audio.files import read_audio
from wakeword.audio.pcm import encode_int16
from wakeword.client import (
    BlockingStreamClient,
    ClientOptions,
    Clip,
    DetectionMessage,
    ReadyMessage,
    ScoreMessage,
    StreamClient,
)
from wakeword.errors import AudioError, ConfigError, RefusedError
from wakeword.protocol import ErrorCode, refusal

SOUND = bursts()


async def collect(url: str, blocks, options: ClientOptions = QUICK, **asked):
    async with StreamClient(url, start(**asked), options) as client:
        return [event async for event in client.stream(blocks)], await client.end()


@pytest.mark.parametrize("live", [True, False])
def test_what_is_heard_is_what_the_library_hears(service, wanted, live):
    options = ClientOptions(live=live)
    events, report = asyncio.run(collect(service.url, cut(SOUND), options))
    assert isinstance(events[0], ReadyMessage)
    assert detections(events) == wanted
    assert report.samples == len(SOUND) == report.summary.samples
    assert sum(report.detections.values()) == len(wanted)
    assert (report.connections, report.unheard_s) == (1, 0.0)


@pytest.mark.parametrize(
    ("encoding", "blocks"),
    [
        ("s16le", list(cut(SOUND))),
        ("s16le", list(cut(SOUND.astype(np.float32) / 2**15))),
        ("f32le", list(cut(SOUND.astype(np.float32) / 2**15))),
        ("s16le", [SOUND.tobytes()[i : i + 7777] for i in range(0, 2 * len(SOUND), 7777)]),
    ],
    ids=["int16", "float32 as s16le", "float32", "bytes cut inside samples"],
)
def test_audio_may_come_in_many_forms(service, wanted, encoding, blocks):
    events, _ = asyncio.run(collect(service.url, blocks, encoding=encoding))
    assert detections(events) == wanted


def test_stereo_at_another_rate(service, tiny_bundle):
    """22,050 Hz: a rate whose steps are no whole number of samples in every grid."""
    samples = np.repeat(SOUND, 2)[: 22_050 * 10].reshape(-1, 1).repeat(2, axis=1)
    events, report = asyncio.run(
        collect(service.url, cut(samples), sample_rate=22_050, channels=2)
    )
    assert report.samples == len(samples)
    assert isinstance(events[0], ReadyMessage) and events[0].sample_rate == 22_050


def test_an_asynchronous_source_scores_and_clips(service, wanted):
    async def source() -> AsyncIterator[np.ndarray]:
        for block in cut(SOUND[: 16_000 * 8]):
            await asyncio.sleep(0)
            yield block

    events, _ = asyncio.run(collect(service.url, source(), scores=True, clips=True))
    scores = [e for e in events if isinstance(e, ScoreMessage)]
    assert [s.end_sample for s in scores] == [1600 * (i + 1) for i in range(len(scores))]
    heard = [e for e in events if isinstance(e, DetectionMessage)]
    clips = [e for e in events if isinstance(e, Clip)]
    assert [d.id for d in heard] == [c.detection_id for c in clips] and heard
    for detection, clip in zip(heard, clips, strict=True):
        assert clip.start_sample + len(clip.samples) == detection.end_sample
        np.testing.assert_array_equal(
            clip.samples, SOUND[clip.start_sample : detection.end_sample]
        )


def test_first_sample_numbers_everything(service, wanted):
    events, report = asyncio.run(collect(service.url, cut(SOUND), first_sample=48_000))
    assert detections(events) == [(word, end + 48_000) for word, end in wanted]
    assert report.samples == len(SOUND)


def test_the_shipped_words_in_random_chunks(repository):
    samples = encode_int16(read_audio(repository / "samples" / "words.flac"))
    with SmallService("seven") as service:
        assert detections(streamed(service.url, samples)) == offline("seven", samples)


def test_sending_and_reading_in_threads_of_ones_own(service, wanted):
    events: list[object] = []
    with BlockingStreamClient(service.url, start()) as client:
        reader = threading.Thread(target=lambda: events.extend(client))
        reader.start()
        for block in cut(SOUND):
            client.send(block)
        report = client.end()
        reader.join(20)
        assert client.end() == report, "asking again is allowed"
    assert detections(events) == wanted
    assert sum(report.detections.values()) == len(wanted)


def test_a_source_that_fails_says_so_to_the_reader(service):
    def source() -> Iterator[np.ndarray]:
        yield SOUND[:1000]
        raise AudioError("the tape is torn")

    with (
        BlockingStreamClient(service.url, start()) as client,
        pytest.raises(AudioError, match="the tape is torn"),
    ):
        list(client.stream(source()))
    with pytest.raises(AudioError, match="the tape is torn"):
        asyncio.run(collect(service.url, source()))


def test_leaving_early_ends_everything(service):
    def endless() -> Iterator[np.ndarray]:
        while True:
            yield SOUND[:1600]

    async def leave() -> None:
        async with StreamClient(service.url, start()) as client:
            async for event in client.stream(endless()):
                if isinstance(event, ReadyMessage):
                    break
        assert asyncio.all_tasks() == {asyncio.current_task()} or await settle()

    async def settle() -> bool:
        await asyncio.sleep(0.1)
        return asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(leave())
    before = threading.active_count()
    with BlockingStreamClient(service.url, start()) as client:
        for event in client.stream(endless()):
            if isinstance(event, ReadyMessage):
                break
    for thread in threading.enumerate():
        if thread.name.startswith("wakeword-"):
            thread.join(10)
    assert threading.active_count() <= before


@pytest.mark.parametrize(
    ("audio", "says"),
    [
        (np.zeros((5, 2), np.int16), r"samples of shape \(5, 2\), but the stream has 1 channel"),
        (np.zeros(5, np.float64), "samples of type float64 cannot be sent as s16le"),
        (np.zeros((1, 1, 1), np.int16), "shape"),
    ],
)
def test_samples_that_do_not_fit_are_refused(service, audio, says):
    with (
        BlockingStreamClient(service.url, start()) as client,
        pytest.raises(AudioError, match=says),
    ):
        client.send(audio)


def test_an_end_inside_a_sample_is_refused(service):
    with BlockingStreamClient(service.url, start()) as client:
        client.send(b"\0\0\0")
        with pytest.raises(AudioError, match="1 bytes after sample 1, but each needs 2"):
            client.end()


def test_audio_after_the_end_is_refused(service):
    with BlockingStreamClient(service.url, start()) as client:
        client.send(SOUND[:100])
        client.end()
        with pytest.raises(AudioError, match="audio after the end of the stream"):
            client.send(SOUND[:100])


@pytest.mark.parametrize("url", ["localhost:8765", "ftp://x", "ws://", "ws://h:99999", "http://"])
def test_what_is_no_address_is_refused_at_once(url):
    with pytest.raises(ConfigError, match="is no address of a service"):
        StreamClient(url, start())


def test_opus_is_not_made_here():
    with pytest.raises(ConfigError, match="not opus"):
        StreamClient("ws://localhost", start(encoding="opus"))


def test_a_refused_key_an_unknown_word_and_a_bad_threshold(tiny_bundle):
    with SmallService(tiny_bundle, behaviour=Behaviour(key="right")) as service:
        for asked, code, close_code in [
            ({"key": "wrong"}, "unauthorized", 4401),
            ({"key": "right", "models": ("nobody",)}, "unknown_model", 4404),
        ]:
            with pytest.raises(RefusedError) as refused:
                asyncio.run(collect(service.url, cut(SOUND), **asked))
            assert (refused.value.code, refused.value.close_code) == (code, close_code)
        assert len(service.starts) == 2, "no second try"


def test_a_refusal_carries_the_value_and_the_limit(tiny_bundle):
    def refuse(_: int) -> Exception:
        return refusal(ErrorCode.TOO_MANY_STREAMS, "8 streams, at most 8", 8, 8)

    with SmallService(tiny_bundle, behaviour=Behaviour(refuse=refuse)) as service:
        with pytest.raises(RefusedError, match="8 streams, at most 8") as refused:
            streamed(service.url, SOUND)
        assert (refused.value.value, refused.value.limit) == (8, 8)
        assert refused.value.close_code == 4429
