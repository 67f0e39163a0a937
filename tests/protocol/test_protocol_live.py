"""The protocol against a real server: all encodings, the page's example, the schema."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pytest
import soundfile
from bundles import with_bursts
from live_server import Heard, LiveServer, client, live_server, offline, pcm
from numpy.typing import NDArray
from opus_packets import encode

from wakeword.audio.resample import resample
from wakeword.protocol import parse_server_message

BURSTS = [(1.0, "low tone"), (2.5, "high tone"), (4.0, "low tone")]
SECONDS = 5.0
WANTED: dict[str, Any] = {"acks": True, "scores": True, "clips": True, "name": "test"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[LiveServer]:
    state = tmp_path_factory.mktemp("state")
    with live_server(state, models=(str(tiny_bundle),)) as running:
        yield running


def audio(rate: int) -> NDArray[np.float32]:
    """Words in faint noise, (n,) at ``rate``."""
    return resample(with_bursts(SECONDS, BURSTS, noise=1e-3), 16_000, rate)


def packets_of(encoding: str, rate: int, channels: int) -> list[bytes]:
    """The words as messages."""
    samples = audio(rate)
    together = np.repeat(samples[:, None], channels, axis=1)
    if encoding == "opus":
        return encode((together * 32767).astype(np.int16), rate)
    if encoding == "f32le":
        data = together.astype("<f4").tobytes()
    elif encoding == "s16le":
        data = pcm(together)
    else:
        data = mulaw(together)
    return [data[at : at + 1001] for at in range(0, len(data), 1001)]


def mulaw(samples: NDArray[np.float32]) -> bytes:
    """As libsndfile writes it."""
    file = io.BytesIO()
    soundfile.write(file, samples, 8000, format="RAW", subtype="ULAW")
    return file.getvalue()


async def stream(server: LiveServer, messages: list[bytes], **start: Any) -> Heard:
    """Send all of it and end."""
    declared = {"type": "start", "protocol": 1, **WANTED, **start}
    async with client(server.stream, declared) as one:
        await one.send(*messages)
        return await one.end()


@pytest.mark.parametrize(
    "encoding, rate, channels",
    [("s16le", 16_000, 1), ("s16le", 44_100, 2), ("f32le", 48_000, 1), ("mulaw", 8_000, 1),
     ("mulaw", 16_000, 2), ("opus", 16_000, 1), ("opus", 48_000, 2), ("opus", 8_000, 1)],
)  # fmt: skip
def test_every_encoding_hears_the_same_words_at_the_same_times(
    server: LiveServer, tiny_bundle: Path, encoding: str, rate: int, channels: int
) -> None:
    messages = packets_of(encoding, rate, channels)
    heard = asyncio.run(
        stream(server, messages, encoding=encoding, sample_rate=rate, channels=channels)
    )
    assert heard.close_code == 1000
    expected = offline(str(tiny_bundle), audio(16_000))
    assert [word for word, _, _ in heard.detections] == [word for word, _, _ in expected]
    for (_, _, end), (_, _, wanted) in zip(heard.detections, expected, strict=True):
        assert end / rate == pytest.approx(wanted / 16_000, abs=0.11)
    assert heard.summary["seconds"] == pytest.approx(SECONDS, abs=0.05)
    assert heard.summary["samples"] == pytest.approx(SECONDS * rate, abs=0.05 * rate)


def test_everything_that_the_server_says_is_in_the_schema(
    server: LiveServer, repository: Path
) -> None:
    schema = json.loads((repository / "docs" / "protocol.schema.json").read_text("utf-8"))
    valid = jsonschema_rs.Draft202012Validator(schema)
    messages = packets_of("s16le", 16_000, 1)
    start = {"encoding": "s16le", "sample_rate": 16_000}
    heard = asyncio.run(stream(server, messages, **start))
    loud = asyncio.run(stream(server, [pcm(np.ones(160_000, np.float32))], **start))
    wrong = asyncio.run(stream(server, [b"1"], **start))
    said = heard.messages + loud.messages + wrong.messages
    assert {m["type"] for m in said} == {
        "ready", "detection", "clip", "score", "ack", "warning", "summary", "error",
    }  # fmt: skip
    for message in said:
        valid.validate(message)
        parsed = parse_server_message(json.dumps(message))
        assert parsed is not None and set(message) <= set(parsed.__dataclass_fields__)
    assert [2 * clip["samples"] for clip in heard.of("clip")] == list(map(len, heard.binary))


@pytest.mark.parametrize(
    "packet, close_code",
    [(b"", 1000), (b"\x03", 4400), (b"OggS" + bytes(80), 4400), (bytes(9000), 1009)],
    ids=["empty", "no frames", "a page of a file", "too long"],
)
def test_a_broken_packet_ends_its_stream_alone(
    server: LiveServer, packet: bytes, close_code: int
) -> None:
    good = packets_of("opus", 16_000, 1)
    start = {"encoding": "opus", "sample_rate": 16_000}

    async def both() -> tuple[Heard, Heard]:
        return await asyncio.gather(
            stream(server, [*good[:50], packet, *good[50:]], **start), stream(server, good, **start)
        )

    broken, beside = asyncio.run(both())
    assert [word for word, _, _ in beside.detections] == [word for _, word in BURSTS]
    assert broken.close_code == close_code
    if close_code == 1000:
        assert broken.detections == beside.detections
    else:
        assert broken.error["close_code"] == close_code and "opus" in broken.error["message"]


def test_the_client_on_the_page_works(
    server: LiveServer, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (repository / "docs" / "protocol.md").read_text("utf-8")
    block = re.search(r"```python\n(.*?)```", page, re.S)
    assert block
    names: dict[str, Any] = {"__name__": "example"}
    exec(block[1], names)
    soundfile.write(tmp_path / "words.wav", audio(16_000), 16_000, subtype="PCM_16")
    asyncio.run(names["detect"](server.stream, str(tmp_path / "words.wav")))
    lines = [line.rsplit(" ", 1) for line in capsys.readouterr().out.splitlines()]
    assert [word for word, _ in lines] == [word for _, word in BURSTS]
    with pytest.raises(SystemExit, match="sample_rate"):
        soundfile.write(tmp_path / "slow.wav", audio(16_000), 2_000, subtype="PCM_16")
        asyncio.run(names["detect"](server.stream, str(tmp_path / "slow.wav")))
