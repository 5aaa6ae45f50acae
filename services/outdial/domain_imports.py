"""Imports: what is asked for, how far one has come, and what is said about rows not taken. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.common.limits import SLOTS

IMPORT_NOT_FOUND = "IMPORT_NOT_FOUND"
IMPORT_DIFFERS = "IMPORT_DIFFERS"
SHOWN_REJECTS = 1000
"""Rejected rows that come with an import's state."""
MAX_VALUE = 200
"""Characters of a rejected value that are kept."""
DESTINATIONS = tuple(f"destination_{slot}" for slot in range(SLOTS))
"""Fields of a target that hold an address."""


class Format(StrEnum):
    """How the list is written."""

    CSV = "csv"
    NDJSON = "ndjson"


class Duplicates(StrEnum):
    """What becomes of a row whose first address is already in the list or the outdial."""

    REJECT = "reject"
    SKIP = "skip"
    ALLOW = "allow"


class ImportState(StrEnum):
    """Receiving until all rows have become targets at once."""

    RECEIVING = "receiving"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to read a list. An import is resumed only with the options it was begun with.

    `mapping` leads from columns (or members) to fields; empty means by their names.
    """

    format: Format
    mapping: Mapping[str, str]
    default_region: str = ""
    duplicates: Duplicates = Duplicates.REJECT
    is_strict: bool = False

    def document(self) -> dict[str, Any]:
        """The options as JSON, to be stored and compared."""
        return {
            "format": self.format.value,
            "mapping": dict(self.mapping),
            "default_region": self.default_region,
            "duplicates": self.duplicates.value,
            "is_strict": self.is_strict,
        }


@dataclass(frozen=True, slots=True)
class Position:
    """How far an import has come, in what the list's bytes say; the same however they are cut.

    `byte_digest` is the SHA-256 of the first `byte_count` bytes, `next_line` the line after them (from
    1), `columns` the header of a CSV list once it was read.
    """

    byte_count: int
    byte_digest: bytes
    next_line: int
    columns: tuple[str, ...] | None
    row_count: int
    rejected_count: int


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that was not taken: the line where it begins, the column, its value, and why."""

    line: int
    field: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Import:
    """An import's state."""

    id: UUID
    outdial_id: UUID
    customer_id: UUID
    state: ImportState
    position: Position
    accepted_count: int
    duplicate_count: int
    tm_create: datetime
    tm_end: datetime | None
    session: int
    options: Mapping[str, Any]
    rejects: Sequence[Reject] = ()


@dataclass(slots=True)
class Row:
    """A row that will be a target unless it is a duplicate.

    `destinations` are JSON texts by slot; `address` and `slot` are those of the first one.
    """

    line: int
    address: str
    slot: int
    destinations: Sequence[str | None]
    name: str
    detail: str
    data: str


def reject(line: int, field: str, value: object, reason: str) -> Reject:
    """A reject whose value can be stored and shown, whatever bytes it was made of."""
    text = value if isinstance(value, str) else str(value)
    cut = text[:MAX_VALUE].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return Reject(line, field, cut.replace("\x00", "\ufffd"), reason)
