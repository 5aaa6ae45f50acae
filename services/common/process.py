"""The life of a process: its background tasks, its orderly end, and the signals that bring it about.

A background task that fails takes the whole process down, loudly: half a process is worse than none.
Tasks that merely lost PostgreSQL or NATS retry by themselves (see backoff.py).
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

import uvloop

from services.common.log import get_logger
from services.common.tasks import cancel_all

Hook = Callable[[], Awaitable[object]]
Background = Callable[[], Coroutine[Any, Any, None]]


class Process(Protocol):
    """What `serve` runs."""

    def stop(self) -> None:
        """Begin the orderly end; `run` returns after it."""

    async def run(self) -> None:
        """Work until `stop`; raises what made a background task fail, after closing everything."""


@dataclass(kw_only=True)
class Life:
    """One life of a process. Hooks are awaited in order.

    `on_start` may fail, and then only what must be closed is. `background` are named coroutine
    functions that run until cancelled. `on_drain` lets go of the work while they still run; `on_close`
    closes what the process holds, also after a crash. Of these two every hook is awaited, whatever
    became of the one before.
    """

    name: str
    on_start: Sequence[Hook] = ()
    background: Sequence[tuple[str, Background]] = ()
    on_drain: Sequence[Hook] = ()
    on_close: Sequence[Hook] = ()
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to begin the end."""

    async def run(self) -> None:
        """See Process."""
        try:
            for hook in self.on_start:
                await hook()
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(_for_ever(name, body), name=name)
                    for name, body in self.background
                ]
                try:
                    await self.stopping.wait()
                    get_logger().info("draining", service=self.name)
                    await _all(self.on_drain)
                finally:
                    # Also after a crash: the group itself cancels the others once only.
                    await cancel_all(running)
        finally:
            # After a crash this still runs, without the courtesy of draining.
            await _all(self.on_close)
            get_logger().info("stopped", service=self.name)


async def serve(process: Process) -> None:
    """Run the process until SIGTERM or SIGINT ends it in order; a second one skips the waiting."""
    loop = asyncio.get_running_loop()
    own = asyncio.current_task()

    def on_signal() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, own.cancel if own else process.stop)
        process.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    await process.run()


def run(main: Coroutine[Any, Any, None]) -> NoReturn:
    """Run a process's main coroutine on uvloop; exit code 0 after an orderly end, 1 after a failure."""
    try:
        uvloop.run(main)
    except (KeyboardInterrupt, asyncio.CancelledError):
        get_logger().warning("stopped_in_a_hurry")
        sys.exit(1)
    except Exception as exc:
        get_logger().error("crashed", exc_info=exc)
        sys.exit(1)
    sys.exit(0)


async def _for_ever(name: str, body: Background) -> None:
    await body()
    # Returning early is as bad as crashing: the work this task stood for is no longer done.
    raise RuntimeError(f"background task {name} ended by itself")


async def _all(hooks: Sequence[Hook]) -> None:
    """Await every hook, also after one of them failed."""
    for hook in hooks:
        try:
            await hook()
        except Exception:
            get_logger().exception("hook_failed", hook=getattr(hook, "__qualname__", str(hook)))
