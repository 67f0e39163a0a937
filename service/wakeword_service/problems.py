"""Errors of the REST interface: application/problem+json (RFC 9457) with value and limit.

Raise :class:`Problem`, or any error of the library or of the store: :func:`install` turns all of
them, and what FastAPI itself refuses, into one form, and writes that form into OpenAPI.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from wakeword.errors import (
    AudioError,
    EvaluationError,
    UnknownModelError,
    WakewordError,
)
from wakeword_service.problem_docs import MEANINGS, MEDIA_TYPE, URN, describe, responses
from wakeword_service.store.errors import StorageFull, StoreError

__all__ = ["Problem", "install", "of_error", "plain", "responses"]

MAX_VALUE_CHARACTERS = 200

logger = logging.getLogger(__name__)


class Problem(HTTPException):
    """A refusal, as the client gets it.

    Parameters
    ----------
    code
        Machine-readable; ``type`` becomes ``urn:wakeword:problem:<code>``. By default that of
        the status.
    extra
        Further members; by convention ``value`` is what was refused and ``limit`` why.
    """

    def __init__(
        self,
        status: int,
        code: str | None = None,
        title: str | None = None,
        detail: str = "",
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        general = MEANINGS.get(status, ("error", "The request failed"))
        super().__init__(status, detail or title or general[1], headers)
        self.code = code or general[0]
        self.title = title or general[1]
        self.extra = extra

    def body(self) -> dict[str, Any]:
        """The members of the answer."""
        return {
            "type": URN + self.code,
            "title": self.title,
            "status": self.status_code,
            "detail": self.detail,
            **{name: plain(value) for name, value in self.extra.items()},
        }

    def response(self) -> Response:
        """The answer."""
        text = json.dumps(self.body(), ensure_ascii=False, allow_nan=False)
        # A lone surrogate may come back in a detail; UTF-8 has no bytes for it.
        data = text.encode("utf-8", "replace")
        return Response(data, self.status_code, self.headers, media_type=MEDIA_TYPE)


def of_error(error: WakewordError) -> Problem:
    """The problem that says an error of the library."""
    if isinstance(error, UnknownModelError):
        return Problem(404, "unknown_model", "No such model or word", str(error))
    if isinstance(error, StorageFull):
        return Problem(507, detail=str(error))
    if isinstance(error, StoreError):
        return Problem(
            503, error.code, detail=str(error), headers={"Retry-After": str(error.retry_after_s)}
        )
    numbers = {name: getattr(error, name) for name in ("value", "limit") if hasattr(error, name)}
    if isinstance(error, AudioError):
        return Problem(422, "bad_audio", "The audio cannot be used", str(error), **numbers)
    if isinstance(error, EvaluationError):
        return Problem(422, "bad_measurement", "This cannot be measured", str(error), **numbers)
    return Problem(422, detail=str(error), **numbers)


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` as a problem, and describe that in its OpenAPI."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(WakewordError, _library_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _fault)
    describe(app)


def plain(value: Any) -> Any:
    """``value`` as JSON can carry it back: short, finite, of plain types."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else "an integer beyond 64 bits"
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, Mapping):
        return {str(name)[:MAX_VALUE_CHARACTERS]: plain(v) for name, v in list(value.items())[:32]}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(item) for item in value[:32]]
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= MAX_VALUE_CHARACTERS else text[:MAX_VALUE_CHARACTERS] + "..."


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _library_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, WakewordError)
    return of_error(error).response()


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_allowed(request))
    return Problem(error.status_code, detail=str(error.detail), headers=headers).response()


def _allowed(request: Request) -> list[str]:
    """All methods of a path; Starlette names those of the first route that fits only."""
    methods: set[str] = set()
    for path, operations in request.app.openapi()["paths"].items():
        if _pattern(path).match(request.scope["path"]):
            methods |= {name.upper() for name in operations}
    return sorted(methods)


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return compile_path(path)[0]


async def _validation_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        {"where": _where(fault["loc"]), "message": fault["msg"]}
        | _value_and_limit(fault)
        for fault in error.errors()[:16]
    ]
    first = faults[0]
    extra = {name: first[name] for name in ("value", "limit") if name in first}
    detail = f"{first['where']}: {first['message']}"
    return Problem(422, detail=plain(detail), errors=faults, **extra).response()


def _where(location: Sequence[str | int]) -> str:
    """Once where a field and the kind of body that has it go by one name."""
    return ".".join(str(part) for part, _ in groupby(location))


def _value_and_limit(fault: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if not isinstance(fault.get("input"), Mapping | Sequence) or isinstance(fault["input"], str):
        said["value"] = fault.get("input")
    limits = {k: v for k, v in fault.get("ctx", {}).items() if isinstance(v, int | float | str)}
    if limits and "error" not in limits:
        said["limit"] = limits
    return said


async def _fault(request: Request, error: Exception) -> Response:
    """Anything else is a bug: the log has it, the client learns nothing about our inside."""
    logger.error("fault in %s %s", request.method, request.url.path, exc_info=error)
    return Problem(500, detail="the server's log says more").response()
