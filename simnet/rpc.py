"""The SimulatedNetworkService servicer: parse, hand to the engine, convert."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TypeVar

import grpc
from outbound.simnet.v1 import simnet_pb2 as simnet_pb
from outbound.simnet.v1 import simnet_pb2_grpc as simnet_grpc

from simnet import convert, log
from simnet.calls import Event
from simnet.engine import Engine, Found, NotStepped, Session
from simnet.profile import Profile

# Frames and parts of this many items stay far below the message limit and decode in a millisecond.
MOST_ITEMS = 1000
MOST_IDS = 10_000
LONGEST_STEP_MS = 86_400_000

T = TypeVar("T")
_AttachContext = grpc.aio.ServicerContext[
    AsyncIterator[simnet_pb.DriverFrame], AsyncIterator[simnet_pb.NetworkFrame]
]


class SimulatedNetworkServicer(simnet_grpc.SimulatedNetworkServiceServicer):
    """The network on the wire."""

    def __init__(self, engine: Engine, profile: Profile, network_instance: str) -> None:
        self._engine = engine
        self._profile = profile
        self._network_instance = network_instance
        self.is_stopping = False

    async def Attach(
        self, request_iterator: AsyncIterator[simnet_pb.DriverFrame], context: _AttachContext
    ) -> AsyncIterator[simnet_pb.NetworkFrame]:
        """See simnet.proto."""
        session, first = await self._hello(request_iterator, context)
        engine = self._engine
        engine.attach(session)
        log.write("dialer_attached", dialer=session.dialer, calls=len(first.hello.call_ids))
        reader = asyncio.create_task(self._read(session, first, request_iterator))
        try:
            welcome = simnet_pb.Welcome(
                network_instance=self._network_instance,
                tm=convert.timestamp(engine.clock.now_us()),
            )
            yield simnet_pb.NetworkFrame(welcome=welcome)
            while items := await session.take():
                for part in _parts(items):
                    yield simnet_pb.NetworkFrame(events=[_event(item) for item in part])
        finally:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader
            engine.detach(session)
            log.write("dialer_detached", dialer=session.dialer, replaced=session.is_replaced)
        if session.is_replaced:
            await context.abort(grpc.StatusCode.ABORTED, f"{session.dialer} attached elsewhere")
        if self.is_stopping:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the network is stopping")

    async def ListLiveCalls(
        self,
        request: simnet_pb.ListLiveCallsRequest,
        context: grpc.aio.ServicerContext[
            simnet_pb.ListLiveCallsRequest, simnet_pb.ListLiveCallsResponse
        ],
    ) -> AsyncIterator[simnet_pb.ListLiveCallsResponse]:
        """See simnet.proto."""
        for part in _parts(self._engine.live_calls(request.call_ids)):
            yield simnet_pb.ListLiveCallsResponse(calls=[convert.known_call(call) for call in part])

    async def GetCalls(
        self,
        request: simnet_pb.GetCallsRequest,
        context: grpc.aio.ServicerContext[simnet_pb.GetCallsRequest, simnet_pb.GetCallsResponse],
    ) -> simnet_pb.GetCallsResponse:
        """See simnet.proto."""
        count = len(request.call_ids)
        if count > MOST_IDS:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"call_ids has {count} entries; accepted: at most {MOST_IDS}",
            )
        calls = await self._engine.calls(request.call_ids)
        return simnet_pb.GetCallsResponse(calls=[convert.known_call(call) for call in calls])

    async def Step(
        self,
        request: simnet_pb.StepRequest,
        context: grpc.aio.ServicerContext[simnet_pb.StepRequest, simnet_pb.StepResponse],
    ) -> simnet_pb.StepResponse:
        """See simnet.proto."""
        if not 0 <= request.advance_ms <= LONGEST_STEP_MS:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"advance_ms is {request.advance_ms}; accepted: 0 to {LONGEST_STEP_MS}",
            )
        try:
            now_us, count = self._engine.step(request.advance_ms * 1000)
        except NotStepped:
            await context.abort(
                grpc.StatusCode.FAILED_PRECONDITION,
                "the clock runs by itself; start with OUTBOUND_SIMNET_STEPPED=true to step it",
            )
        return simnet_pb.StepResponse(tm=convert.timestamp(now_us), event_count=count)

    async def _hello(
        self, frames: AsyncIterator[simnet_pb.DriverFrame], context: _AttachContext
    ) -> tuple[Session, simnet_pb.DriverFrame]:
        if self.is_stopping:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the network is stopping")
        async for first in frames:
            hello = first.hello
            if hello.dialer and hello.instance:
                return Session(hello.dialer, hello.instance), first
            break
        await context.abort(
            grpc.StatusCode.INVALID_ARGUMENT,
            "the first frame has no hello that names dialer and instance",
        )

    async def _read(
        self,
        session: Session,
        first: simnet_pb.DriverFrame,
        frames: AsyncIterator[simnet_pb.DriverFrame],
    ) -> None:
        """Apply the frames of one stream until it ends; then nothing more is sent on it either."""
        try:
            await self._engine.adopt(session, first.hello.call_ids)
            await self._apply(session, first.commands)
            async for frame in frames:
                await self._apply(session, frame.commands)
        except Exception:
            log.write("stream_failed", level="error", traceback=traceback.format_exc())
        finally:
            session.close()

    async def _apply(self, session: Session, commands: Sequence[simnet_pb.Command]) -> None:
        """Apply commands in order: what stands between two adoptions in one step."""
        batch: list[simnet_pb.Command] = []
        for command in commands:
            if command.HasField("adopt"):
                self._apply_batch(session, batch)
                batch = []
                await self._engine.adopt(session, command.adopt.call_ids)
            else:
                batch.append(command)
        self._apply_batch(session, batch)

    def _apply_batch(self, session: Session, commands: Sequence[simnet_pb.Command]) -> None:
        if not commands:
            return
        dialer, network = session.dialer, self._engine.network

        def apply(now_us: int, boottime_ns: int) -> None:
            for command in commands:
                match command.WhichOneof("what"):
                    case "place":
                        network.place(dialer, convert.order(command.place), now_us, boottime_ns)
                    case "cancel":
                        network.cancel(command.cancel.call_id, now_us)
                    case "hangup":
                        network.hangup(command.hangup.call_id, now_us)
                    case "play":
                        network.play(dialer, convert.message(command.play, self._profile), now_us)
                    case "stop_play":
                        network.stop_play(dialer, command.stop_play.call_id, now_us)
                    case "bridge":
                        bridge = command.bridge
                        network.bridge(dialer, bridge.call_id, bridge.other_call_id, now_us)
                    case "unbridge":
                        network.unbridge(dialer, command.unbridge.call_id, now_us)
                    case "forget":
                        for call_id in command.forget.call_ids:
                            network.forget(call_id)

        self._engine.command(session, apply)


def _event(item: Event | Found) -> simnet_pb.Event:
    if isinstance(item, Found):
        return convert.adopted(item.call_id, item.at_us, item.call)
    return convert.event(item)


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), MOST_ITEMS):
        yield items[start : start + MOST_ITEMS]
