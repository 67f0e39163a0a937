"""How OpenAPI describes refusals: one schema, and the statuses that every route may answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

MEDIA_TYPE = "application/problem+json"
URN = "urn:wakeword:problem:"

Responses = dict[int | str, dict[str, Any]]

MEANINGS: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "The request is malformed"),
    401: ("unauthorized", "No key, or a wrong one"),
    403: ("forbidden", "The key or the origin does not allow this"),
    404: ("not_found", "There is no such thing"),
    405: ("method_not_allowed", "The path does not know this method"),
    408: ("too_slow", "The body does not arrive"),
    409: ("conflict", "The state does not allow this now"),
    412: ("precondition_failed", "Somebody else has changed it"),
    413: ("too_large", "The body is larger than allowed"),
    415: ("unsupported_media_type", "The body is of a type that is not understood"),
    422: ("invalid", "A value is outside its limits"),
    428: ("precondition_required", "The request must say which state it changes"),
    429: ("too_many_requests", "Too many requests"),
    500: ("internal", "A fault of the server"),
    503: ("unavailable", "The server cannot do this now"),
    507: ("storage_full", "The state cannot be written: the disk is full"),
}
"""Code and title of each status."""


def responses(*statuses: int) -> Responses:
    """The ``responses`` of a route that may answer with these problems."""
    return {status: _described(status) for status in statuses}


SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "Why a request was refused (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": [URN + "invalid"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "value": {"description": "What was refused."},
        "limit": {"description": "The limit that it broke."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["where", "message"],
                "properties": {"where": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
"""JSON Schema of the body."""


def _described(status: int) -> dict[str, Any]:
    code, title = MEANINGS[status]
    example = {"type": URN + code, "title": title, "status": status, "detail": "..."}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": title,
        "content": {MEDIA_TYPE: {"schema": schema, "example": example}},
    }


def describe(app: FastAPI) -> None:
    """Let the OpenAPI of ``app`` say that every refusal is a problem."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            for theirs in ("HTTPValidationError", "ValidationError"):
                schemas.pop(theirs, None)
            schemas["Problem"] = SCHEMA
            for path, operations in document["paths"].items():
                for operation in operations.values():
                    _complete(path, operation)
        assert app.openapi_schema is not None
        return app.openapi_schema

    # FastAPI's own documented way to extend the description.
    app.openapi = openapi  # type: ignore[method-assign]


def _complete(path: str, operation: dict[str, Any]) -> None:
    """Add what every route of ``/v1`` may answer; FastAPI's own form of 422 is not ours."""
    known = operation["responses"]
    known.pop("422", None)
    if path.startswith("/v1/"):
        bodies = (408, 413, 415) if "requestBody" in operation else ()
        for status in (400, 401, 403, 422, 429, 503, *bodies):
            known.setdefault(str(status), _described(status))
    operation["responses"] = {status: known[status] for status in sorted(known)}
