"""Keyset paging by creation time, newest first, as the documented API has it.

A page token is the `tm_create` of the last row. Rows that share a microsecond would be lost between
two pages, so when the next row has the same `tm_create` the token also names the last row's id.

A page ends early when its rows are large: what follows it is on the next one, as always.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from services.common.errors import InvalidArgument, invalid
from services.common.ids import NIL

PAGE_SIZE = 100
"""Default and largest page; the documented API silently uses it for anything outside 1..100."""

PAGE_BYTES = 4 * 1024 * 1024
"""A page takes no further row when its texts are larger: escaped as JSON in a message they may grow to
six times their size, and a message holds 32 MiB."""
_OTHER_BYTES = 16
"""What a value that is no text counts for."""

END_OF_TIME = (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), UUID(int=2**128 - 1))
"""A key that is above that of every row."""

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T +](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|z|\+00:00)?", re.ASCII
)
_ACCEPTED = "the next_page_token of a list answer, or a time such as 2022-04-28T02:16:39.712142Z"


class Listed(Protocol):
    """What a row of a list has."""

    @property
    def tm_create(self) -> datetime:
        """When it was created, aware."""

    @property
    def id(self) -> UUID:
        """Its id."""


Row = TypeVar("Row", bound=Listed)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ends: at `tm`, or inside that microsecond after the row `id`."""

    tm: datetime
    id: UUID | None = None

    @property
    def key(self) -> tuple[datetime, UUID]:
        """For `(tm_create, id) < (:tm, :id)`; without an id this is exactly `tm_create < :tm`."""
        return self.tm, self.id or NIL


@dataclass(frozen=True, slots=True)
class Page:
    """`size` rows (1..100) created before the cursor; from the newest when there is none."""

    size: int
    before: Cursor | None = None

    @property
    def key(self) -> tuple[datetime, UUID]:
        """The page holds what is below this key, `(tm_create, id)`; all there is, on the first page."""
        return END_OF_TIME if self.before is None else self.before.key

    def parameters(self) -> dict[str, Any]:
        """For `AND (tm_create, id) < (:tm, :before_id) ORDER BY tm_create DESC, id DESC LIMIT :limit`.

        One row more than the page, by which `cut` knows whether the next has the same time.
        """
        tm, before_id = self.key
        return {"tm": tm, "before_id": before_id, "limit": self.size + 1}


def page_request(page_size: int, page_token: str) -> Page:
    """The page asked for; InvalidArgument INVALID_REQUEST_PARAMETER for a malformed token."""
    size = page_size if 1 <= page_size <= PAGE_SIZE else PAGE_SIZE
    return Page(size, _parse(page_token) if page_token else None)


def next_token(rows: Sequence[Listed], has_tie: bool) -> str:
    """The token of the page after `rows`; empty only when there are no rows.

    `has_tie` says that the row after the last one has the same `tm_create`.
    """
    if not rows:
        return ""
    last = rows[-1]
    token = last.tm_create.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    # strftime does not pad years below 1000 on every platform.
    token = token.rjust(27, "0")
    return f"{token}~{last.id}" if has_tie else token


def cut(rows: Sequence[Row], page: Page) -> tuple[list[Row], str]:
    """The page and its token from up to `page.size + 1` rows, newest first.

    At least one row, then as many as fit in PAGE_BYTES.
    """
    count, size = 0, 0
    for row in rows[: page.size]:
        size += _size(row)
        if count and size > PAGE_BYTES:
            break
        count += 1
    kept = list(rows[:count])
    tie = len(rows) > count > 0 and rows[count].tm_create == kept[-1].tm_create
    return kept, next_token(kept, tie)


def _size(value: object) -> int:
    """About how many bytes a value is in a message."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return sum(_size(name) + _size(each) for name, each in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return sum(map(_size, value))
    if is_dataclass(value):
        return sum(_size(getattr(value, each.name)) for each in fields(value))
    return _OTHER_BYTES


def parse_time(value: str) -> datetime | None:
    """An instant in either documented form (`T` or a space, with or without `Z`), or None.

    A `+` is read as the space it stands for in a query string. Digits beyond microseconds are cut.
    """
    found = _TIME.fullmatch(value)
    if found is None:
        return None
    *parts, fraction = found.groups()
    micros = int((fraction or "0").ljust(6, "0")[:6])
    try:
        return datetime(*(int(part) for part in parts), micros, tzinfo=UTC)  # type: ignore[arg-type, misc]
    except ValueError:
        return None


def _parse(token: str) -> Cursor:
    time, tilde, row = token.partition("~")
    tm = parse_time(time)
    if tm is None:
        raise _malformed(token)
    if not tilde:
        return Cursor(tm)
    try:
        return Cursor(tm, UUID(row))
    except ValueError:
        raise _malformed(token) from None


def _malformed(token: str) -> InvalidArgument:
    return invalid("page_token", token, _ACCEPTED, reason="INVALID_REQUEST_PARAMETER")
