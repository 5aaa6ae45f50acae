"""Imports: a list of any size becomes targets, all of its good rows at once or none.

Parts are kept as they come, so that a stream that broke off is taken up where it was. Reading is done
in short slices on the event loop: other requests are served between them.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from services.common.address import is_region
from services.common.clock import Clock
from services.common.errors import Aborted, AlreadyExists, InvalidArgument, NotFound, invalid
from services.common.log import get_logger
from services.outdial import metrics
from services.outdial.domain import Delta, owned, require_not_deleted
from services.outdial.domain_imports import (
    IMPORT_DIFFERS,
    IMPORT_NOT_FOUND,
    Duplicates,
    Format,
    Import,
    ImportOptions,
    ImportState,
    Position,
    Reject,
    Row,
)
from services.outdial.importing.records import CsvRecords, NdjsonRecords, Record, Records
from services.outdial.importing.rows import CsvRows, NdjsonRows, check_mapping
from services.outdial.ports import Begin
from services.outdial.ports_imports import Counts

PART_ROWS = 10_000
"""Rows kept by one transaction."""
PIECE_BYTES = 64 * 1024
"""Bytes read at a time; a part ends between two pieces."""
SLICE_SECONDS = 0.001
"""Longest reading without letting others in, real seconds."""
REJECTS_PAGE = 1000
ABANDONED = timedelta(days=1)
"""An import nobody goes on with is removed after this, real time."""
KEPT = timedelta(days=30)
"""A finished import can be looked at, and is not done again, for this long, real time."""
_CLEANED_AT_ONCE = 10


class ImportService:
    """The use cases of imports."""

    def __init__(self, *, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock
        # The loop itself forgets a task that nobody refers to.
        self._finishing: set[asyncio.Task[None]] = set()

    async def run(
        self,
        customer_id: UUID,
        outdial_id: UUID,
        import_id: UUID,
        options: ImportOptions,
        chunks: AsyncIterator[bytes],
    ) -> Import:
        """Read the list to its end and make its good rows targets.

        The same id with the same list and options goes on where it broke off, or returns the finished
        import. Raises InvalidArgument when the list as a whole cannot be meant, AlreadyExists
        (IMPORT_DIFFERS) when the id was used for another one, Aborted when a later stream of the same
        id took over.
        """
        _check_options(options)
        found = await self._begun(customer_id, outdial_id, import_id, options)
        reading = _Reading(self._begin, found, options)
        if found.state is ImportState.DONE:
            await reading.compare(chunks)
            return await self.get(customer_id, outdial_id, import_id)
        slot_columns = await reading.read(chunks)
        # Its rows are all here: a caller that goes away now does not undo it.
        finishing = asyncio.create_task(self._finish(found, options, slot_columns))
        self._finishing.add(finishing)
        finishing.add_done_callback(self._finishing.discard)
        await asyncio.shield(finishing)
        return await self.get(customer_id, outdial_id, import_id)

    async def get(self, customer_id: UUID, outdial_id: UUID, import_id: UUID) -> Import:
        """An import's state with its first rejected rows."""
        async with self._begin() as tx:
            owned(await tx.outdials.get(outdial_id), outdial_id, customer_id)
            found = await tx.imports.get(import_id)
            if found is None or found.outdial_id != outdial_id:
                raise NotFound(
                    f"outdial {outdial_id} has no import {import_id}",
                    reason=IMPORT_NOT_FOUND,
                    import_id=str(import_id),
                )
            return found

    async def rejects(
        self, customer_id: UUID, outdial_id: UUID, import_id: UUID
    ) -> AsyncIterator[Sequence[Reject]]:
        """All rejected rows in line order, page by page."""
        await self.get(customer_id, outdial_id, import_id)
        line = 0
        while True:
            async with self._begin() as tx:
                page = await tx.imports.rejects(import_id, line, REJECTS_PAGE)
            if not page:
                return
            yield page
            line = page[-1].line

    async def clean(self) -> None:
        """Remove imports that were abandoned, and finished ones that are no longer of interest."""
        while True:
            async with self._begin() as tx:
                count = await tx.imports.clean(
                    abandoned=ABANDONED, finished=KEPT, limit=_CLEANED_AT_ONCE
                )
            if count < _CLEANED_AT_ONCE:
                return

    async def _begun(
        self, customer_id: UUID, outdial_id: UUID, import_id: UUID, options: ImportOptions
    ) -> Import:
        start = Position(0, hashlib.sha256().digest(), 1, None, 0, 0)
        wanted = Import(
            id=import_id,
            outdial_id=outdial_id,
            customer_id=customer_id,
            state=ImportState.RECEIVING,
            position=start,
            accepted_count=0,
            duplicate_count=0,
            tm_create=self._clock.now(),
            tm_end=None,
            session=1,
            options=options.document(),
        )
        async with self._begin() as tx:
            outdial = owned(await tx.outdials.get(outdial_id), outdial_id, customer_id)
            found = await tx.imports.begin(wanted)
            if (found.customer_id, found.outdial_id, found.options) != (
                customer_id,
                outdial_id,
                wanted.options,
            ):
                raise AlreadyExists(
                    f"import {import_id} was begun with another outdial or other options",
                    reason=IMPORT_DIFFERS,
                    import_id=str(import_id),
                )
            if found.state is not ImportState.DONE:
                require_not_deleted(outdial)
            return found

    async def _finish(
        self, begun: Import, options: ImportOptions, slot_columns: Sequence[str]
    ) -> None:
        started = time.perf_counter()
        async with self._begin() as tx:
            found = await tx.imports.lock(begun.id, begun.session)
            if found is None:
                raise _taken_over(begun.id)
            repeated = 0
            if options.duplicates is not Duplicates.ALLOW:
                repeated = await tx.imports.close_duplicates(
                    found, options.duplicates, slot_columns
                )
            is_skipping = options.duplicates is Duplicates.SKIP
            now = self._clock.now()
            # All due now, each a microsecond after the one before. Since the beginning of the import,
            # claims have moved the watermark past this time: they do not read the rows in vain while
            # these are not committed.
            lines = timedelta(microseconds=found.position.next_line)
            base = min(found.tm_create, now - lines)
            accepted = await tx.imports.make_targets(found, base)
            counts = Counts(
                accepted, 0 if is_skipping else repeated, repeated if is_skipping else 0
            )
            await tx.imports.finish(found, counts, now)
            outdial = owned(await tx.outdials.lock(found.outdial_id), found.outdial_id, None)
            require_not_deleted(outdial)
            changed = replace(outdial, revision=outdial.revision + 1, tm_update=now)
            await tx.outdials.save(changed)
            if accepted:
                await tx.dialing.apply({outdial.id: Delta(idle=accepted, due=base)})
            done = await tx.imports.get(found.id)
            assert done is not None
            tx.events.imported(changed, done)
        seconds = time.perf_counter() - started
        _report(done, seconds)


