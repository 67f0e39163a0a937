"""Structured logs: one JSON object a line on stderr, or text for people. No audio, no secrets."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import Processor

from wakeword_service.settings import Settings

OURS = "wakeword_service"


def configure(settings: Settings) -> None:
    """Write the logs of the service as chosen."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if settings.log_format == "json":
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        last += [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    ours = logging.getLogger(OURS)
    ours.handlers, ours.propagate = [handler], False
    ours.setLevel(settings.log_level.upper())


class _NoBlame(logging.Filter):
    """uvicorn writes the mistakes of clients as errors of ours, with a stack: a line is enough."""

    def filter(self, record: logging.LogRecord) -> bool:
        if "Invalid UTF-8" in str(record.msg):
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.DEBUG, "DEBUG"
            return logging.getLogger(OURS).isEnabledFor(logging.DEBUG)
        return True


def take_over_uvicorn() -> None:
    """Write what uvicorn has to say from warnings on in our form; its lines on each connection
    say less than ours do."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers = logging.getLogger(OURS).handlers if name == "uvicorn" else []
        logger.propagate = name != "uvicorn"
        logger.setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_NoBlame())
