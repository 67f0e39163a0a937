"""Messages: to JSON and back, every kind of bad one, and what a newer server may say."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakeword.errors import ProtocolError
from wakeword.protocol import (
    CLOSE_CODES,
    CloseCode,
    EndMessage,
    ErrorCode,
    ErrorMessage,
    ReadyMessage,
    ScoreMessage,
    StartMessage,
    SummaryMessage,
    WarningMessage,
    WireEncoding,
    encode_message,
    error_message,
    parse_client_message,
    parse_server_message,
)
from wakeword.protocol.start import MAX_SAMPLE, OPUS_RATES
from wakeword.protocol.wire import MAX_BRACKETS, MAX_TEXT_CHARS

LEAST = {"type": "start", "protocol": 1, "sample_rate": 16_000, "encoding": "s16le"}

words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)
thresholds = st.floats(0.0, 1.0, exclude_min=True, exclude_max=True)
starts = st.builds(
    StartMessage,
    protocol=st.just(1),
    sample_rate=st.sampled_from(OPUS_RATES),
    encoding=st.sampled_from(get_args(WireEncoding)),
    channels=st.integers(1, 2),
    models=st.lists(words, max_size=64).map(tuple),
    threshold=st.none() | thresholds | st.dictionaries(words, thresholds, max_size=5),
    scores=st.booleans(),
    clips=st.booleans(),
    acks=st.booleans(),
    name=words | st.just(""),
    key=st.none() | words,
    first_sample=st.integers(0, MAX_SAMPLE),
    detect_after_sample=st.integers(0, MAX_SAMPLE),
)


def start(**changes: Any) -> str:
    """The least start with ``changes``; None leaves a key out."""
    return json.dumps({k: v for k, v in (LEAST | changes).items() if v is not None})


def refused(text: str, code: ErrorCode = ErrorCode.BAD_MESSAGE) -> ProtocolError:
    """The refusal of a client's message, checked to be one that can be sent."""
    with pytest.raises(ProtocolError) as caught:
        parse_client_message(text)
    error = caught.value
    assert error.code == code and error.close_code == CLOSE_CODES[code]
    sent = encode_message(error_message(error))
    assert len(sent) < 1500, "a refusal must not repeat what it refuses at length"
    read = parse_server_message(sent)
    assert isinstance(read, ErrorMessage) and read.message == str(error)
    return error


def test_the_least_start_has_the_documented_defaults() -> None:
    assert parse_client_message(start()) == StartMessage(
        protocol=1, sample_rate=16_000, encoding="s16le", channels=1, models=(), threshold=None,
        false_alarms_per_hour=None, scores=False, clips=False, acks=False, name="", key=None,
        first_sample=0, detect_after_sample=0,
    )  # fmt: skip
    assert parse_client_message('{"type":"end"}') == EndMessage()


@given(starts)
def test_a_start_survives_json(message: StartMessage) -> None:
    text = encode_message(message)
    assert text.isascii() and None not in json.loads(text).values()
    assert parse_client_message(text) == message


