"""What the world of dialer tests is furnished with: people, keys, ports, and patience."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from services.common.auth import Role, TokenIssuer, generate_key_pair, trusted_keys_document

WAIT_SECONDS = 30.0
QUICK: dict[str, Any] = {
    "outcomes": {"answer": 1},
    "ring_ms": 100,
    "machine_ring_ms": 100,
    "machine_ms": 5_000,
    "reject_ms": 50,
    "silence_ms": 60_000,
    "hold_ms": 60_000,
    "listen_to_end": 1.0,
    "digits": {},
    "reaction_ms": 10,
    "talk_ms": 300,
    "machine_talk_ms": 300,
    "hangs_up_first": 1.0,
    "goodbye_ms": 20,
}
PROFILE: dict[str, Any] = {
    "speech_ms_per_character": 1,
    "customer": QUICK,
    "agent": QUICK,
    "patterns": [
        {"match": "^\\+19991", "outcomes": ["machine"]},
        {"match": "^\\+19992", "outcomes": ["busy"]},
        {"match": "^\\+19993", "outcomes": ["noanswer"]},
        {"match": "^\\+19996", "outcomes": ["busy", "answer"]},
        {"match": "^\\+19998", "customer": {"digits": {"12": 1.0}}},
        {"match": "^\\+19994", "customer": {"ring_ms": 6_000}},
        {"match": "^\\+19997", "customer": {"talk_ms": 8_000}},
    ],
}
ISSUERS = {
    "campaign": Role.CAMPAIGN,
    "outdial": Role.OUTDIAL,
    "queue": Role.QUEUE,
    "dialer": Role.DIALER,
    "client": Role.CLIENT,
}


async def until(
    condition: Callable[[], Awaitable[Any]] | Callable[[], Any],
    what: str,
    seconds: float = WAIT_SECONDS,
) -> Any:
    """The first true value of a condition, which may be a coroutine function."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds:.0f} s")
        await asyncio.sleep(0.02)


def reasons(stats: Any) -> dict[str, int]:
    """Hangup reasons that occurred."""
    return {reason: count for reason, count in stats.hangup_reason_counts.items() if count}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_keys(folder: Path) -> TokenIssuer:
    """Keys of every process; the client's issuer."""
    trusted = {}
    client = ""
    for name, role in ISSUERS.items():
        pair = generate_key_pair()
        (folder / f"{name}.pem").write_text(pair.private_pem)
        trusted[name] = (role, pair.public_key)
        client = pair.private_pem if name == "client" else client
    (folder / "trusted.json").write_text(trusted_keys_document(trusted))
    return TokenIssuer("client", client)
