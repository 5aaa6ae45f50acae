"""Imports in PostgreSQL. Rows received lie in a table of the import's own, filled by COPY.

See migrations/0002_imports.sql for why it is a table of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from psycopg import AsyncConnection as Driver
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncConnection
from uuid_utils import uuid7

from services.common.db import statement
from services.common.stored import array
from services.outdial.domain_imports import (
    MAX_VALUE,
    SHOWN_REJECTS,
    Duplicates,
    Import,
    ImportState,
    Position,
    Reject,
    Row,
)
from services.outdial.ports_imports import Counts

Item = TypeVar("Item")
_SLICE = 100
"""Rows written to COPY before others are let in."""
_DESTINATIONS = "destination_0, destination_1, destination_2, destination_3, destination_4"
_ROW_COLUMNS = f"line, id, address, slot, {_DESTINATIONS}, name, detail, data"
_COLUMNS = (
    "import_id, outdial_id, customer_id, state, byte_count, byte_digest, next_line, columns, "
    "row_count, rejected_count, accepted_count, duplicate_count, tm_create, tm_end, session, options"
)
_ADD = """
INSERT INTO imports (import_id, outdial_id, customer_id, options, byte_digest, tm_create)
VALUES (:import_id, :outdial_id, :customer_id, :options, :byte_digest, :tm_create)
ON CONFLICT ON CONSTRAINT imports_pkey DO NOTHING
"""
_NEXT_SESSION = f"""
UPDATE imports
SET session = session + 1, touched_at = clock_timestamp(),
    -- Nothing was read with them: a corrected request may use its id again.
    options = CASE WHEN byte_count = 0 THEN :options ELSE options END
WHERE import_id = :import_id AND state = 'receiving'
  AND customer_id = :customer_id AND outdial_id = :outdial_id
RETURNING {_COLUMNS}
"""
_GET = f"SELECT {_COLUMNS} FROM imports WHERE import_id = :import_id"
_LOCK = f"{_GET} AND session = :session AND state = 'receiving' FOR UPDATE"
_REJECTS = """
SELECT line, field, value, reason FROM import_rejects
WHERE import_id = :import_id AND line > :after
ORDER BY line LIMIT :limit
"""
_PROGRESS = """
UPDATE imports
SET byte_count = :byte_count, byte_digest = :byte_digest, next_line = :next_line,
    columns = :columns, row_count = :row_count, rejected_count = :rejected_count,
    touched_at = clock_timestamp()
WHERE import_id = :import_id AND session = :session AND state = 'receiving'
"""
_FINISH = """
UPDATE imports
SET state = 'done', accepted_count = :accepted, rejected_count = rejected_count + :rejected,
    duplicate_count = :skipped, tm_end = :tm_end, touched_at = clock_timestamp()
WHERE import_id = :import_id
"""
_ONE_AT_A_TIME = (
    "SELECT pg_advisory_xact_lock(hashtextextended('import into ' || CAST(:outdial_id AS text), 0))"
)
_HAS_TARGETS = """
SELECT idle + progressing + success + fail > 0 FROM outdial_counters WHERE outdial_id = :outdial_id
"""
_OLD = """
SELECT import_id FROM imports
WHERE touched_at < clock_timestamp() - CAST(:abandoned AS interval) AND state = 'receiving'
   OR touched_at < clock_timestamp() - CAST(:finished AS interval)
ORDER BY touched_at LIMIT :limit
FOR UPDATE SKIP LOCKED
"""
_REMOVE = "DELETE FROM imports WHERE import_id = ANY(CAST(:ids AS uuid[]))"
_REMOVE_REJECTS = "DELETE FROM import_rejects WHERE import_id = ANY(CAST(:ids AS uuid[]))"

_COPY_REJECTS = sql.SQL("COPY import_rejects (import_id, line, field, value, reason) FROM STDIN")
_COPY_ROWS = sql.SQL(f"COPY {{}} ({_ROW_COLUMNS}) FROM STDIN")
_FIRST_OF = "COALESCE(destination_0, destination_1, destination_2, destination_3, destination_4)"
_ADDRESS_OF = f"COALESCE({_FIRST_OF} ->> 'type', '') || ':' || ({_FIRST_OF} ->> 'target')"
_REPORTED = """, reported AS (
    INSERT INTO import_rejects (import_id, line, field, value, reason)
    SELECT %(import_id)s, line, (%(columns)s::text[])[slot + 1],
           left(substr(address, strpos(address, ':') + 1), %(max_value)s), reason
    FROM gone
)"""
_GONE = "SELECT count(*) FROM gone"
# Rows of one statement see each other as they were before it: the targets' rows go in one of their own.
_IN_OUTDIAL = (
    f"""
