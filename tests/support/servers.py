"""Real servers in folders of their own, to be ended and started again under the code."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.embedded.asterisk import PrivateAsterisk
from cli.embedded.nats import Nats
from cli.embedded.postgres import Postgres
from tests.support.waiting import eventually


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder every user may enter: under root, pytest's own is closed to PostgreSQL's user."""
    folder = Path(tempfile.mkdtemp(prefix="outbound-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """A running PostgreSQL without databases of anybody else."""
    with open_folder() as folder:
        server = Postgres(folder / "postgres", fsync=False)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def own_nats(config: str = "") -> Iterator[Nats]:
    """A running nats-server."""
    with open_folder() as folder:
        server = Nats(folder / "nats", config=config)
        server.start()
        try:
            yield server
        finally:
            server.stop()


async def end(
    server: Postgres | Nats | PrivateAsterisk, how: signal.Signals = signal.SIGQUIT
) -> None:
    """Send the signal (SIGQUIT: a crash for PostgreSQL) and return when the server is gone."""
    os.kill(server.pid, how)
    await eventually(lambda: not server.is_running())


async def restart(server: Postgres | Nats, how: signal.Signals = signal.SIGQUIT) -> None:
    """End the server and start it again at the same address."""
    await end(server, how)
    await asyncio.to_thread(server.start)
