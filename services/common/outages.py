"""Which failures mean that something else is down, and not that this code is wrong."""

from __future__ import annotations

import grpc
import nats.errors
import nats.js.errors

from services.common import db
from services.common.errors import Aborted, AppError, ResourceExhausted, Unavailable
from services.common.status import from_rpc_error


def meaning(exc: BaseException) -> AppError | None:
    """The AppError to answer with, or None when the exception is a bug."""
    if isinstance(exc, AppError):
        return exc
    if isinstance(exc, grpc.aio.AioRpcError):
        return from_rpc_error(exc, "another service")
    lost = db.outage(exc)
    if lost is not None:
        return lost
    if isinstance(exc, nats.errors.Error):
        return _nats(exc)
    if isinstance(exc, ConnectionError):
        return Unavailable("a service this needs is not available; try again", retry_after=1.0)
    return None


def is_passing(exc: BaseException) -> bool:
    """Whether the same work may succeed later without anybody changing anything."""
    return isinstance(meaning(exc), Unavailable | Aborted | ResourceExhausted)


def _nats(exc: nats.errors.Error) -> AppError | None:
    if isinstance(exc, nats.js.errors.APIError) and not isinstance(
        exc, nats.js.errors.ServiceUnavailableError | nats.js.errors.ServerError
    ):
        return None
    if isinstance(exc, nats.errors.BadSubjectError | nats.errors.MaxPayloadError):
        return None
    return Unavailable("the event bus is not available; try again", retry_after=1.0)