WITH known AS MATERIALIZED (
    SELECT {_ADDRESS_OF} AS address FROM targets
    WHERE outdial_id = %(outdial_id)s AND tm_delete IS NULL
), gone AS (
    DELETE FROM {{rows}} WHERE address IN (SELECT address FROM known)
    RETURNING line, slot, address, 'the outdial has a target with this address' AS reason
)""",
    _GONE,
)
_IN_LIST = (
    """
WITH repeated AS MATERIALIZED (
    SELECT address, min(line) AS line FROM {rows} GROUP BY address HAVING count(*) > 1
), gone AS (
    DELETE FROM {rows} r USING repeated
    WHERE r.address = repeated.address AND r.line > repeated.line
    RETURNING r.line, r.slot, r.address, 'line ' || repeated.line || ' has this address' AS reason
)""",
    _GONE,
)
_MAKE_TARGETS = f"""
INSERT INTO targets (id, outdial_id, customer_id, next_try_at, tm_create, tm_update, status,
                     {_DESTINATIONS}, name, detail, data)
SELECT id, %(outdial_id)s, %(customer_id)s, tm, tm, tm, 'idle', {_DESTINATIONS}, name, detail, data
FROM {{rows}}
CROSS JOIN LATERAL (SELECT %(base)s + line * interval '1 microsecond' AS tm) AS times
"""
_NULL = r"\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class PostgresImports:
    """See ports_imports.Imports."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def begin(self, wanted: Import) -> Import:
        """See ports_imports.Imports."""
        values = {
            "import_id": wanted.id,
            "outdial_id": wanted.outdial_id,
            "customer_id": wanted.customer_id,
            "options": Jsonb(wanted.options),
            "byte_digest": wanted.position.byte_digest,
            "tm_create": wanted.tm_create,
        }
        if (await self._conn.execute(statement(_ADD), values)).rowcount:
            make = sql.SQL("CREATE TABLE {} (LIKE import_rows INCLUDING ALL)")
            await (await self._driver()).execute(make.format(_rows_of(wanted.id)))
            return await self._one(_GET, import_id=wanted.id) or wanted
        del values["byte_digest"], values["tm_create"]
        resumed = await self._one(_NEXT_SESSION, **values)
        return resumed or await self._one(_GET, import_id=wanted.id) or wanted

    async def get(self, import_id: UUID) -> Import | None:
        """See ports_imports.Imports."""
        found = await self._one(_GET, import_id=import_id)
        if found is None:
            return None
        rejects = await self.rejects(import_id, 0, SHOWN_REJECTS)
        return replace(found, rejects=rejects)

    async def rejects(self, import_id: UUID, after_line: int, limit: int) -> Sequence[Reject]:
        """See ports_imports.Imports."""
        values = {"import_id": import_id, "after": after_line, "limit": limit}
        return [Reject(*row) for row in await self._conn.execute(statement(_REJECTS), values)]

    async def add(
        self,
        import_id: UUID,
        session: int,
        position: Position,
        rows: Sequence[Row],
        rejects: Sequence[Reject],
    ) -> bool:
        """See ports_imports.Imports."""
        values = {
            "import_id": import_id,
            "session": session,
            "byte_count": position.byte_count,
            "byte_digest": position.byte_digest,
            "next_line": position.next_line,
            "columns": None if position.columns is None else list(position.columns),
            "row_count": position.row_count,
            "rejected_count": position.rejected_count,
        }
        # First, because it waits for a former session's part and then refuses ours or the other's.
        if not (await self._conn.execute(statement(_PROGRESS), values)).rowcount:
            return False
        driver = await self._driver()
        if rows:
            await _copy(driver, _COPY_ROWS.format(_rows_of(import_id)), rows, _row_text)
        if rejects:
            prefix = str(import_id)
            await _copy(driver, _COPY_REJECTS, rejects, lambda each: _reject_text(prefix, each))
        return True

    async def lock(self, import_id: UUID, session: int) -> Import | None:
        """See ports_imports.Imports."""
        return await self._one(_LOCK, import_id=import_id, session=session)

    async def close_duplicates(
        self, found: Import, duplicates: Duplicates, slot_columns: Sequence[str]
    ) -> int:
        """See ports_imports.Imports."""
        values = {"outdial_id": found.outdial_id}
        await self._conn.execute(statement(_ONE_AT_A_TIME), values)
        driver = await self._driver()
        # Nothing is known of a table that was just filled; the plans below depend on it.
        await driver.execute(sql.SQL("ANALYZE {}").format(_rows_of(found.id)))
        await driver.execute("SET LOCAL work_mem = '64MB'")
        has_targets = (await self._conn.execute(statement(_HAS_TARGETS), values)).scalar_one()
        count = 0
        for head, end in (_IN_OUTDIAL, _IN_LIST) if has_targets else (_IN_LIST,):
            reported = _REPORTED if duplicates is Duplicates.REJECT else ""
            cursor = await driver.execute(
                sql.SQL(head + reported + end).format(rows=_rows_of(found.id)),
                {
                    "outdial_id": found.outdial_id,
                    "import_id": found.id,
                    "columns": list(slot_columns),
                    "max_value": MAX_VALUE,
                },
                prepare=False,
            )
            row = await cursor.fetchone()
            count += row[0] if row else 0
        return count

    async def make_targets(self, found: Import, base: datetime) -> int:
        """See ports_imports.Imports."""
        driver = await self._driver()
        rows = _rows_of(found.id)
        values = {
            "outdial_id": found.outdial_id,
            "customer_id": found.customer_id,
            "base": base,
        }
        made = await driver.execute(sql.SQL(_MAKE_TARGETS).format(rows=rows), values, prepare=False)
        await driver.execute(sql.SQL("DROP TABLE {}").format(rows))
        return made.rowcount

    async def finish(self, found: Import, counts: Counts, tm_end: datetime) -> None:
        """See ports_imports.Imports."""
        values = {
            "import_id": found.id,
            "accepted": counts.accepted,
            "rejected": counts.rejected_duplicates,
            "skipped": counts.skipped_duplicates,
            "tm_end": tm_end,
        }
        await self._conn.execute(statement(_FINISH), values)

    async def clean(self, *, abandoned: timedelta, finished: timedelta, limit: int) -> int:
        """See ports_imports.Imports."""
        values = {"abandoned": abandoned, "finished": finished, "limit": limit}
        ids = [row[0] for row in await self._conn.execute(statement(_OLD), values)]
        driver = await self._driver()
        for each in ids:
            await driver.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_rows_of(each)))
        if ids:
            await self._conn.execute(statement(_REMOVE_REJECTS), {"ids": array(ids)})
            await self._conn.execute(statement(_REMOVE), {"ids": array(ids)})
        return len(ids)

    async def _one(self, query: str, **values: object) -> Import | None:
        row = (await self._conn.execute(statement(query), values)).one_or_none()
        return None if row is None else _import(row)

    async def _driver(self) -> Driver[Any]:
        """The psycopg connection of this transaction: COPY and tables named by data need it."""
        raw = await self._conn.get_raw_connection()
        driver = raw.driver_connection
        if not isinstance(driver, Driver):
            raise TypeError(f"the driver is {type(driver).__name__}; accepted: psycopg")
        return driver


