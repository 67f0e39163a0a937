"""JSON Schema and AsyncAPI of the streaming protocol, for docs/: `python3 dev.py docs`.

Shapes and meanings come from the message classes themselves, through pydantic; the limits that
their constructors check come from the constants that those use.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import protocol_examples
from pydantic import ConfigDict, TypeAdapter, with_config

from wakeword.audio.pcm import MAX_CHANNELS
from wakeword.audio.resample import MAX_RATE, MIN_RATE
from wakeword.protocol import (
    ClientMessage,
    Limits,
    ReadyModel,
    ReadyWord,
    ServerMessage,
    encode_message,
    start,
)

DOCS = Path(__file__).resolve().parent.parent / "docs"
SCHEMA_FILE, ASYNCAPI_FILE = DOCS / "protocol.schema.json", DOCS / "asyncapi.json"

CLIENT: tuple[type[Any], ...] = get_args(ClientMessage)
SERVER: tuple[type[Any], ...] = get_args(ServerMessage)
PARTS: tuple[type[Any], ...] = (ReadyModel, ReadyWord, Limits)

_BETWEEN_0_AND_1 = {"exclusiveMinimum": 0, "exclusiveMaximum": 1}
_SAMPLE = {"minimum": 0, "maximum": start.MAX_SAMPLE}
_WORD = {"type": "string", "minLength": 1, "maxLength": start.MAX_MODEL_CHARS}
START_LIMITS: dict[str, dict[str, Any]] = {
    "protocol": {"const": start.PROTOCOL},
    "sample_rate": {"minimum": MIN_RATE, "maximum": MAX_RATE},
    "channels": {"minimum": 1, "maximum": MAX_CHANNELS},
    "models": {"maxItems": start.MAX_MODELS, "items": _WORD},
    "threshold": {
        "anyOf": [
            {"type": "number", **_BETWEEN_0_AND_1},
            {
                "type": "object",
                "propertyNames": {"maxLength": start.MAX_MODEL_CHARS},
                "additionalProperties": {"type": "number", **_BETWEEN_0_AND_1},
            },
            {"type": "null"},
        ]
    },
    "false_alarms_per_hour": {"anyOf": [{"type": "number", "exclusiveMinimum": 0},
                                        {"type": "null"}]},
    "name": {"maxLength": start.MAX_NAME_CHARS},
    "key": {"anyOf": [{"type": "string", "minLength": 1, "maxLength": start.MAX_KEY_CHARS},
                      {"type": "null"}]},
    "first_sample": _SAMPLE,
    "detect_after_sample": _SAMPLE,
}  # fmt: skip
_OPUS = {
    "if": {"properties": {"encoding": {"const": "opus"}}},
    "then": {
        "properties": {
            "sample_rate": {"enum": list(start.OPUS_RATES)},
            "channels": {"maximum": start.OPUS_CHANNELS},
        }
    },
}
_NOT_BOTH = {
    "not": {
        "properties": {
            "threshold": {"type": "number"},
            "false_alarms_per_hour": {"type": "number"},
        },
        "required": ["threshold", "false_alarms_per_hour"],
    }
}


def schema() -> dict[str, Any]:
    """docs/protocol.schema.json: any message, and each by its class name under ``$defs``."""
    definitions = {cls.__name__: _definition(cls) for cls in (*CLIENT, *SERVER, *PARTS)}
    begin = definitions["StartMessage"]
    for name, limits in START_LIMITS.items():
        begin["properties"][name].update(limits)
    begin["allOf"] = [_OPUS, _NOT_BOTH]
    for cls in CLIENT:
        definitions[cls.__name__]["additionalProperties"] = False
    for side, classes in (("ClientMessage", CLIENT), ("ServerMessage", SERVER)):
        definitions[side] = {"oneOf": [_reference(cls.__name__) for cls in classes]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:wakeword:protocol:{start.PROTOCOL}",
        "title": f"Streaming protocol of wakeword, version {start.PROTOCOL}",
        "description": "Text messages on WS /v1/stream. Strings that a client sends consist of "
        "printable characters. What it does not know in a server's message, it ignores.",
        "oneOf": [_reference("ClientMessage"), _reference("ServerMessage")],
        "$defs": dict(sorted(definitions.items())),
    }


def asyncapi() -> dict[str, Any]:
    """docs/asyncapi.json: the same messages, who sends them, and the audio between them."""
    messages: dict[str, Any] = {
        cls.__name__: {
            "name": _type(cls),
            "contentType": "application/json",
            "payload": {"$ref": f"./{SCHEMA_FILE.name}#/$defs/{cls.__name__}"},
        }
        for cls in (*CLIENT, *SERVER)
    }
    binary = {"contentType": "application/octet-stream", "payload": {"type": "string"}}
    messages["Audio"] = {
        "name": "audio", "summary": "Binary: audio in the declared encoding.", **binary,
    }  # fmt: skip
    messages["ClipAudio"] = {
        "name": "clip audio", "summary": "Binary: follows each clip message, s16le.", **binary,
    }  # fmt: skip
    channel = "#/channels/stream"
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "wakeword streaming",
            "version": f"{start.PROTOCOL}.0.0",
            "description": "The rules of a session are in protocol.md.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "stream": {
                "address": "/v1/stream",
                "bindings": {"ws": {"method": "GET"}},
                "messages": {
                    name: {"$ref": f"#/components/messages/{name}"} for name in messages
                },
            }
        },
        # Seen from the server, as AsyncAPI 3 wants it.
        "operations": {
            "hear": _operation("receive", channel, [*(c.__name__ for c in CLIENT), "Audio"]),
            "tell": _operation("send", channel, [*(c.__name__ for c in SERVER), "ClipAudio"]),
        },
        "components": {"messages": messages},
    }


def documents() -> dict[Path, str]:
    """What is written to which file."""
    return {
        file: json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        for file, document in ((SCHEMA_FILE, schema()), (ASYNCAPI_FILE, asyncapi()))
    }


def _definition(cls: type[Any]) -> dict[str, Any]:
    """Schema of one class, references to others left to the whole."""
    documented = with_config(ConfigDict(use_attribute_docstrings=True))(cls)
    found = TypeAdapter(documented).json_schema(ref_template="#/$defs/{model}")
    found.pop("$defs", None)
    found.pop("title")
    for field in found["properties"].values():
        field.pop("title", None)
        if "description" in field:
            field["description"] = " ".join(field["description"].split())
    if "type" in found["properties"]:
        found["required"] = ["type", *found.get("required", [])]
        example = protocol_examples.EXAMPLES[_type(cls)]
        found["examples"] = [json.loads(encode_message(example))]
    found["description"] = " ".join(found["description"].split())
    return found


def _type(cls: type[Any]) -> str:
    return str(cls.__dataclass_fields__["type"].default)


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _operation(action: str, channel: str, names: list[str]) -> dict[str, Any]:
    messages = [{"$ref": f"{channel}/messages/{name}"} for name in names]
    return {"action": action, "channel": {"$ref": channel}, "messages": messages}
