"""Bring database schemas up to date: `python -m services.common.migrate [service...]`.

Every service has a schema of its name. Applied in it, in order and each in a transaction of its own:
`services/common/migrations/*.sql`, then the service's own `migrations/*.sql`. Forward only: a file that
has been applied must never change. Safe to run from several places at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from services.common.config import database_url_for
from services.common.db import libpq_url

ROOT = Path(__file__).resolve().parents[2]
COMMON = ROOT / "services" / "common" / "migrations"
_LOCK = 0x6F75_7462  # "outb": one migration at a time in a database


class MigrationError(Exception):
    """The database and the migration files do not belong together; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: `name` is `common/0001_x.sql` or `<service>/0001_x.sql`."""

    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def services() -> list[str]:
    """Names of everything that owns a schema."""
    folders = [*(ROOT / "services").glob("*/migrations"), *ROOT.glob("gateway/migrations")]
    return sorted(path.parent.name for path in folders if path.parent.name != "common")


def migrations(service: str) -> list[Migration]:
    """The service's migrations in the order in which they are applied."""
    own = ROOT / ("gateway" if service == "gateway" else f"services/{service}") / "migrations"
    found = []
    for folder, label in ((COMMON, "common"), (own, service)):
        for path in sorted(folder.glob("*.sql")):
            found.append(Migration(f"{label}/{path.name}", path.read_text()))
    return found


async def migrate(url: str, service: str) -> list[str]:
    """Apply what is missing to the service's schema; the names of the migrations applied."""
    wanted = migrations(service)
    async with await psycopg.AsyncConnection.connect(
        libpq_url(url), autocommit=True, options=f"-c search_path={service}"
    ) as conn:
        await conn.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        await conn.execute(
            sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(service))
        )
        await conn.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations ("
            " name text PRIMARY KEY, checksum text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT now())"
        )
        cursor = await conn.execute("SELECT name, checksum FROM schema_migrations")
        applied: dict[str, str] = dict(await cursor.fetchall())
        _check(service, applied, wanted)
        missing = [each for each in wanted if each.name not in applied]
        for each in missing:
            await _apply(conn, each)
        return [each.name for each in missing]


def _check(service: str, applied: dict[str, str], wanted: list[Migration]) -> None:
    known = {each.name: each for each in wanted}
    for name, checksum in applied.items():
        if name in known and known[name].checksum != checksum:
            raise MigrationError(
                f"{name} was changed after it had been applied to schema {service}; "
                "restore the file and put the change into a new one"
            )


async def _apply(conn: psycopg.AsyncConnection[tuple[object, ...]], each: Migration) -> None:
    async with conn.transaction():
        try:
            await conn.execute(each.text.encode())
        except psycopg.Error as exc:
            raise MigrationError(f"{each.name}: {exc}") from exc
        await conn.execute(
            "INSERT INTO schema_migrations (name, checksum) VALUES (%s, %s)",
            (each.name, each.checksum),
        )


async def _main(names: list[str]) -> None:
    known = services()
    for name in names or known:
        if name not in known:
            raise MigrationError(f"no service {name!r}; there are: {', '.join(known)}")
        applied = await migrate(database_url_for(name), name)
        print(f"{name}: {', '.join(applied) or 'up to date'}")


if __name__ == "__main__":
    try:
        asyncio.run(_main(sys.argv[1:]))
    except (MigrationError, psycopg.Error) as failure:
        sys.exit(f"migrate: {failure}")