class _Reading:
    """One stream of an import: reads, and keeps parts while it reads on."""

    def __init__(self, begin: Begin, begun: Import, options: ImportOptions) -> None:
        self._begin = begin
        self._import = begun
        self._options = options
        self._position = begun.position
        line = begun.position.next_line
        is_csv = options.format is Format.CSV
        self._columns = begun.position.columns
        self._records: Records = CsvRecords(line) if is_csv else NdjsonRecords(line)
        self._rows: CsvRows | NdjsonRows | None = None if is_csv else NdjsonRows(options)
        if is_csv and self._columns is not None:
            self._begin_rows(self._columns)
        self._digest = hashlib.sha256()
        self._consumed = 0
        self._held = b""
        self._row_count = begun.position.row_count
        self._rejected_count = begun.position.rejected_count
        self._good: list[Row] = []
        self._bad: list[Reject] = []
        self._keeping: asyncio.Task[None] | None = None
        self._slice_end = 0.0

    async def read(self, chunks: AsyncIterator[bytes]) -> Sequence[str]:
        """Read to the end; for each slot the column its addresses come from."""
        try:
            async for chunk in chunks:
                fresh = self._fresh(chunk)
                for start in range(0, len(fresh), PIECE_BYTES):
                    await self._feed(fresh[start : start + PIECE_BYTES])
            if self._consumed < self._position.byte_count:
                raise self._differs()
            await self._feed(b"", is_last=True)
            if self._rows is None:
                raise InvalidArgument(
                    "the list is empty; accepted: a header and rows", field="list"
                )
            await self._keep()
            await self._kept()
        finally:
            # What has been read is worth keeping, also when the stream broke off.
            if self._keeping is not None:
                await asyncio.gather(self._keeping, return_exceptions=True)
        return self._rows.slot_columns

    async def compare(self, chunks: AsyncIterator[bytes]) -> None:
        """Read to the end of a list that must be the very one that was imported."""
        async for chunk in chunks:
            if self._fresh(chunk):
                raise self._differs()
        if self._consumed < self._position.byte_count:
            raise self._differs()

    def _fresh(self, chunk: bytes) -> bytes:
        """What of the chunk has not been read by a former stream; the rest must be the same."""
        known = self._position.byte_count - self._consumed
        if known <= 0:
            return chunk
        repeated = chunk[:known]
        self._digest.update(repeated)
        self._consumed += len(repeated)
        if len(chunk) >= known and self._digest.digest() != self._position.byte_digest:
            raise self._differs()
        return chunk[known:]

    def _differs(self) -> AlreadyExists:
        return AlreadyExists(
            f"import {self._import.id} was begun with another list; send the same one or use a new id",
            reason=IMPORT_DIFFERS,
            import_id=str(self._import.id),
        )

    async def _feed(self, piece: bytes, *, is_last: bool = False) -> None:
        self._held += piece
        self._slice_end = time.perf_counter() + SLICE_SECONDS
        for record in self._records.feed(piece, is_last=is_last):
            self._take(record)
            if time.perf_counter() > self._slice_end:
                await asyncio.sleep(0)
                self._slice_end = time.perf_counter() + SLICE_SECONDS
        # The digest goes as far as the records do, not as far as the bytes.
        done = len(self._held) - self._records.pending_bytes
        self._digest.update(self._held[:done])
        self._consumed += done
        self._held = self._held[done:]
        if len(self._good) + len(self._bad) >= PART_ROWS and not self._records.is_skipping:
            await self._keep()

    def _take(self, record: Record) -> None:
        if self._rows is None:
            self._take_header(record)
            return
        self._row_count += 1
        read = self._rows.read(record)
        if isinstance(read, Row):
            self._good.append(read)
        else:
            self._bad.append(read)

    def _take_header(self, record: Record) -> None:
        if record.fault:
            raise invalid(
                "list", f"line {record.line}", f"a header that can be read; {record.fault}"
            )
        columns = [str(cell) for cell in record.content]
        if any("\x00" in each or not _is_text(each) for each in columns):
            raise invalid("list", f"line {record.line}", "a header in UTF-8 without NUL characters")
        self._columns = tuple(columns)
        self._begin_rows(columns)

    def _begin_rows(self, columns: Sequence[str]) -> None:
        self._rows = CsvRows(self._options, columns)
        if isinstance(self._records, CsvRecords):
            self._records.width = len(columns)

    async def _keep(self) -> None:
        """Keep what has been read, while reading goes on; at most one part waits for that."""
        await self._kept()
        self._rejected_count += len(self._bad)
        position = Position(
            byte_count=self._consumed,
            byte_digest=self._digest.copy().digest(),
            next_line=self._records.next_line,
            columns=self._columns,
            row_count=self._row_count,
            rejected_count=self._rejected_count,
        )
        part = self._store(position, self._good, self._bad)
        self._good, self._bad = [], []
        self._keeping = asyncio.create_task(part)

    async def _kept(self) -> None:
        if self._keeping is not None:
            await self._keeping
            self._keeping = None

    async def _store(
        self, position: Position, rows: Sequence[Row], rejects: Sequence[Reject]
    ) -> None:
        async with self._begin() as tx:
            found = self._import
            if not await tx.imports.add(found.id, found.session, position, rows, rejects):
                raise _taken_over(found.id)


def _report(done: Import, seconds: float) -> None:
    metrics.import_seconds.observe(seconds)
    rejected = done.position.rejected_count
    metrics.import_rows.labels("target").inc(done.accepted_count)
    metrics.import_rows.labels("rejected").inc(rejected)
    metrics.import_rows.labels("skipped").inc(done.duplicate_count)
    get_logger().info(
        "imported",
        import_id=str(done.id),
        outdial=str(done.outdial_id),
        accepted=done.accepted_count,
        rejected=rejected,
        skipped=done.duplicate_count,
        finish_seconds=round(seconds, 3),
    )


def _check_options(options: ImportOptions) -> None:
    check_mapping(options.mapping)
    region = options.default_region
    if region and not is_region(region):
        raise invalid("default_region", region, "an ISO 3166 region such as US, or empty")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _taken_over(import_id: UUID) -> Aborted:
    return Aborted(
        f"another stream has taken over import {import_id}, or it was removed",
        import_id=str(import_id),
    )