@given(
    st.dictionaries(words, st.floats(0, 1, width=32)), st.text(max_size=30), st.floats(0, 1e9)
)
def test_server_messages_survive_json(
    scores: dict[str, float], text: str, seconds: float
) -> None:
    for message in (
        ScoreMessage(model="m", end_sample=1, end_s=seconds, scores=scores),
        WarningMessage(code=text, message=text, word=text, values=scores),
        SummaryMessage(stream_id=text, samples=3, seconds=seconds, detections={"a": 1}, warnings=0,
                       max_lag_ms=seconds, real_time_factor=1.0, reason="end"),
    ):  # fmt: skip
        assert parse_server_message(encode_message(message)) == message


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "rate 0": ({"sample_rate": 0}, "0 Hz.* 4000 and 384000"),
    "rate 7": ({"sample_rate": 7}, "7 Hz.* 4000 and 384000"),
    "rate 1e9": ({"sample_rate": 1_000_000_000}, "1000000000 Hz"),
    "huge rate": ({"sample_rate": 10**4000}, "sample_rate"),
    "rate true": ({"sample_rate": True}, "sample_rate = True"),
    "rate text": ({"sample_rate": "16000"}, "sample_rate = '16000'"),
    "rate float": ({"sample_rate": 16000.0}, "sample_rate = 16000.0"),
    "no rate": ({"sample_rate": None}, "sample_rate"),
    "no encoding": ({"encoding": None}, "encoding"),
    "no protocol": ({"protocol": None}, "protocol"),
    "channels 0": ({"channels": 0}, "channels = 0.* 1 and 64"),
    "channels 1000": ({"channels": 1000}, "channels = 1000.* 1 and 64"),
    "channels true": ({"channels": True}, "channels = True"),
    "a flood": ({"sample_rate": 384_000, "channels": 64}, "49152000 bytes a second.*4194304"),
    "opus channels": ({"encoding": "opus", "channels": 3}, "channels of opus = 3.* 1 and 2"),
    "opus rate": ({"encoding": "opus", "sample_rate": 44_100}, "44100.* 8000, 12000"),
    "encoding": ({"encoding": "mp3"}, "'mp3' is not one of s16le, f32le, mulaw, opus"),
    "encoding list": ({"encoding": ["s16le"]}, "encoding"),
    "unknown key": ({"colour": "blue"}, "unknown key 'colour'.*sample_rate"),
    "long unknown key": ({"k" * 60_000: 1}, "unknown key 'kkk"),
    "threshold 0": ({"threshold": 0}, "threshold = 0.*between 0 and 1"),
    "threshold 1": ({"threshold": 1}, "threshold = 1.*between 0 and 1"),
    "threshold true": ({"threshold": True}, "threshold = True"),
    "threshold text": ({"threshold": "high"}, "threshold = 'high'"),
    "threshold list": ({"threshold": [0.5]}, "threshold"),
    "word's threshold": ({"threshold": {"computer": 1.5}}, "threshold of 'computer' = 1.5"),
    "word's text": ({"threshold": {"computer": "x"}}, "threshold.computer = 'x'"),
    "target 0": ({"false_alarms_per_hour": 0}, "false_alarms_per_hour = 0"),
    "target below 0": ({"false_alarms_per_hour": -1}, "false_alarms_per_hour = -1"),
    "both": ({"threshold": 0.9, "false_alarms_per_hour": 1}, "left out where one threshold"),
    "models text": ({"models": "seven"}, "models = 'seven' is not a list"),
    "model number": ({"models": [7]}, r"models = 7"),
    "empty model": ({"models": [""]}, r"models\[0\]"),
    "long model": ({"models": ["x" * 161]}, r"models\[0\].*160 printable"),
    "65 models": ({"models": ["x"] * 65}, "a list of 65.*at most 64"),
    "thousands of models": ({"models": ["x"] * 12_000}, "a list of 12000.*at most 64"),
    "long name": ({"name": "x" * 65}, "64 printable characters"),
    "name with a line end": ({"name": "a\nb"}, "64 printable characters"),
    "name with an escape": ({"name": "\x1b[31m"}, "64 printable characters"),
    "name with half a character": ({"name": "\ud800"}, "64 printable characters"),
    "name turned around": ({"name": "\u202egnp"}, "64 printable characters"),
    "empty key": ({"key": ""}, "1 to 256 characters"),
    "long key": ({"key": "k" * 257}, "of 257 characters"),
    "first sample": ({"first_sample": -1}, "first_sample = -1"),
    "huge sample": ({"first_sample": 2**53}, "first_sample"),
    "after sample": ({"detect_after_sample": 2**63}, "detect_after_sample"),
    "scores 1": ({"scores": 1}, "scores = 1 is not a bool"),
}


@pytest.mark.parametrize("changes, says", WRONG.values(), ids=WRONG)
def test_a_wrong_start_is_one_clear_refusal(changes: dict[str, Any], says: str) -> None:
    error = refused(start(**changes))
    assert re.search(says, str(error)), str(error)


@pytest.mark.parametrize("version", [2, 0, -1, 10**30])
def test_another_protocol_is_answered_with_ours(version: int) -> None:
    error = refused(start(protocol=version), ErrorCode.UNSUPPORTED)
    assert error.limit == 1
    refused(start(protocol=True))


def test_numbers_of_a_refusal_are_numbers() -> None:
    error = refused(start(sample_rate=7))
    assert (error.value, error.limit) == (7, "4000 to 384000 Hz")
    error = refused(start(threshold=1.5))
    assert (error.value, error.limit) == (1.5, "between 0 and 1, both excluded")


