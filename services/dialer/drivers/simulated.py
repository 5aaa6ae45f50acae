"""The simulated driver: the telephony port on one stream to the simulated network.

`run` keeps the stream up. While it is down nothing is placed; everything else that is wanted of a
call is remembered with the call (`simulated_calls`) and sent after the reconnect.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from uuid import UUID, uuid4

import grpc
from outbound.simnet.v1 import simnet_pb2 as simnet_pb
from outbound.simnet.v1 import simnet_pb2_grpc as simnet_grpc

from services.common.backoff import Backoff
from services.common.clock import Clock
from services.common.log import get_logger
from services.dialer.drivers import simulated_convert as convert
from services.dialer.drivers.simulated_calls import HeldCall, Stage
from services.dialer.drivers.simulated_soundless import Soundless
from services.dialer.telephony import (
    Capability,
    CommandFailed,
    Detected,
    Event,
    LinkChanged,
    LiveCall,
    NotPlaced,
    NotPlacedReason,
    Placement,
    Replaced,
    Taken,
    TelephonyUnavailable,
)

# A frame of this many commands is built in a few milliseconds and decodes in one.
MOST_COMMANDS = 1000
LIST_SECONDS = 10.0
STRAY_SECONDS = 30.0
FIRST_RECONNECT_SECONDS = 0.05
MOST_RECONNECT_SECONDS = 2.0

_Stream = grpc.aio.StreamStreamCall[simnet_pb.DriverFrame, simnet_pb.NetworkFrame]


class SimulatedTelephony(Soundless):
    """See services.dialer.telephony.Telephony."""

    capabilities = frozenset(
        {
            Capability.PLAY,
            Capability.HOLD,
            Capability.SAY,
            Capability.SEND_DIGITS,
            Capability.RECEIVE_DIGITS,
            Capability.ECHO,
            Capability.MUTE,
            Capability.BRIDGE,
            Capability.DETECT,
        }
    )
    address_types = frozenset({"tel", "sip", "extension"})
    room: int | None = None  # this network takes all

    def __init__(
        self, *, open_channel: Callable[[], grpc.aio.Channel], dialer: str, clock: Clock
    ) -> None:
        """`dialer` is the name of this dialer's slot: the owner of its calls in the network."""
        self._open_channel = open_channel
        self._dialer = dialer
        self._clock = clock
        self._instance = str(uuid4())
        self._stub: simnet_grpc.SimulatedNetworkServiceStub | None = None  # while the link is up
        self._held: dict[str, HeldCall] = {}
        # Of calls not held here; kept for a while after they were sent, because nothing confirms them.
        self._stray_hangups: dict[str, float] = {}
        self._resuming: set[str] = set()  # calls of the hello that were not answered yet
        self._connections: list[simnet_pb.Command] = []  # to be sent when all were
        self._outbox: deque[Placement | simnet_pb.Command] = deque()
        self._to_send = asyncio.Event()
        self._events: list[Event] = []
        self._to_tell = asyncio.Event()
        self._replaced = False

    @property
    def connected(self) -> bool:
        """See Telephony."""
        return self._stub is not None

    # -------------------------------------------------------------------------------- commands

    def place(self, placements: Sequence[Placement]) -> None:
        """See Telephony."""
        for placement in placements:
            text = str(placement.call_id)
            if not self.connected:
                self._tell(NotPlaced(placement.call_id, NotPlacedReason.DISCONNECTED))
            elif text in self._held:
                self._tell(NotPlaced(placement.call_id, NotPlacedReason.DUPLICATE))
            else:
                self._held[text] = HeldCall(placement.call_id, Stage.PLACING)
                self._send(placement)

    def cancel(self, call_ids: Collection[UUID]) -> None:
        """See Telephony."""
        for call in self._held_of(call_ids):
            if call.stage is not Stage.ANSWERED:
                call.end_wish = call.end_wish or "cancel"
                self._send(simnet_pb.Command(cancel=simnet_pb.Cancel(call_id=call.text)))

    def hangup(self, call_ids: Collection[UUID]) -> None:
        """See Telephony."""
        for call_id in call_ids:
            text = str(call_id)
            call = self._held.get(text)
            if call is not None:
                call.end_wish = "hangup"
            else:
                if self.connected:
                    self._drop_old_strays()
                self._stray_hangups.pop(text, None)  # to the end: the order is that of the times
                self._stray_hangups[text] = self._clock.boottime()
            self._send(simnet_pb.Command(hangup=simnet_pb.Hangup(call_id=text)))

    def play(
        self, call_id: UUID, play_id: str, media: Sequence[str], *, duration_hint_ms: int = 0
    ) -> None:
        """See Telephony."""
        recordings = simnet_pb.Recordings(media=media)
        self._play(
            call_id,
            simnet_pb.Play(
                play_id=play_id, recordings=recordings, duration_hint_ms=duration_hint_ms
            ),
        )

    def say(
        self, call_id: UUID, play_id: str, text: str, *, language: str = "", voice: str = ""
    ) -> None:
        """See Telephony; simulated people understand every language."""
        self._play(call_id, simnet_pb.Play(play_id=play_id, text=text))

    def hold(self, call_id: UUID, play_id: str, media: Sequence[str] = ()) -> None:
        """See Telephony."""
        recordings = simnet_pb.Recordings(media=media)
        self._play(call_id, simnet_pb.Play(play_id=play_id, recordings=recordings, hold=True))

    def stop_play(self, call_id: UUID) -> None:
        """See Telephony."""
        for call in self._held_of((call_id,)):
            if call.plays:
                call.stop_wish = next(reversed(call.plays))
                self._send(simnet_pb.Command(stop_play=simnet_pb.StopPlay(call_id=call.text)))

    def send_digits(
        self, call_id: UUID, play_id: str, digits: str, *, duration_ms: int = 100, gap_ms: int = 100
    ) -> None:
        """See Telephony."""
        length_ms = len(digits) * (duration_ms + gap_ms)
        self._play(
            call_id, simnet_pb.Play(play_id=play_id, digits=digits, duration_hint_ms=length_ms)
        )

    def echo(self, call_id: UUID, play_id: str, duration_ms: int) -> None:
        """See Telephony; to a simulated person it is a message like any other."""
        recordings = simnet_pb.Recordings(media=["echo"])
        self._play(
            call_id,
            simnet_pb.Play(play_id=play_id, recordings=recordings, duration_hint_ms=duration_ms),
        )

    def detect(self, call_id: UUID) -> None:
        """See Telephony; this network tells with the answer who answered."""
        for call in self._held_of((call_id,)):
            if call.stage is Stage.ANSWERED:
                self._tell(Detected(call_id, self._clock.now(), call.answered_by))
            else:
                self._tell(CommandFailed(call_id, "detect", "", "not_answered"))

    def bridge(self, call_id: UUID, other_id: UUID) -> None:
        """See Telephony."""
        self._connect(call_id, str(other_id))

    def unbridge(self, call_id: UUID) -> None:
        """See Telephony."""
        self._connect(call_id, "")

    def adopt(self, call_ids: Collection[UUID]) -> None:
        """See Telephony."""
        texts = []
        for call_id in call_ids:
            text = str(call_id)
            held = self._held.setdefault(text, HeldCall(call_id, Stage.ADOPTING))
            held.adopt_wish = True
            texts.append(text)
        self._send(simnet_pb.Command(adopt=simnet_pb.Adopt(call_ids=texts)))

    def settled(self, call_ids: Collection[UUID]) -> None:
        """See Telephony."""
        forget = simnet_pb.Forget(call_ids=[str(call_id) for call_id in call_ids])
        self._send(simnet_pb.Command(forget=forget))

    # ------------------------------------------------------------------------- questions, events

    async def live_calls(self, call_ids: Collection[UUID] | None = None) -> list[LiveCall]:
        """See Telephony."""
        if call_ids is not None and not call_ids:
            return []
        if self._stub is None:
            raise TelephonyUnavailable("no link to the simulated network")
        request = simnet_pb.ListLiveCallsRequest(call_ids=[str(one) for one in call_ids or ()])
        calls: list[LiveCall] = []
        try:
            async for part in self._stub.ListLiveCalls(request, timeout=LIST_SECONDS):
                calls.extend(convert.live_call(call) for call in part.calls)
        except grpc.aio.AioRpcError as error:
            raise TelephonyUnavailable(f"the simulated network: {error.details()}") from error
        return calls

    async def events(self) -> AsyncIterator[Sequence[Event]]:
        """See Telephony."""
        while True:
            await self._to_tell.wait()
            self._to_tell.clear()
            batch, self._events = self._events, []
            if batch:
                yield batch
            if self._replaced:
                raise Replaced(f"another process attached to the network as {self._dialer}")

    async def run(self) -> None:
        """See Telephony. Raises Replaced when another process attached under this name."""
        backoff = Backoff(FIRST_RECONNECT_SECONDS, MOST_RECONNECT_SECONDS)
        while True:
            channel = self._open_channel()
            try:
                await self._attached(channel, backoff)
                reason = "the network ended the stream"
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.ABORTED:
                    self._replaced = True
                    self._to_tell.set()
                    raise Replaced(str(error.details())) from error
                reason = str(error.details())
            finally:
                self._link_down()
                await channel.close()
            pause = backoff.failed()
            if backoff.failures <= 3 or backoff.failures % 20 == 0:
                get_logger().warning("simnet_unreachable", reason=reason, seconds=round(pause, 2))
            await asyncio.sleep(pause)

    # ------------------------------------------------------------------------------------ link

    async def _attached(self, channel: grpc.aio.Channel, backoff: Backoff) -> None:
        """Attach and keep the stream until it ends."""
        stub = simnet_grpc.SimulatedNetworkServiceStub(channel)
        stream: _Stream = stub.Attach()
        self._resuming, self._connections = set(self._held), []
        hello = simnet_pb.Hello(
            dialer=self._dialer, instance=self._instance, call_ids=list(self._held)
        )
        await stream.write(simnet_pb.DriverFrame(hello=hello))
        writer: asyncio.Task[None] | None = None
        try:
            while isinstance(frame := await stream.read(), simnet_pb.NetworkFrame):
                if writer is None:
                    self._link_up(stub)
                    backoff.succeeded()
                    writer = asyncio.create_task(self._write(stream))
                for event in frame.events:
                    self._receive(event)
        finally:
            if writer is not None:
                writer.cancel()
            stream.cancel()

    def _link_up(self, stub: simnet_grpc.SimulatedNetworkServiceStub) -> None:
        self._stub = stub
        for text in self._stray_hangups:
            self._send(simnet_pb.Command(hangup=simnet_pb.Hangup(call_id=text)))
            self._stray_hangups[text] = self._clock.boottime()
        self._tell(LinkChanged(connected=True))

    def _link_down(self) -> None:
        was_up = self.connected
        self._stub = None
        unsent, self._outbox = self._outbox, deque()
        for item in unsent:
            if isinstance(item, Placement):
                self._held.pop(str(item.call_id), None)
                self._tell(NotPlaced(item.call_id, NotPlacedReason.DISCONNECTED))
        if was_up:
            self._tell(LinkChanged(connected=False))

    def _drop_old_strays(self) -> None:
        """Hangups sent so long ago over a link that is still up have arrived."""
        old = self._clock.boottime() - STRAY_SECONDS
        while self._stray_hangups and next(iter(self._stray_hangups.values())) < old:
            del self._stray_hangups[next(iter(self._stray_hangups))]

    async def _write(self, stream: _Stream) -> None:
        """Send what is in the outbox, one frame after the other."""
        try:
            while True:
                await self._to_send.wait()
                self._to_send.clear()
                while self._outbox:
                    frame = self._next_frame()
                    if frame.commands:
                        # The stream is connected, so the frame leaves within this step: `write`
                        # hands it to the transport before it waits for anything.
                        await stream.write(frame)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            stream.cancel()  # the reader learns the same and reconnects

    def _next_frame(self) -> simnet_pb.DriverFrame:
        """Commands for one frame, without placements that are late by now."""
        commands: list[simnet_pb.Command] = []
        now = self._clock.boottime()
        while self._outbox and len(commands) < MOST_COMMANDS:
            item = self._outbox.popleft()
            if not isinstance(item, Placement):
                commands.append(item)
            elif item.place_before is not None and now > item.place_before:
                self._held.pop(str(item.call_id), None)
                late = f"{(now - item.place_before) * 1000:.0f} ms too late"
                self._tell(NotPlaced(item.call_id, NotPlacedReason.LATE, late))
            else:
                commands.append(convert.place(item))
        return simnet_pb.DriverFrame(commands=commands)

    def _receive(self, event: simnet_pb.Event) -> None:
        kind = event.WhichOneof("what")
        call = self._held.get(event.call_id)
        if call is None:
            return  # its end was told; this is the tail of a command that crossed it
        if kind == "taken":
            del self._held[event.call_id]
            self._tell(Taken(call.call_id, event.taken.dialer))
        elif kind in ("adopted", "unknown"):
            self._tell(*call.reconcile(event))
            self._resume(call, event.adopted)
        else:
            self._tell(*call.apply(event))
        if call.is_over:
            self._held.pop(event.call_id, None)

    def _resume(self, call: HeldCall, stands: simnet_pb.Call) -> None:
        """Send again what the network has not heard. Connections last, when it is known where every
        call stands: they end what the calls hear, so what was to be heard before goes before."""
        if not call.is_over:
            for command in call.wishes(stands):
                is_connection = command.HasField("bridge") or command.HasField("unbridge")
                if is_connection and self._resuming:
                    self._connections.append(command)
                else:
                    self._send(command)
        self._resuming.discard(call.text)
        if not self._resuming:
            connections, self._connections = self._connections, []
            for command in connections:
                self._send(command)

    # ---------------------------------------------------------------------------------- inside

    def _held_of(self, call_ids: Collection[UUID]) -> list[HeldCall]:
        return [held for one in call_ids if (held := self._held.get(str(one))) is not None]

    def _play(self, call_id: UUID, play: simnet_pb.Play) -> None:
        for call in self._held_of((call_id,)):
            play.call_id = call.text
            command = simnet_pb.Command(play=play)
            call.plays[play.play_id] = command
            self._send(command)

    def _connect(self, call_id: UUID, other: str) -> None:
        for call in self._held_of((call_id,)):
            call.bridge_wish = other
            self._send(call.bridge_command())

    def _send(self, item: Placement | simnet_pb.Command) -> None:
        """Have it sent; while the link is down the wish itself, kept with its call, is enough."""
        if self.connected:
            self._outbox.append(item)
            self._to_send.set()

    def _tell(self, *events: Event) -> None:
        if events:
            self._events.extend(events)
            self._to_tell.set()