def _rows_of(import_id: UUID) -> sql.Identifier:
    return sql.Identifier(f"import_rows_{import_id.hex}")


async def _copy(
    driver: Driver[Any],
    command: sql.SQL | sql.Composed,
    items: Sequence[Item],
    text: Callable[[Item], str],
) -> None:
    async with driver.cursor() as cursor, cursor.copy(command) as copy:
        for start in range(0, len(items), _SLICE):
            lines = [text(each) for each in items[start : start + _SLICE]]
            await copy.write("".join(lines).encode())
            # Claims wait for this loop, too: let them in.
            await asyncio.sleep(0)


def _row_text(row: Row) -> str:
    """One line of COPY's text format."""
    parts = [str(row.line), str(uuid7()), row.address, str(row.slot), *row.destinations]
    parts += (row.name, row.detail, row.data)
    return _line(parts)


def _reject_text(import_id: str, found: Reject) -> str:
    return _line([import_id, str(found.line), found.field, found.value, found.reason])


def _line(parts: Sequence[str | None]) -> str:
    texts = [each for each in parts if each is not None]
    joined = "".join(texts)
    # Almost never: four searches for a character cost less than one for any of them.
    if "\\" in joined or "\t" in joined or "\n" in joined or "\r" in joined:
        parts = [None if each is None else each.translate(_ESCAPES) for each in parts]
    return "\t".join([_NULL if each is None else each for each in parts]) + "\n"


def _import(row: Sequence[Any]) -> Import:
    return Import(
        id=row[0],
        outdial_id=row[1],
        customer_id=row[2],
        state=ImportState(row[3]),
        position=Position(
            byte_count=row[4],
            byte_digest=bytes(row[5]),
            next_line=row[6],
            columns=None if row[7] is None else tuple(row[7]),
            row_count=row[8],
            rejected_count=row[9],
        ),
        accepted_count=row[10],
        duplicate_count=row[11],
        tm_create=row[12],
        tm_end=row[13],
        session=row[14],
        options=row[15],
    )
