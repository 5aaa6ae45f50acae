"""The simulated network as a carrier for the telephony contract, behind a link that can be cut."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc

from services.dialer.drivers.simulated import SimulatedTelephony
from services.dialer.telephony import Address, Telephony
from tests.fixtures.simnet import SimnetProcess
from tests.fixtures.tcp_proxy import TcpProxy
from tests.support.telephony import Carrier, SkippableClock

# 20 domain seconds pass in a real one; nobody loses patience within a test.
SCALE = "20"
STEADY: dict[str, Any] = {
    "outcomes": {"answer": 1},
    "ring_ms": 4_000,
    "machine_ring_ms": 4_000,
    "machine_ms": 1_800_000,
    "silence_ms": 1_800_000,
    "hold_ms": 1_800_000,
    "talk_ms": 1_800_000,
    "machine_talk_ms": 1_800_000,
    "listen_to_end": 1.0,
}
BEHAVIOURS = {"answer": "0", "machine": "1", "busy": "2", "noanswer": "3", "invalid": "4"}
KEYS = {"match": "^\\+19990.*77$", "customer": {"digits": {"19#": 1.0}}}


class SimulatedCarrier:
    """See Carrier."""

    remembers_ends = True

    def __init__(self, network: SimnetProcess, link: TcpProxy) -> None:
        self.network = network
        self.link = link
        self.clock = SkippableClock()
        self._numbers = itertools.count(100_000)

    def address(self, behaviour: str) -> Address:
        return Address("tel", f"+1999{BEHAVIOURS[behaviour]}{next(self._numbers)}")

    def telephony(self, dialer: str) -> Telephony:
        return SimulatedTelephony(
            open_channel=lambda: grpc.aio.insecure_channel(
                self.link.address, options=[("grpc.use_local_subchannel_pool", 1)]
            ),
            dialer=dialer,
            clock=self.clock,
        )

    async def cut(self) -> None:
        await self.link.cut()

    async def restore(self) -> None:
        await self.link.restore()

    async def rang(self) -> list[str]:
        return [line["number"] for line in self.network.entries("ring")]


@asynccontextmanager
async def simulated_carrier(folder: Path) -> AsyncIterator[SimulatedCarrier]:
    """A network process and a link to it."""
    network = SimnetProcess(folder)
    people = [
        {"match": f"^\\+1999{digit}", "outcomes": [word]} for word, digit in BEHAVIOURS.items()
    ]
    network.configure(
        {"customer": STEADY, "agent": STEADY, "patterns": [KEYS, *people]}, SCALE=SCALE
    )
    await network.start()
    link = TcpProxy(network.port)
    await link.start()
    carrier = SimulatedCarrier(network, link)
    _: Carrier = carrier
    try:
        yield carrier
    finally:
        await link.cut()
        await network.stop()
