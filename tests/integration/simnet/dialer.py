"""A dialer of a few lines, speaking to the network directly."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc
from outbound.simnet.v1 import simnet_pb2 as simnet_pb
from outbound.simnet.v1 import simnet_pb2_grpc as simnet_grpc
from uuid_utils.compat import uuid7

from tests.fixtures.simnet import SimnetProcess

WAIT_SECONDS = 20.0


def new_id() -> str:
    return str(uuid7())


def boottime_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def place(
    call_id: str,
    number: str,
    *,
    kind: simnet_pb.CallKind = simnet_pb.CALL_KIND_CUSTOMER,
    ring_timeout_ms: int = 30_000,
    max_duration_ms: int = 600_000,
    within_seconds: float = 5.0,
) -> simnet_pb.Command:
    return simnet_pb.Command(
        place=simnet_pb.Place(
            call_id=call_id,
            kind=kind,
            address=simnet_pb.Address(type="tel", target=number),
            ring_timeout_ms=ring_timeout_ms,
            max_duration_ms=max_duration_ms,
            place_before_boottime_ns=boottime_ns() + int(within_seconds * 1e9),
        )
    )


class RawDialer:
    """One attached stream and everything that came over it."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.stub = simnet_grpc.SimulatedNetworkServiceStub(channel)
        self.events: list[simnet_pb.Event] = []
        self.error: grpc.aio.AioRpcError | None = None
        self._stream = self.stub.Attach()
        self._reader: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()

    async def attach(
        self, dialer: str = "d1", instance: str = "i1", calls: Sequence[str] = ()
    ) -> None:
        hello = simnet_pb.Hello(dialer=dialer, instance=instance, call_ids=calls)
        await self._stream.write(simnet_pb.DriverFrame(hello=hello))
        first = await self._stream.read()
        assert isinstance(first, simnet_pb.NetworkFrame)
        assert first.HasField("welcome")
        self._reader = asyncio.create_task(self._read())

    async def send(self, *commands: simnet_pb.Command) -> None:
        for start in range(0, len(commands), 500):
            part = commands[start : start + 500]
            await self._stream.write(simnet_pb.DriverFrame(commands=part))

    async def close(self) -> None:
        self._stream.cancel()
        if self._reader is not None:
            await self._reader

    async def closed_by_network(self) -> grpc.aio.AioRpcError:
        assert self._reader is not None
        await self._reader
        assert self.error is not None
        return self.error

    def of(self, call_id: str) -> list[str]:
        """The kinds of event of one call, in order."""
        return [kind(event) for event in self.events if event.call_id == call_id]

    def kinds(self) -> Counter[str]:
        return Counter(kind(event) for event in self.events)

    async def has(self, what: str, count: int = 1) -> None:
        """Return as soon as that many events of a kind have come."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while self.kinds()[what] < count:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise AssertionError(f"{count} {what} never came: {self.kinds()}") from None

    async def _read(self) -> None:
        try:
            while isinstance(frame := await self._stream.read(), simnet_pb.NetworkFrame):
                self.events.extend(frame.events)
                self._arrived.set()
        except grpc.aio.AioRpcError as error:
            self.error = error
        except asyncio.CancelledError:
            pass


def kind(event: simnet_pb.Event) -> str:
    return event.WhichOneof("what") or ""


@asynccontextmanager
async def attached(
    simnet: SimnetProcess, dialer: str = "d1", instance: str = "i1", calls: Sequence[str] = ()
) -> AsyncIterator[RawDialer]:
    async with simnet.open_channel() as channel:
        raw = RawDialer(channel)
        await raw.attach(dialer, instance, calls)
        try:
            yield raw
        finally:
            await raw.close()
