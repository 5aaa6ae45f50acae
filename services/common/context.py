"""What travels with a request through a process: its id and the time it has left."""

from __future__ import annotations

import base64
import re
import secrets
import time
from contextvars import ContextVar

from services.common.errors import Unavailable

SHAVE_SECONDS = 0.020
"""Taken off a deadline at each hop, so that this side can still say which call was too slow."""
FLOOR_SECONDS = 0.100
"""With less time left than this, work is refused: its answer would come too late anyway."""

_REQUEST_ID: ContextVar[str] = ContextVar("outbound_request_id", default="")
_DEADLINE: ContextVar[float | None] = ContextVar("outbound_deadline", default=None)
_ID_FORM = re.compile(r"[A-Za-z0-9_-]{1,64}")


def request_id() -> str:
    """Id of the request being handled; empty outside of one."""
    return _REQUEST_ID.get()


def accept_request_id(given: str | None) -> str:
    """Use the caller's id if it has the accepted form, else a new one; returns the id used."""
    chosen = given if given and _ID_FORM.fullmatch(given) else new_request_id()
    _REQUEST_ID.set(chosen)
    return chosen


def new_request_id() -> str:
    """`req_` and 26 base-32 characters."""
    return "req_" + base64.b32encode(secrets.token_bytes(17)).decode()[:26].lower()


def accept_deadline(remaining: float | None) -> None:
    """Take over the caller's deadline, `remaining` seconds from now; None for no deadline.

    Raises Unavailable REQUEST_TIMEOUT when less than the floor remains.
    """
    if remaining is None:
        _DEADLINE.set(None)
        return
    _refuse_late(remaining)
    _DEADLINE.set(time.monotonic() + remaining - SHAVE_SECONDS)


def time_left() -> float | None:
    """Real seconds until the deadline of the request being handled; None without one."""
    deadline = _DEADLINE.get()
    return None if deadline is None else deadline - time.monotonic()


def call_timeout(wanted: float | None) -> float | None:
    """Timeout for an outgoing call: `wanted`, but never past the deadline of the request handled.

    Raises Unavailable REQUEST_TIMEOUT instead of starting a call that cannot finish in time.
    """
    left = time_left()
    if left is None:
        return wanted
    _refuse_late(left)
    return left if wanted is None else min(wanted, left)


def _refuse_late(remaining: float) -> None:
    if remaining < FLOOR_SECONDS:
        raise Unavailable("too little time left for this request", reason="REQUEST_TIMEOUT")
