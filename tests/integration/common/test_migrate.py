"""Migrations on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from services.common import migrate
from services.common.migrate import MigrationError
from tests.fixtures.postgres import DatabaseFactory

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def url(database: DatabaseFactory) -> str:
    # An empty database: no service at all.
    return database()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Migrations of a service `probe`, with one file."""
    monkeypatch.setattr(migrate, "ROOT", tmp_path)
    folder = tmp_path / "services" / "probe" / "migrations"
    folder.mkdir(parents=True)
    (folder / "0001_initial.sql").write_text(
        "CREATE TABLE thing (id int); INSERT INTO thing VALUES (1);"
    )
    return folder


def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute(sql.encode()).fetchall()


async def test_common_comes_first_then_the_services_own(url: str, folder: Path) -> None:
    applied = await migrate.migrate(url, "probe")
    assert applied == ["common/0001_outbox.sql", "probe/0001_initial.sql"]
    assert query(url, "SELECT id FROM probe.thing") == [(1,)]
    assert query(url, "SELECT count(*) FROM probe.outbox") == [(0,)]


async def test_only_what_is_missing_is_applied(url: str, folder: Path) -> None:
    await migrate.migrate(url, "probe")
    assert await migrate.migrate(url, "probe") == []
    (folder / "0002_more.sql").write_text("INSERT INTO thing VALUES (2)")
    assert await migrate.migrate(url, "probe") == ["probe/0002_more.sql"]
    assert query(url, "SELECT count(*) FROM probe.thing") == [(2,)]


async def test_schemas_do_not_mix(url: str, folder: Path) -> None:
    await migrate.migrate(url, "probe")
    assert await migrate.migrate(url, "other") == ["common/0001_outbox.sql"]
    schemas = query(
        url, "SELECT table_schema FROM information_schema.tables WHERE table_name = 'outbox'"
    )
    assert sorted(schemas) == [("other",), ("probe",)]


async def test_a_changed_file_is_refused(url: str, folder: Path) -> None:
    await migrate.migrate(url, "probe")
    (folder / "0001_initial.sql").write_text("CREATE TABLE thing (id bigint)")
    with pytest.raises(MigrationError, match=r"probe/0001_initial\.sql was changed"):
        await migrate.migrate(url, "probe")


async def test_a_failing_file_leaves_nothing_behind(url: str, folder: Path) -> None:
    (folder / "0002_bad.sql").write_text("CREATE TABLE half (id int); SELECT nonsense;")
    with pytest.raises(MigrationError, match=r"probe/0002_bad\.sql.*nonsense"):
        await migrate.migrate(url, "probe")
    assert query(url, "SELECT to_regclass('probe.half')") == [(None,)]
    assert query(url, "SELECT count(*) FROM probe.thing") == [(1,)]


async def test_several_at_once_apply_everything_once(url: str, folder: Path) -> None:
    results = await asyncio.gather(*(migrate.migrate(url, "probe") for _ in range(4)))
    assert sorted(len(each) for each in results) == [0, 0, 0, 2]


async def test_code_older_than_the_schema_is_accepted(url: str, folder: Path) -> None:
    (folder / "0002_newer.sql").write_text("SELECT 1")
    await migrate.migrate(url, "probe")
    (folder / "0002_newer.sql").unlink()
    assert await migrate.migrate(url, "probe") == []


async def test_ids_of_a_schema_made_again_do_not_come_again(url: str, folder: Path) -> None:
    insert = "INSERT INTO probe.outbox (subject, payload) VALUES ('s', '') RETURNING id"
    await migrate.migrate(url, "probe")
    (first,) = query(url, insert)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("DROP SCHEMA probe CASCADE")
    await migrate.migrate(url, "probe")
    (second,) = query(url, insert)
    assert second[0] > first[0]


def test_the_command_names_what_it_did_and_refuses_unknown_services(url: str) -> None:
    def run(*names: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "services.common.migrate", *names],
            cwd=ROOT,
            env={**os.environ, "OUTBOUND_DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )

    refused = run("nonsense")
    assert refused.returncode == 1
    assert "no service 'nonsense'; there are: " in refused.stderr
