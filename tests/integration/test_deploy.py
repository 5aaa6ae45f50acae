"""What the container jobs do, against real servers: keys, roles, schemas, health."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import nats
import nats.errors
import psycopg
import pytest
from nats.aio.client import Client
from psycopg import sql

from cli.embedded.nats import Nats
from cli.embedded.postgres import Postgres
from cli.stack.ports import find_free_port, spread
from cli.stack.stack import SCHEMAS
from deploy import keys
from deploy.migrate import migrate
from tests.support.servers import open_folder


@pytest.fixture(scope="module")
def databases() -> Iterator[dict[str, str]]:
    """Addresses as the job `keys` writes them, of a server that asks for passwords."""
    port = find_free_port("127.0.0.1", spread(25_432, 26_432))
    with open_folder() as folder:
        keys.settle(folder / "keys", f"127.0.0.1:{port}", {})
        urls: dict[str, str] = json.loads((folder / "keys/migrate/databases.json").read_text())
        server = Postgres(folder / "postgres", fsync=False, listen="127.0.0.1", port=port)
        try:
            server.start()
            with psycopg.connect(server.url(), autocommit=True) as connection:
                password = urlsplit(urls[keys.SUPERUSER]).password
                connection.execute(
                    sql.SQL("CREATE ROLE postgres SUPERUSER LOGIN PASSWORD {}").format(
                        sql.Literal(password)
                    )
                )
            yield urls
        finally:
            server.stop()


def test_migrate_makes_what_each_service_may_use_and_is_repeatable(
    databases: dict[str, str],
) -> None:
    migrate(databases)
    migrate(databases)
    for service in SCHEMAS:
        with psycopg.connect(databases[service], autocommit=True) as connection:
            found = connection.execute(f"SELECT count(*) FROM {service}.schema_migrations")
            row = found.fetchone()
            assert row is not None
            assert row[0] > 0
            other = "outdial" if service == "campaign" else "campaign"
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT 1 FROM {other}.schema_migrations")


def test_roles_need_their_passwords(databases: dict[str, str]) -> None:
    migrate(databases)
    wrong = databases["campaign"].replace(str(urlsplit(databases["campaign"]).password), "guessed")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(wrong)


async def test_nats_takes_the_configuration_and_its_credentials_only(tmp_path: Path) -> None:
    keys.settle(tmp_path / "keys", "postgres:5432", {})
    config = (tmp_path / "keys" / "nats" / "nats.conf").read_text()
    # Addresses and folders are the container's; what remains is who may come in.
    accounts = config.partition("operator:")
    server = Nats(tmp_path / "nats", config=accounts[1] + accounts[2])
    server.start()
    try:
        stranger = Client()
        with pytest.raises((nats.errors.Error, OSError)):
            await stranger.connect(server.url(), allow_reconnect=False, error_cb=_ignore)
        await stranger.close()
        credentials = tmp_path / "keys" / "dialer" / "nats.creds"
        connection = await nats.connect(server.url(), user_credentials=str(credentials))
        await connection.jetstream().account_info()
        await connection.close()
    finally:
        server.stop()


def test_nats_accepts_the_whole_file(tmp_path: Path) -> None:
    keys.settle(tmp_path, "postgres:5432", {})
    command = [str(Nats(tmp_path).binary), "-t", "--config", str(tmp_path / "nats" / "nats.conf")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_health_check_tells_by_its_exit_code(status: int, code: int) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/health"
        command = [sys.executable, "-m", "deploy.healthcheck"]
        assert subprocess.run([*command, url], timeout=30, check=False).returncode == code
        server.shutdown()
    assert subprocess.run([*command, "127.0.0.1:1"], timeout=30, check=False).returncode == 1


async def _ignore(_error: Exception) -> None:
    """The refusal is what the caller sees."""
