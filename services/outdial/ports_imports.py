"""What imports need of storage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from services.outdial.domain_imports import Duplicates, Import, Position, Reject, Row


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the rows of a finished import."""

    accepted: int
    rejected_duplicates: int
    skipped_duplicates: int


class Imports(Protocol):
    """Imports, their rejected rows, and the rows received so far."""

    async def begin(self, wanted: Import) -> Import:
        """The import of that id, made from `wanted` when it is new.

        One that exists and is not done gets the next session: whoever had the one before may not add
        to it any more. Its customer, outdial and options are those it was begun with.
        """

    async def get(self, import_id: UUID) -> Import | None:
        """The import with its first rejected rows."""

    async def rejects(self, import_id: UUID, after_line: int, limit: int) -> Sequence[Reject]:
        """Rejected rows behind that line, in order."""

    async def add(
        self,
        import_id: UUID,
        session: int,
        position: Position,
        rows: Sequence[Row],
        rejects: Sequence[Reject],
    ) -> bool:
        """Keep a part; False, and nothing is kept, when the session is no longer the latest."""

    async def lock(self, import_id: UUID, session: int) -> Import | None:
        """The import, to be finished by this session; None when it is no longer the latest."""

    async def close_duplicates(
        self, found: Import, duplicates: Duplicates, slot_columns: Sequence[str]
    ) -> int:
        """Take rows out whose first address an earlier row or a target of the outdial has.

        How many. With REJECT each becomes a rejected row of the column its address came from. No other
        import of the outdial finishes between this and the end of the transaction.
        """

    async def make_targets(self, found: Import, base: datetime) -> int:
        """Make the rows idle targets, created and due at `base` and as many microseconds as their line.

        How many. The rows are gone afterwards. Nobody sees the targets before the commit.
        """

    async def finish(self, found: Import, counts: Counts, tm_end: datetime) -> None:
        """Mark a locked import as done."""

    async def clean(self, *, abandoned: timedelta, finished: timedelta, limit: int) -> int:
        """Remove up to `limit` imports nobody went on with, or finished, so long ago (real time)."""
