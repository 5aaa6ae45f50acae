"""The documented error envelope: AppErrors as HTTP answers.

Internal errors never carry their text; everything else was written for the caller.
"""

from __future__ import annotations

import math
from typing import Any, Final

import orjson
from starlette.responses import Response

from services.common.context import request_id
from services.common.errors import (
    Aborted,
    AlreadyExists,
    AppError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
)

HTTP: Final[dict[type[AppError], tuple[int, str]]] = {
    InvalidArgument: (400, "INVALID_ARGUMENT"),
    Unauthenticated: (401, "UNAUTHENTICATED"),
    PermissionDenied: (403, "PERMISSION_DENIED"),
    NotFound: (404, "NOT_FOUND"),
    AlreadyExists: (409, "ALREADY_EXISTS"),
    FailedPrecondition: (409, "FAILED_PRECONDITION"),
    Aborted: (409, "ABORTED"),
    ResourceExhausted: (429, "RESOURCE_EXHAUSTED"),
    Unavailable: (503, "UNAVAILABLE"),
}
"""Class of an error -> HTTP status and the word of the envelope."""

TOO_LARGE: Final = "REQUEST_TOO_LARGE"
"""Reason of the one InvalidArgument that is answered with 413."""


class TooLarge(InvalidArgument):
    """The body is larger than the limit."""

    default_reason = TOO_LARGE


def slow_body() -> Unavailable:
    """The error for a body that does not come in its time."""
    return Unavailable("the body took too long", reason="REQUEST_TIMEOUT")


def route_not_found(method: str, path: str) -> NotFound:
    """The error for an unknown path, or a known one with another method."""
    return NotFound(f"there is no {method} {path[:200]}", reason="ROUTE_NOT_FOUND")


def error_response(error: AppError, *, status: int | None = None) -> Response:
    """The envelope for an error. `status` overrides the HTTP code (a failed login is a 400)."""
    code, word = next((HTTP[cls] for cls in type(error).__mro__ if cls in HTTP), (500, "INTERNAL"))
    if code == 500:
        error = AppError("internal error", reason="INTERNAL")
    if isinstance(error, TooLarge) or error.reason == TOO_LARGE:
        code = 413
    body: dict[str, Any] = {
        "status": word,
        "reason": error.reason,
        "message": error.message,
        "request_id": request_id(),
    }
    if details := _details(error):
        body["details"] = details
    response = Response(
        orjson.dumps({"error": body}),
        status_code=status or code,
        media_type="application/json",
    )
    if code in (429, 503):
        response.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after or 1)))
    return response


def _details(error: AppError) -> list[dict[str, str]]:
    if error.violations:
        return [{"field": each.field, "description": each.description} for each in error.violations]
    return [dict(error.metadata)] if error.metadata else []


ENVELOPE_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["status", "reason", "message", "request_id"],
            "properties": {
                "status": {
                    "type": "string",
                    "enum": sorted({"INTERNAL", *(word for _, word in HTTP.values())}),
                },
                "reason": {
                    "type": "string",
                    "description": "Stable word to branch on, for example CAMPAIGN_NOT_FOUND.",
                },
                "message": {"type": "string", "description": "For people; may change."},
                "request_id": {"type": "string", "description": "Same as X-Request-Id."},
                "details": {
                    "type": "array",
                    "description": "Wrong fields, or the values named in the message. "
                    "Left out when empty.",
                    "items": {"type": "object", "additionalProperties": {"type": "string"}},
                },
            },
        }
    },
}
"""Schema of every error."""
