"""JSON log lines on standard error. Never hand a phone number or an e-mail address to a logger."""

from __future__ import annotations

import logging
import sys
from typing import Any, cast

import orjson
import structlog

LEVELS = ("debug", "info", "warning", "error")
"""Accepted log levels."""


def configure(name: str, level: str = "info") -> None:
    """Write JSON lines of at least `level` that carry the process name. Call once, at start."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # The plain traceback: the structured one would print local variables, numbers and secrets.
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=_StandardError,
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(process=name)
    # Libraries log through the standard module; their warnings belong into the same stream.
    handler = _Forward()
    logging.basicConfig(handlers=[handler], level=max(threshold, logging.WARNING), force=True)


def get_logger() -> structlog.typing.FilteringBoundLogger:
    """A logger: `log.info("campaign_started", campaign=id)`. The event is a short constant."""
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger())


class _StandardError:
    """Writes each line in one piece to whatever standard error is at that moment."""

    def __init__(self, *_: Any) -> None:
        pass

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")

    debug = info = warning = error = critical = exception = log = msg


def _json(line: Any, **_: Any) -> str:
    return orjson.dumps(line, default=str).decode()


class _Forward(logging.Handler):
    """Hands a standard log record to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        log = get_logger()
        fields: dict[str, Any] = {"logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        log.log(record.levelno, "library", **fields)
