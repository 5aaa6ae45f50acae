"""A whole process around Echo, for tests that send it signals: `python -m ... <mode> <trusted keys>`."""

from __future__ import annotations

import asyncio
import sys

from services.common import log, process
from services.common.auth import TokenVerifier, trusted_keys
from services.common.server import Server, ServerParts
from tests.integration.common import echo


async def main(mode: str, trusted: str) -> None:
    """`serve` answers for ever, `crash` loses a background task after the first request."""
    asked = asyncio.Event()
    release = asyncio.Event()

    async def one(text: str) -> str:
        asked.set()
        if text == "slow":
            log.get_logger().info("asked")
            # Answered only once the drain has begun.
            await release.wait()
        return text

    async def background() -> None:
        await asked.wait()
        if mode == "crash":
            raise RuntimeError("lost my mind")
        await asyncio.Event().wait()

    async def drain() -> None:
        release.set()

    log.configure("echo")
    parts = ServerParts(
        name="echo",
        listen="127.0.0.1:0",
        metrics_listen="127.0.0.1:0",
        verifier=TokenVerifier("echo", trusted_keys(trusted)),
        servicers=[(echo.add_echo, echo.Echo(one))],
        background=[("worker", background)],
        on_drain=[drain],
    )
    await process.serve(Server(parts))


if __name__ == "__main__":
    process.run(main(*sys.argv[1:]))
