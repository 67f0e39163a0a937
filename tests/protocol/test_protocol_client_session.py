"""The session of a client over several connections: positions, repeats, clips; no sockets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakeword.errors import ProtocolError
from wakeword.protocol import (
    PROTOCOL,
    AckMessage,
    ClientSession,
    ClipMessage,
    DetectionMessage,
    Limits,
    ReadyMessage,
    ReadyModel,
    ScoreMessage,
    StartMessage,
    encode_message,
)

RATE = 16_000


def start(**changes: Any) -> StartMessage:
    return StartMessage(
        protocol=PROTOCOL, **{"sample_rate": RATE, "encoding": "s16le", "acks": True, **changes}
    )


def ready(step_ms: float = 100.0, refractory_s: float = 1.0) -> str:
    model = ReadyModel(name="m", version="1", words=(), refractory_s=refractory_s)
    return encode_message(
        ReadyMessage(
            protocol=PROTOCOL, stream_id="s", sample_rate=RATE, models=(model,), step_ms=step_ms,
            latency_ms=0.0, limits=Limits(message_bytes=100, buffer_s=1.0, idle_s=1.0),
        )
    )  # fmt: skip


def detection(end_s: float, id: str = "d", keyword: str = "word") -> str:
    end = round(end_s * RATE)
    return encode_message(
        DetectionMessage(
            id=id, stream_id="s", keyword=keyword, model="m", score=0.9, threshold=0.5,
            start_sample=max(0, end - RATE), end_sample=end, start_s=max(0.0, end_s - 1),
            end_s=end_s,
        )
    )  # fmt: skip


def ack(seconds: float) -> str:
    return encode_message(AckMessage(samples=round(seconds * RATE)))


def connected(session: ClientSession, **values: Any) -> StartMessage:
    """A new connection of ``session``, up to ``ready``."""
    begun = session.reconnect()
    session.receive_text(ready(**values))
    return begun


def clip_of(session: ClientSession, id: str) -> str | None:
    """The detection that the clip announced for ``id`` is handed out for."""
    clip = ClipMessage(detection_id=id, sample_rate=RATE, start_sample=0, samples=2)
    session.receive_text(encode_message(clip))
    audio = session.receive_bytes(b"\0\0\1\0")
    return audio and audio.clip.detection_id


@given(
    rate=st.sampled_from([8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 44_103, 384_000]),
    first=st.integers(0, 2**40),
    acked_s=st.floats(0, 1e5),
    step_ms=st.sampled_from([100.0, 80.0, 10.0, 62.5]),
)
def test_a_new_connection_begins_on_the_grid_at_least_5_s_before_the_ack(
    rate, first, acked_s, step_ms
):
    session = ClientSession(start(sample_rate=rate, first_sample=first))
    connected(session, step_ms=step_ms)
    acked = first + round(acked_s * rate)
    session.receive_text(encode_message(AckMessage(samples=acked)))
    begun = session.reconnect()
    assert begun.first_sample == session.keep_from_sample
    steps = (begun.first_sample - first) * 1000 / rate / step_ms
    assert steps == pytest.approx(round(steps), abs=1e-6), "a whole number of steps"
    assert begun.first_sample <= max(first, acked - 5 * rate)
    assert begun.first_sample >= max(first, acked - 7.1 * rate), "and not much earlier"
    assert 0 <= acked - begun.detect_after_sample <= 0.3 * rate + 1


@pytest.mark.parametrize("step_ms", [0.0, -100.0, 1e9, 0.0001])
def test_an_absurd_step_does_not_make_the_client_keep_everything(step_ms):
    session = ClientSession(start())
    connected(session, step_ms=step_ms)
    session.receive_text(ack(100))
    assert 94 * RATE <= session.keep_from_sample <= 95 * RATE


def test_the_first_connection_asks_for_what_its_owner_asked_for():
    asked = start(first_sample=50 * RATE, detect_after_sample=60 * RATE)
    assert ClientSession(asked).reconnect() == asked


def test_audio_that_was_not_kept_counts_as_acknowledged():
    session = ClientSession(start())
    connected(session)
    session.receive_text(ack(10))
    begun = session.reconnect(20 * RATE)
    assert begun.first_sample == session.acked_samples == 20 * RATE
    session.receive_text(ready())
    session.receive_text(ack(15))
    assert session.acked_samples == 20 * RATE, "an ack never goes back"


@pytest.mark.parametrize("again_s", [8.0, 10.0, 10.1, 9.9, 10.99])
def test_an_utterance_is_told_once_over_two_connections(again_s):
    """The gain control began elsewhere: the crossing may have moved by a step."""
    session = ClientSession(start())
    connected(session)
    assert session.receive_text(detection(8.0)) is not None
    assert session.receive_text(detection(10.0)) is not None
    connected(session)
    assert session.receive_text(detection(again_s)) is None
    assert session.receive_text(detection(11.0)) is not None, "another utterance"
    assert session.receive_text(detection(again_s, keyword="other")) is not None


def test_within_one_connection_the_detector_decides():
    session = ClientSession(start())
    connected(session, refractory_s=0.2)
    assert session.receive_text(detection(10.0)) is not None
    assert session.receive_text(detection(10.3)) is not None
    connected(session, refractory_s=0.2)
    assert session.receive_text(detection(10.3)) is None
    assert session.receive_text(detection(10.5)) is not None


def test_scores_are_told_once():
    def score(end_s: float) -> str:
        return encode_message(
            ScoreMessage(model="m", end_sample=round(end_s * RATE), end_s=end_s, scores={"w": 0.5})
        )

    session = ClientSession(start(scores=True))
    connected(session)
    assert session.receive_text(score(1.0)) is not None
    connected(session)
    assert session.receive_text(score(0.9)) is None
    assert session.receive_text(score(1.0)) is None
    assert session.receive_text(score(1.1)) is not None


def test_a_clip_that_was_lost_with_its_connection_goes_to_the_detection_that_was_told():
    session = ClientSession(start(clips=True))
    connected(session)
    session.receive_text(detection(10.0, "first"))
    connected(session)
    assert session.receive_text(detection(10.0, "again")) is None
    assert clip_of(session, "again") == "first"
    connected(session)
    assert session.receive_text(detection(10.0, "third")) is None
    assert clip_of(session, "third") is None, "told before"


def test_clips_of_new_detections_are_their_own():
    session = ClientSession(start(clips=True))
    connected(session)
    session.receive_text(detection(10.0, "one"))
    assert clip_of(session, "one") == "one"


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([ack(1)], "ack came, but the first message must be ready"),
        ([ready(), ready()], "a second ready came"),
        ([ready(), b"\0\0"], "no clip was announced"),
        (["{"], "not valid JSON"),
        ([ready(), '{"type":"ack","samples":"many"}'], "ack.samples = 'many' is not a int"),
    ],
)
def test_a_server_that_breaks_the_rules_is_found_out(messages, says):
    session = ClientSession(start())
    with pytest.raises(ProtocolError, match=says):
        for message in messages:
            take = session.receive_bytes if isinstance(message, bytes) else session.receive_text
            take(message)


def test_a_clip_must_have_its_length_and_follow_at_once():
    announced = encode_message(
        ClipMessage(detection_id="d", sample_rate=RATE, start_sample=0, samples=3)
    )
    session = ClientSession(start(clips=True))
    connected(session)
    session.receive_text(announced)
    with pytest.raises(ProtocolError, match="a clip of 4 bytes, but 3 samples were announced"):
        session.receive_bytes(b"\0" * 4)
    session.receive_text(announced)
    with pytest.raises(ProtocolError, match="the audio of a clip must follow"):
        session.receive_text(ack(1))


def test_what_a_newer_server_says_is_ignored():
    session = ClientSession(start())
    connected(session)
    assert session.receive_text(json.dumps({"type": "weather", "sun": True})) is None
