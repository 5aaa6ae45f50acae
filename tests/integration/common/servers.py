"""Real servers of a test's own, to be ended and started again under the code."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.embedded.nats import Nats
from cli.embedded.postgres import Postgres

_PATIENCE_SECONDS = 30.0


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """A running PostgreSQL without databases of anybody else."""
    with _folder() as folder:
        server = Postgres(folder / "postgres", fsync=False)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def own_nats(config: str = "") -> Iterator[Nats]:
    """A running nats-server."""
    with _folder() as folder:
        server = Nats(folder / "nats", config=config)
        server.start()
        try:
            yield server
        finally:
            server.stop()


async def end(server: Postgres | Nats, how: signal.Signals = signal.SIGQUIT) -> None:
    """Send the signal (SIGQUIT: a crash for PostgreSQL) and return when the server is gone."""
    os.kill(server.pid, how)
    await eventually(lambda: not server.is_running())


async def restart(server: Postgres | Nats, how: signal.Signals = signal.SIGQUIT) -> None:
    """End the server and start it again at the same address."""
    await end(server, how)
    await asyncio.to_thread(server.start)


async def eventually(condition: Callable[[], bool]) -> None:
    """Return when the condition holds; fail when it does not within half a minute."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until, f"waited in vain for {condition}"
        await asyncio.sleep(0.01)


async def eventually_true(condition: Callable[[], Awaitable[bool]]) -> None:
    """Like eventually, for a condition that asks a server."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while not await condition():
        assert time.monotonic() < until, f"waited in vain for {condition}"
        await asyncio.sleep(0.01)


@contextmanager
def _folder() -> Iterator[Path]:
    # Not pytest's own: under root, PostgreSQL's user cannot enter that.
    folder = Path(tempfile.mkdtemp(prefix="outbound-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
