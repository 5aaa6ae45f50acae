"""Connections of two calls: one bridge for each, taken apart when one of them ends."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from services.common.ids import new_id
from services.dialer.drivers.asterisk import requests
from services.dialer.drivers.asterisk.calls import NO_WISH, HeldCall
from services.dialer.drivers.asterisk.link import Answer
from services.dialer.drivers.asterisk.wire import Wire
from services.dialer.telephony import Bridged, CommandFailed, Unbridged


class Bridges:
    """Connects calls that this driver holds."""

    def __init__(self, wire: Wire, held: Mapping[UUID, HeldCall]) -> None:
        self._wire = wire
        self._held = held

    def connect(self, call: HeldCall, other_id: UUID) -> None:
        """Let two calls hear each other."""
        other = self._held.get(other_id)
        detail = ""
        if other is None:
            detail = "unknown_call"
        elif not (call.is_answered and other.is_answered):
            detail = "not_answered"
        elif call.link.pbx.name != other.link.pbx.name:
            detail = "on_another_pbx"
        if other is None or detail:
            self._wire.tell(CommandFailed(call.call_id, "bridge", str(other_id), detail))
            return
        call.bridge_wish, other.bridge_wish = other.call_id, call.call_id
        self._go_on(call)

    def disconnect(self, call: HeldCall) -> None:
        """Take the connection of a call apart."""
        call.bridge_wish = None
        peer = self._held.get(call.peer) if call.peer is not None else None
        if peer is not None:
            peer.bridge_wish = None
        self._go_on(call)

    def left(self, call: HeldCall, bridge_id: str) -> None:
        """A call is in its bridge no longer."""
        if not call.bridge_id:
            self.stranger_left(bridge_id)
        if not call.bridge_id or call.bridge_id != bridge_id:
            return
        peer = self._held.get(call.peer) if call.peer is not None else None
        self._apart(call, is_told=not call.is_leaving)
        if peer is not None and peer.bridge_id == bridge_id:
            self._apart(peer, is_told=not peer.is_leaving)
            peer.send(requests.remove_bridge(bridge_id))

    def stranger_left(self, bridge_id: str) -> None:
        """A channel that is not held here left the bridge: whom it talked to is alone."""
        for call in list(self._held.values()):
            if bridge_id and call.bridge_id == bridge_id:
                self._apart(call, is_told=not call.is_leaving)
                call.send(requests.remove_bridge(bridge_id))

    def ended(self, call: HeldCall) -> None:
        """A call is over: its peer is alone."""
        self.left(call, call.bridge_id)

    def adopted(self, call: HeldCall, pairs: Mapping[UUID, tuple[UUID, str]]) -> None:
        """A call begun by another dialer stands like this."""
        if call.call_id in pairs:
            call.peer, call.bridge_id = pairs[call.call_id]

    def reconcile(self, call: HeldCall, pairs: Mapping[UUID, tuple[UUID, str]]) -> None:
        """The link was away: tell what has changed, and ask again for what is wanted."""
        peer, bridge_id = pairs.get(call.call_id, (None, ""))
        if call.peer is not None and peer != call.peer:
            self._apart(call, is_told=not call.is_leaving)
        if peer is not None and call.peer is None:
            call.peer, call.bridge_id = peer, bridge_id
            if call.bridge_wish == peer:
                call.bridge_wish = NO_WISH
            self._wire.tell(Bridged(call.call_id, self._wire.clock.now(), peer))
        if call.bridge_wish is not NO_WISH:
            call.is_settling = True
            self._go_on(call)
            call.is_settling = False

    # ---------------------------------------------------------------------------------- inside

    def _go_on(self, call: HeldCall) -> None:
        """Carry the wish of a call out, as far as the link allows."""
        wish = call.bridge_wish
        if wish is NO_WISH or not (call.link.is_ready or call.is_settling):
            return
        if wish is None:
            self._separate(call)
            return
        assert isinstance(wish, UUID)
        if wish == call.peer:
            # A wish for what is already so deserves its answer all the same.
            call.bridge_wish = NO_WISH
            self._wire.tell(Bridged(call.call_id, self._wire.clock.now(), wish))
        else:
            other = self._held.get(wish)
            if other is not None:
                self._join(call, other)

    def _join(self, call: HeldCall, other: HeldCall) -> None:
        for each in (call, other):
            if each.absence.is_away:
                # An answer is told before its channel has entered the application, where alone it can be
                # bridged. The wish stays meanwhile.
                each.absence.when_back(lambda: self._go_on(call))
                return
        call.bridge_wish = other.bridge_wish = NO_WISH
        for each in (call, other):
            each.plays.stop()
            if each.peer is not None:
                self._separate(each)
        bridge_id = str(new_id())
        call.link.send(requests.make_bridge(bridge_id))
        call.link.send(
            requests.add_to_bridge(bridge_id, [call.text, other.text]),
            lambda answer: self._joined(call, other, bridge_id, answer),
        )

    def _joined(self, call: HeldCall, other: HeldCall, bridge_id: str, answer: Answer) -> None:
        if answer.status <= 0:
            # The look after the reconnect finds out whether it was done.
            call.bridge_wish, other.bridge_wish = other.call_id, call.call_id
        elif call.is_over or other.is_over:
            call.link.send(requests.remove_bridge(bridge_id))
        elif answer.is_good:
            now = self._wire.clock.now()
            call.peer, call.bridge_id = other.call_id, bridge_id
            other.peer, other.bridge_id = call.call_id, bridge_id
            self._wire.tell(Bridged(call.call_id, now, other.call_id))
            self._wire.tell(Bridged(other.call_id, now, call.call_id))
        else:
            call.link.send(requests.remove_bridge(bridge_id))
            failed = CommandFailed(call.call_id, "bridge", other.text, answer.detail)
            self._wire.tell(failed)

    def _separate(self, call: HeldCall) -> None:
        call.bridge_wish = NO_WISH
        if not call.bridge_id:
            return
        peer = self._held.get(call.peer) if call.peer is not None else None
        call.link.send(requests.remove_bridge(call.bridge_id))
        self._apart(call, is_told=True)
        if peer is not None:
            peer.bridge_wish = NO_WISH
            self._apart(peer, is_told=True)

    def _apart(self, call: HeldCall, *, is_told: bool) -> None:
        peer, call.peer, call.bridge_id = call.peer, None, ""
        if peer is not None and is_told and not call.is_over:
            self._wire.tell(Unbridged(call.call_id, self._wire.clock.now(), peer))
