"""The page, the schema and the AsyncAPI document say what the program does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import pytest

from wakeword.errors import ProtocolError
from wakeword.protocol import (
    ClientSession,
    CloseCode,
    Ended,
    ErrorCode,
    ServerSession,
    Started,
    SummaryMessage,
    WarningCode,
    parse_client_message,
    parse_server_message,
)
from wakeword.protocol.start import OPUS_RATES

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PAGE = REPOSITORY / "docs" / "protocol.md"
LEAST = {"type": "start", "protocol": 1, "sample_rate": 16_000, "encoding": "s16le"}


@pytest.fixture(scope="module")
def schema_tool() -> ModuleType:
    """tools/protocol_schema.py"""
    return tool("protocol_schema")


@pytest.fixture(scope="module")
def schema(schema_tool: ModuleType) -> dict[str, Any]:
    made: dict[str, Any] = schema_tool.schema()
    return made


@pytest.fixture(scope="module")
def valid(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """A validator that is not ours."""
    return jsonschema_rs.Draft202012Validator(schema)


def tool(name: str) -> ModuleType:
    """A script of tools/, as a module; it may import its neighbours."""
    import importlib
    import sys

    sys.path.insert(0, str(REPOSITORY / "tools"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == tool("protocol_page").page(), "run: python3 dev.py docs"


def test_the_files_beside_it_are_current(schema_tool: ModuleType) -> None:
    for file, text in schema_tool.documents().items():
        assert file.read_text("utf-8") == text, "run: python3 dev.py docs"


def test_every_code_is_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    for code in (*ErrorCode, *WarningCode):
        assert f"`{code}`" in page
    for close_code in CloseCode:
        assert f"| {close_code.value} |" in page


def test_the_examples_are_messages_and_every_message_has_one(
    schema: dict[str, Any], valid: jsonschema_rs.Draft202012Validator
) -> None:
    examples = [e for d in schema["$defs"].values() for e in d.get("examples", ())]
    kinds = {d["properties"]["type"]["const"] for d in schema["$defs"].values()
             if "type" in d.get("properties", {})}  # fmt: skip
    assert {e["type"] for e in examples} == kinds
    for example in examples:
        text = json.dumps(example)
        of_client = example["type"] in ("start", "end")
        assert (parse_client_message if of_client else parse_server_message)(text) is not None
        assert valid.is_valid(example)


AGREED: list[dict[str, Any]] = [
    *({"sample_rate": v} for v in (0, 7, 3_999, 4_000, 384_000, 384_001, 10**9, True, "16000")),
    *({"channels": v} for v in (0, 1, 64, 65, 1000, "1")),
    *({"encoding": v} for v in ("s16le", "f32le", "mulaw", "mp3", None, 1)),
    *({"encoding": "opus", "sample_rate": v} for v in (*OPUS_RATES, 44_100)),
    *({"encoding": "opus", "channels": v} for v in (1, 2, 3)),
    *({"threshold": v} for v in (0, 1e-9, 0.5, 1, 1.5, True, "x", None, {}, {"a": 0.5}, {"a": 1})),
    *({"threshold": v} for v in ({"a": "x"}, {"x" * 161: 0.5}, {"a": None}, [0.5])),
    *({"false_alarms_per_hour": v} for v in (0, -1, 0.5, 1000, None, "x")),
    {"threshold": 0.5, "false_alarms_per_hour": 1},
    {"threshold": {"a": 0.5}, "false_alarms_per_hour": 1},
    {"threshold": None, "false_alarms_per_hour": 1},
    *({"models": v} for v in ([], ["a"], ["a"] * 64, ["a"] * 65, [""], ["x" * 161], [1], "a")),
    *({"name": v} for v in ("", "x" * 64, "x" * 65, 1, None)),
    *({"key": v} for v in ("", "k", "k" * 256, "k" * 257, 1, None)),
    *({"first_sample": v} for v in (-1, 0, 2**53 - 1, 2**53, "0", None)),
    *({"detect_after_sample": v} for v in (-1, 0, 2**53 - 1, 2**53)),
    *({flag: v} for flag in ("scores", "clips", "acks") for v in (True, False, 1, "true", None)),
    *({"protocol": v} for v in (1, 2, True, "1")),
    {"colour": "blue"},
]


@pytest.mark.parametrize("changes", AGREED, ids=lambda c: json.dumps(c)[:40])
def test_the_schema_and_the_server_accept_the_same(
    changes: dict[str, Any], valid: jsonschema_rs.Draft202012Validator
) -> None:
    message = LEAST | changes
    try:
        parse_client_message(json.dumps(message))
        accepted = True
    except ProtocolError:
        accepted = False
    assert valid.is_valid(message) == accepted


@pytest.mark.parametrize("key", LEAST)
def test_what_is_required_is_required_by_both(
    key: str, valid: jsonschema_rs.Draft202012Validator
) -> None:
    message = {k: v for k, v in LEAST.items() if k != key}
    assert not valid.is_valid(message)
    with pytest.raises(ProtocolError):
        parse_client_message(json.dumps(message))


def test_asyncapi_names_messages_that_exist(schema_tool: ModuleType) -> None:
    document, schema = schema_tool.asyncapi(), schema_tool.schema()

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [r for v in value.values() for r in references(v)]
        return [r for v in value for r in references(v)] if isinstance(value, list) else []

    found = references(document)
    assert len(found) > 30
    for reference in found:
        file, _, path = reference.partition("#/")
        target: Any = schema if file == "./protocol.schema.json" else document
        for part in path.split("/"):
            target = target[part]
    assert set(document["operations"]) == {"hear", "tell"}


def test_the_conversation_on_the_page_follows_the_protocol() -> None:
    block = re.search(r"```text\n(> .*?)```", PAGE.read_text("utf-8"), re.S)
    assert block
    lines = re.split(r"\n(?=[<>] )", block[1].strip())
    server, client, last = ServerSession(), None, None
    for line in lines:
        side, said = line[0], " ".join(line[2:].split())
        if said.startswith("(close"):
            assert isinstance(last, SummaryMessage) and said == "(close 1000)"
        elif said.startswith("(binary"):
            for _ in range(said.count("(binary")):
                server.receive_bytes(bytes(2560))
        elif side == ">":
            event = server.receive_text(said)
            client = ClientSession(event.start) if isinstance(event, Started) else client
            assert isinstance(event, Started | Ended)
        else:
            assert client is not None
            last = client.receive_text(said)
            assert last is not None
