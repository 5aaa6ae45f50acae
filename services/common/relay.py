"""Publishes a schema's outbox: one relay is active per schema, the others stand by.

The active one holds a session advisory lock on the very connection it reads and marks rows with, so
a relay that lost the lock cannot mark anything. It reads unpublished rows by id (never `id > last`,
which would skip rows whose transaction committed late), publishes them in a window, and marks what
was acknowledged with one statement. Published rows stay for an hour: an acknowledgement is no fsync,
and should the stream turn out to have lost its end, they are published again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy.ext.asyncio import AsyncEngine

from services.common import db
from services.common.backoff import keep_running
from services.common.envelope import resources_in, shortened
from services.common.errors import AppError
from services.common.jetstream import Bus, Outgoing, StreamState
from services.common.log import get_logger
from services.common.metrics import counter, gauge

WINDOW = 256
"""Most messages published before their acknowledgements are awaited."""
KEEP_SECONDS = 3600
"""How long published rows are kept, real seconds."""
POLL_SECONDS = 1.0
"""How late a commit is noticed whose wake-up was lost, real seconds."""
_STAND_BY_SECONDS = 1.0
_VERIFY_SECONDS = 30.0
_CLEAN_SECONDS = 60.0
_CLEAN_ROWS = 5000
_NOTIFY_GAP_SECONDS = 0.005

_published = counter("outbox_published", "Outbox rows published, by schema", ("schema",))
_resent = counter("outbox_resent", "Rows published again after the stream lost them", ("schema",))
_shortened = counter(
    "outbox_shortened", "Events sent without their facts, too large for the server", ("schema",)
)
_dropped = counter("outbox_dropped", "Rows too large for the server even so", ("schema",))
_active = gauge("outbox_active", "1 while this process's relay is the active one", ("schema",))

_UNPUBLISHED = """
SELECT id, subject, payload FROM outbox
WHERE published_at IS NULL ORDER BY id LIMIT %s
"""
_MARK = """
UPDATE outbox SET published_at = clock_timestamp(), stream_sequence = done.sequence
FROM unnest(%s::bigint[], %s::bigint[]) AS done (id, sequence)
WHERE outbox.id = done.id
"""
_CLEAN = """
DELETE FROM outbox WHERE id IN (
    SELECT id FROM outbox
    WHERE published_at < clock_timestamp() - make_interval(secs => %s)
    ORDER BY published_at LIMIT %s
)
"""
_NEWEST_KEPT = """
SELECT id, stream_sequence FROM outbox
WHERE published_at IS NOT NULL AND stream_sequence IS NOT NULL ORDER BY id DESC LIMIT 1
"""
_KEPT = """
SELECT id, stream_sequence FROM outbox
WHERE published_at IS NOT NULL AND stream_sequence IS NOT NULL ORDER BY stream_sequence
"""
_FORGET = """
UPDATE outbox SET published_at = NULL, stream_sequence = NULL
WHERE published_at IS NOT NULL AND stream_sequence >= %s
"""
_STREAM = "SELECT created_at FROM outbox_stream"
_REMEMBER_STREAM = """
INSERT INTO outbox_stream (created_at) VALUES (%s)
ON CONFLICT (singleton) DO UPDATE SET created_at = excluded.created_at
"""
# Ids are unique in one database only, and tests copy databases: its oid keeps copies apart.
_DATABASE = "SELECT oid FROM pg_database WHERE datname = current_database()"
_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Row = tuple[int, str, bytes]


class Relay:
    """The relay of one schema in one process. `run` it as a background task."""

    def __init__(self, engine: AsyncEngine, bus: Bus, schema: str, *, window: int = WINDOW) -> None:
        self._engine = engine
        self._bus = bus
        self._schema = schema
        self._window = window
        self._channel = f"outbox_{schema}"
        self._woken = asyncio.Event()
        self._is_active = False
        self._database = 0
        self._verified_connection = -1
        self._verify_at = 0.0
        self._clean_at = 0.0

    @property
    def is_active(self) -> bool:
        """Whether this is the one that publishes the schema's events now."""
        return self._is_active

    def wake(self) -> None:
        """Say that something was committed; cheap, safe to call at any time in the loop."""
        self._woken.set()

    async def run(self) -> None:
        """Publish until cancelled. Outlives PostgreSQL and NATS being away."""
        await keep_running(f"relay {self._schema}", self._run_connected)

    async def _run_connected(self) -> None:
        # Before asking for the lock: a relay cut off from NATS must not keep it from the others.
        await self._bus.wait_connected()
        url = self._engine.url.render_as_string(hide_password=False)
        conn = await db.dedicated(url, self._schema, f"{self._schema}-relay")
        try:
            # Losing a mark in a crash means publishing once more, which NATS drops.
            await conn.execute("SET synchronous_commit = off")
            cursor = await conn.execute(_DATABASE)
            (self._database,) = await cursor.fetchone() or (0,)
            await self._stand_by(conn)
            await self._publish_for_ever(conn)
        finally:
            self._is_active = False
            _active.labels(self._schema).set(0)
            await conn.close()

    async def _stand_by(self, conn: Connection) -> None:
        """Return when the lock is ours. Polled: waiting for it inside PostgreSQL stops vacuum."""
        while True:
            cursor = await conn.execute(_TRY_LOCK, (self._channel,))
            row = await cursor.fetchone()
            if row is not None and row[0]:
                break
            try:
                async with asyncio.timeout(_STAND_BY_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                continue
            self._woken.clear()
            # Ours was the commit, another replica's is the relay: pass the word, at most this often.
            await conn.execute("SELECT pg_notify(%s, '')", (self._channel,))
            await asyncio.sleep(_NOTIFY_GAP_SECONDS)
        await conn.execute(f"LISTEN {self._channel}".encode())
        self._is_active = True
        _active.labels(self._schema).set(1)
        get_logger().info("relay_active", schema=self._schema)

    async def _publish_for_ever(self, conn: Connection) -> None:
        while True:
            await self._bus.check()
            await self._verify_if_due(conn)
            # Before reading: a commit after the read must wake the next round.
            self._woken.clear()
            cursor = await conn.execute(_UNPUBLISHED, (self._window,))
            rows: list[Row] = await cursor.fetchall()
            if rows:
                await self._publish(conn, _independent(rows))
                continue
            await self._clean_if_due(conn)
            await self._wait_for_work(conn)

    async def _publish(self, conn: Connection, rows: Sequence[Row]) -> None:
        rows = await self._fitting(conn, rows)
        results = await self._bus.publish_window(
            [Outgoing(subject, payload, self._message_id(row)) for row, subject, payload in rows]
        )
        done = [
            (row[0], result)
            for row, result in zip(rows, results, strict=True)
            if not isinstance(result, AppError)
        ]
        if done:
            ids, sequences = zip(*done, strict=True)
            await conn.execute(_MARK, (list(ids), list(sequences)))
            _published.labels(self._schema).inc(len(done))
        for result in results:
            if isinstance(result, AppError):
                # keep_running waits and comes back here; reading by id begins with what failed.
                raise result

    async def _fitting(self, conn: Connection, rows: Sequence[Row]) -> list[Row]:
        """The rows in a form that the server takes: one that it never will must not hold up the rest."""
        most = self._bus.max_bytes
        fitting: list[Row] = []
        hopeless: list[int] = []
        for row, subject, payload in rows:
            body, count = shortened(payload, most)
            if count:
                _shortened.labels(self._schema).inc(count)
                get_logger().error(
                    "event_shortened", subject=subject, events=count, bytes=len(payload), most=most
                )
            if len(body) <= most:
                fitting.append((row, subject, body))
            else:
                hopeless.append(row)
        if hopeless:
            _dropped.labels(self._schema).inc(len(hopeless))
            get_logger().error("events_dropped", schema=self._schema, rows=hopeless, most=most)
            await conn.execute(_MARK, (hopeless, [None] * len(hopeless)))
        return fitting

    async def _wait_for_work(self, conn: Connection) -> None:
        """Until woken here, notified by another replica, or POLL_SECONDS have passed."""
        woken = asyncio.create_task(self._woken.wait())
        notified = asyncio.create_task(_first_notification(conn))
        try:
            await asyncio.wait({woken, notified}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
            notified.cancel()
            await asyncio.wait({woken, notified})
        if not notified.cancelled():
            notified.result()

    async def _clean_if_due(self, conn: Connection) -> None:
        now = time.monotonic()
        if now < self._clean_at:
            return
        cursor = await conn.execute(_CLEAN, (KEEP_SECONDS, _CLEAN_ROWS))
        if cursor.rowcount < _CLEAN_ROWS:
            self._clean_at = now + _CLEAN_SECONDS

    async def _verify_if_due(self, conn: Connection) -> None:
        """Look whether the stream still has what was published: after each gap, and now and then."""
        now = time.monotonic()
        connection = self._bus.connections
        if connection == self._verified_connection and now < self._verify_at:
            return
        state = await self._bus.stream_state()
        await self._verify(conn, state)
        self._verified_connection = connection
        self._verify_at = now + _VERIFY_SECONDS

    async def _verify(self, conn: Connection, state: StreamState) -> None:
        cursor = await conn.execute(_STREAM)
        remembered = await cursor.fetchone()
        async with conn.transaction():
            if remembered is None or remembered[0] != state.created:
                await conn.execute(_REMEMBER_STREAM, (state.created,))
            if remembered is not None and remembered[0] != state.created:
                await self._forget(conn, 0, "the stream was made again")
                return
            lost_from = await self._lost_from(conn, state)
            if lost_from is not None:
                await self._forget(conn, lost_from, "the stream lost its end")

    async def _lost_from(self, conn: Connection, state: StreamState) -> int | None:
        """First sequence of ours that the stream no longer holds as ours, or None.

        `last < sequence` alone would not tell: others may have published meanwhile, so the message
        found at the sequence is compared by its id. What the stream lost is always its end.
        """
        cursor = await conn.execute(_NEWEST_KEPT)
        newest = await cursor.fetchone()
        if newest is None or await self._holds(state, *newest):
            return None
        cursor = await conn.execute(_KEPT)
        kept = [(int(row), int(sequence)) for row, sequence in await cursor.fetchall()]
        low, high = 0, len(kept)
        while low < high:
            middle = (low + high) // 2
            if await self._holds(state, *kept[middle]):
                low = middle + 1
            else:
                high = middle
        return kept[low][1] if low < len(kept) else None

    async def _holds(self, state: StreamState, row: int, sequence: int) -> bool:
        if sequence > state.last:
            return False
        if sequence < state.first:
            return True  # It has aged out, as it should.
        return await self._bus.message_id(sequence) == self._message_id(row)

    async def _forget(self, conn: Connection, sequence: int, why: str) -> None:
        cursor = await conn.execute(_FORGET, (sequence,))
        _resent.labels(self._schema).inc(cursor.rowcount)
        get_logger().warning(
            "relay_publishes_again", schema=self._schema, rows=cursor.rowcount, why=why
        )

    def _message_id(self, row: int) -> str:
        return f"{self._schema}-{self._database}-{row}"


def _independent(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows up to the first that tells of a resource of an earlier one.

    Within a window one message may fail and the next succeed; so no window holds two of the same
    resource, or the later might overtake the earlier.
    """
    seen: set[str] = set()
    for index, (_, _, payload) in enumerate(rows):
        resources = resources_in(payload)
        if not seen.isdisjoint(resources):
            return rows[:index]
        seen |= resources
    return rows


async def _first_notification(conn: Connection) -> None:
    async for _ in conn.notifies(timeout=POLL_SECONDS, stop_after=1):
        return