def test_a_wrong_key_is_never_repeated() -> None:
    secret = "ww_" + "s3cret" * 50
    error = refused(start(key=secret))
    assert "s3cret" not in f"{error} {error.value} {error.limit}"
    error = refused(start(key="ww_s3cret")[:-1])
    assert "s3cret" not in f"{error} {error.value} {error.limit}"
    assert "s3cret" not in repr(parse_client_message(start(key="ww_s3cret")))


BAD_JSON = {
    "nothing": "",
    "half": '{"type": "start"',
    "text where audio is due": "UklGRiQAAABXQVZF",
    "a list": "[]",
    "a number": "1",
    "null": "null",
    "NaN": start()[:-1] + ', "threshold": NaN}',
    "infinity": start()[:-1] + ', "threshold": Infinity}',
    "too large for a float": start()[:-1] + ', "threshold": 1e999}',
    "a key twice": start()[:-1] + ', "encoding": "f32le"}',
    "a number of 5000 digits": start()[:-1] + f', "first_sample": {"9" * 5000}}}',
    "nested lists": "[" * 2000,
    "nested tables": '{"a":' * 2000,
    "nested in a start": start()[:-1] + ', "models": ' + "[" * 1500 + "]" * 1500 + "}",
    "more brackets than allowed": "[" * (MAX_BRACKETS + 1),
    "no type": '{"protocol": 1}',
    "another type": '{"type": "ready"}',
    "a type of another type": '{"type": {"type": "start"}}',
    "a byte order mark": "\ufeff" + start(),
    "end with more": '{"type": "end", "now": true}',
}


@pytest.mark.parametrize("text", BAD_JSON.values(), ids=BAD_JSON)
def test_bad_json_is_one_clear_refusal(text: str) -> None:
    refused(text)


def test_a_long_text_is_refused_before_it_is_read() -> None:
    error = refused('"' + "[" * MAX_TEXT_CHARS + '"', ErrorCode.MESSAGE_TOO_BIG)
    assert (error.value, error.limit) == (MAX_TEXT_CHARS + 2, MAX_TEXT_CHARS)
    assert error.close_code == CloseCode.TOO_BIG


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner),
    max_leaves=20,
)


@given(st.sampled_from([*StartMessage.__dataclass_fields__]), json_values)
def test_no_value_of_any_field_escapes_the_refusals(field: str, value: Any) -> None:
    try:
        message = parse_client_message(json.dumps(LEAST | {field: value}))
    except ProtocolError as error:
        encode_message(error_message(error))
    else:
        assert parse_client_message(encode_message(message)) == message


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_text_escapes_the_refusals(text: str) -> None:
    with pytest.raises(ProtocolError):
        parse_client_message(text)


def test_a_client_ignores_what_a_newer_server_says_more() -> None:
    text = (
        '{"type": "ready", "protocol": 1, "stream_id": "a", "sample_rate": 16000, "colour": 1,'
        ' "models": [{"name": "m", "version": "1", "gpu": true, "refractory_s": 1.0, "words":'
        ' [{"word": "w", "threshold": 0.5, "source": "model", "since": "May"}]}], "step_ms": 100,'
        ' "latency_ms": 300, "limits": {"message_bytes": 1, "buffer_s": 5, "idle_s": 30, "x": {}}}'
    )
    ready = parse_server_message(text)
    assert isinstance(ready, ReadyMessage) and ready.models[0].words[0].word == "w"
    assert parse_server_message('{"type": "weather", "rain": 1}') is None


@pytest.mark.parametrize(
    "text",
    ['{"type": "ack"}', '{"type": "ack", "samples": "1"}', '{"type": "ack", "samples": NaN}',
     '{"type": "score", "model": "m", "end_sample": 1, "end_s": 0.1, "scores": {"w": null}}', "["],
)  # fmt: skip
def test_a_client_refuses_a_message_that_is_wrong(text: str) -> None:
    with pytest.raises(ProtocolError):
        parse_server_message(text)


def test_what_json_cannot_hold_is_never_sent() -> None:
    message = ScoreMessage(model="m", end_sample=1, end_s=math.nan, scores={})
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode_message(message)
    with pytest.raises(TypeError, match="cannot hold"):
        encode_message(replace(message, end_s=np.float32(1)))
