"""Rows a second of a CSV import over HTTP, beside PostgreSQL's own COPY of the same rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg

from benchmarks.results import Result
from cli.client import Client
from cli.embedded.postgres import Postgres
from services.common.clock import boot_seconds
from services.common.ids import new_id

ROWS = 100_000
FLOOR = 10_000
_CHUNK_ROWS = 2_000


def number(index: int) -> str:
    """The number of a row; 555 belongs to nobody."""
    return f"+1555{index:07d}"


def measure(client: Client, folder: Path) -> Result:
    """Import into a fresh outdial; fails when a row was not taken."""
    outdial = client.post("/outdials", {"name": "benchmark"})["id"]
    started = boot_seconds()
    result = client.upload(
        f"/outdials/{outdial}/targets/import", _csv(), kind="text/csv", key=uuid.uuid4().hex
    )
    seconds = boot_seconds() - started
    assert result["accepted_count"] == ROWS, result
    return Result("import_rows", ROWS / seconds, "rows/s", FLOOR, _bare_copy(folder))


def _csv() -> Iterator[bytes]:
    yield b"name,phone,product\n"
    for start in range(0, ROWS, _CHUNK_ROWS):
        rows = range(start, min(start + _CHUNK_ROWS, ROWS))
        yield "".join(f"Person {row},{number(row)},fibre\n" for row in rows).encode()


def _bare_copy(folder: Path) -> float:
    """Rows a second of COPY into a table with the same facts and a primary key, flushed to disk."""
    server = Postgres(folder / "bare")
    server.start()
    try:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(
                "CREATE TABLE target (id uuid PRIMARY KEY, outdial_id uuid NOT NULL,"
                " name text NOT NULL, number text NOT NULL, data text NOT NULL)"
            )
            outdial = new_id()
            started = boot_seconds()
            with (
                connection.cursor() as cursor,
                cursor.copy("COPY target FROM STDIN (FORMAT BINARY)") as copy,
            ):
                copy.set_types(["uuid", "uuid", "text", "text", "text"])
                for row in range(ROWS):
                    copy.write_row(
                        (new_id(), outdial, f"Person {row}", number(row), '{"product":"fibre"}')
                    )
            return ROWS / (boot_seconds() - started)
    finally:
        server.stop()
