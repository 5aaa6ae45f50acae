"""The two documented ways to write an instant, and the one used for a response.

The guide's form is `2022-04-28 02:16:39.712142` with the sentinel `9999-01-01 00:00:00.000000` for an
unset time; the newer one is RFC 3339 with `null`. A response uses one of them throughout.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp

SENTINEL = "9999-01-01 00:00:00.000000"
"""What the guide's form writes for a time that is not set."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TimeForm(StrEnum):
    """How the times of a response are written."""

    GUIDE = "guide"
    RFC3339 = "rfc3339"


def write_timestamp(stamp: Timestamp | None, form: TimeForm) -> str | None:
    """A protobuf instant in the form asked for; None is the unset time."""
    if stamp is None:
        return unset(form)
    return _write(stamp.seconds, stamp.nanos, form)


def write_datetime(instant: datetime | None, form: TimeForm) -> str | None:
    """An aware datetime in the form asked for; None is the unset time."""
    if instant is None:
        return unset(form)
    since = instant - _EPOCH
    return _write(since.days * 86_400 + since.seconds, since.microseconds * 1000, form)


def write_token(token: str, form: TimeForm) -> str:
    """A page token in the form of the response's times. Services accept both."""
    if form is TimeForm.RFC3339:
        return token
    time, tilde, row = token.partition("~")
    return f"{time.replace('T', ' ').removesuffix('Z')}{tilde}{row}"


def unset(form: TimeForm) -> str | None:
    """What the form writes for a time that is not set."""
    return SENTINEL if form is TimeForm.GUIDE else None


def _write(seconds: int, nanos: int, form: TimeForm) -> str:
    day, clock = _second(seconds)
    if form is TimeForm.GUIDE:
        return f"{day} {clock}.{nanos // 1000:06d}"
    fraction = f".{nanos:09d}".rstrip("0").rstrip(".")
    return f"{day}T{clock}{fraction}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> tuple[str, str]:
    # Rows of a page mostly share their second, and formatting a datetime costs more than the rest.
    at = _EPOCH + timedelta(seconds=seconds)
    return f"{at:%Y-%m-%d}".rjust(10, "0"), f"{at:%H:%M:%S}"
