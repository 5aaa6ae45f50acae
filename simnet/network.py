"""The network itself: calls placed, answered, connected and ended, in domain time, without any I/O.

Everything happens inside `advance` and the command methods. What has happened is in `events` and in
the journal afterwards; whoever runs the network writes the journal down before he tells the events.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable

from simnet.calls import (
    NEVER,
    Answered,
    Call,
    CommandFailed,
    Due,
    Ended,
    EndedCall,
    Event,
    Failure,
    Kind,
    LiveCall,
    Message,
    Order,
    Outcome,
    Refusal,
    Refused,
    Ringing,
    Side,
    Taken,
    Taker,
    What,
)
from simnet.compact import CallCounts, IdSet, id_bytes
from simnet.conversation import Conversation
from simnet.journal import Journal
from simnet.people import Draw, Luck, choose_plan, draw
from simnet.profile import Plan, Profile
from simnet.timers import Timers

DEFAULT_RING_TIMEOUT_MS = 60_000
LONGEST_RING_MS = 600_000
LONGEST_CALL_MS = 86_400_000
MOST_VARIABLES = 32
# Ends kept in memory for whoever takes over a dead dialer's calls: several seconds of a busy
# network. Older ones are found in the ledger.
MOST_REMEMBERED = 20_000

_ADDRESSES = {
    "tel": re.compile(r"\+[0-9]{7,15}"),
    "sip": re.compile(r"[^\s\"\\]{1,255}"),
    "extension": re.compile(r"[0-9A-Za-z_.*#-]{1,64}"),
}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REJECTIONS = {
    Plan.BUSY: Outcome.BUSY,
    Plan.INVALID: Outcome.INVALID,
    Plan.CONGESTION: Outcome.CONGESTION,
    Plan.FAILED: Outcome.FAILED,
}


class Network:
    """All live calls, and everything there is to know about the dead ones."""

    def __init__(
        self, *, profile: Profile, luck: Luck, seen: IdSet, counts: CallCounts, journal: Journal
    ) -> None:
        self.live: dict[str, Call] = {}
        self.remembered: OrderedDict[str, EndedCall] = OrderedDict()
        self.events: list[Event] = []
        self.event_count = 0
        self.outcomes: dict[Outcome, int] = dict.fromkeys(Outcome, 0)
        self.refusals: dict[Refusal, int] = dict.fromkeys(Refusal, 0)
        self._profile = profile
        self._luck = luck
        self._seen = seen
        self._counts = counts
        self._journal = journal
        self._timers = Timers()
        self._conversation = Conversation(self)
        self._place_second = 0
        self._places_this_second = 0
        self._handlers: dict[Due, Callable[[Call, int], None]] = {
            Due.PHASE: self._ringing_over,
            Due.LIMIT: self._limit_reached,
            Due.MOOD: self._callee_hung_up,
            Due.PLAY: self._conversation.message_over,
            Due.TALK: self._callee_hung_up,
            Due.KEY: self._conversation.key_pressed,
        }

    # ------------------------------------------------------------------------------------ time

    def next_due(self) -> int:
        """When `advance` will next have something to do; NEVER when nothing is on."""
        return self._timers.next_due()

    def advance(self, now_us: int) -> None:
        """Let everything happen that was due by now, in order, each at its own time."""
        while (popped := self._timers.pop(now_us)) is not None:
            at_us, call = popped
            which = call.due.index(at_us)
            call.due[which] = NEVER
            self._handlers[Due(which)](call, at_us)
            if call.call_id in self.live:
                self._timers.schedule(call)

    # -------------------------------------------------------------------------------- commands

    def place(self, dialer: str, order: Order, now_us: int, boottime_ns: int) -> None:
        """Start a call, or refuse to."""
        refusal = self._refusal(order, boottime_ns)
        if refusal is not None:
            self.refusals[refusal.reason] += 1
            self._journal.refused(order, dialer, now_us, refusal)
            self._emit(dialer, order.call_id, now_us, refusal)
            return
        nth = self._counts.next(order.number)
        digest = self._luck.digest(order.number, nth)
        behaviour = self._profile.behaviour(order.number, is_agent=order.kind is Kind.AGENT)
        call = Call(order, dialer, behaviour, digest, now_us)
        call.plan = choose_plan(behaviour, digest, nth)
        self._dial(call, (order.ring_timeout_ms or DEFAULT_RING_TIMEOUT_MS) * 1000)
        self.live[call.call_id] = call
        self._journal.started(call, order.variables)
        if call.rang:
            self.tell(call, now_us, Ringing())
        self._timers.schedule(call)

    def cancel(self, call_id: str, now_us: int) -> None:
        """End the call unless it was answered."""
        call = self.live.get(call_id)
        if call is not None and not call.answered_us:
            self._end(call, now_us, Outcome.CANCELED, Side.CALLER)

    def hangup(self, call_id: str, now_us: int) -> None:
        """End the call."""
        call = self.live.get(call_id)
        if call is not None:
            outcome = Outcome.NORMAL if call.answered_us else Outcome.CANCELED
            self._end(call, now_us, outcome, Side.CALLER)

    def play(self, dialer: str, message: Message, now_us: int) -> None:
        """Let the callee hear something."""
        call = self._usable(dialer, "play", message.call_id, message.play_id, now_us)
        if call is None:
            return
        if call.peer is not None:
            self._fail(dialer, "play", call.call_id, Failure.BRIDGED, message.play_id, now_us)
        elif not message.play_id:
            self._fail(dialer, "play", call.call_id, Failure.MALFORMED, "", now_us)
        else:
            self._conversation.play(
                call, now_us, message.play_id, message.length_ms, is_hold=message.is_hold
            )

    def stop_play(self, dialer: str, call_id: str, now_us: int) -> None:
        """End what the callee hears."""
        call = self._usable(dialer, "stop_play", call_id, "", now_us)
        if call is not None:
            self._conversation.stop(call, now_us)

    def bridge(self, dialer: str, call_id: str, other_id: str, now_us: int) -> None:
        """Connect two answered calls."""
        call = self._usable(dialer, "bridge", call_id, other_id, now_us)
        if call is None:
            return
        other = self.live.get(other_id)
        failure = None
        if other is call:
            failure = Failure.MALFORMED
        elif other is None:
            failure = Failure.NOT_LIVE
        elif not other.answered_us:
            failure = Failure.NOT_ANSWERED
        elif other.owner != dialer:
            failure = Failure.NOT_OWNER
        elif (call.peer or other) is not other or (other.peer or call) is not call:
            failure = Failure.BRIDGED
        if failure is not None or other is None:
            self._fail(dialer, "bridge", call_id, failure or Failure.NOT_LIVE, other_id, now_us)
            return
        self._conversation.bridge(call, other, now_us)

    def unbridge(self, dialer: str, call_id: str, now_us: int) -> None:
        """Take a connection apart."""
        call = self._usable(dialer, "unbridge", call_id, "", now_us)
        if call is not None:
            self._conversation.unbridge(call, now_us)

    def adopt(self, dialer: str, call_id: str, now_us: int) -> None:
        """Make the dialer the owner of a call, if it is live."""
        call = self.live.get(call_id)
        if call is not None and call.owner != dialer:
            self._emit(call.owner, call_id, now_us, Taken(dialer))
            call.owner = dialer

    def find(self, call_id: str) -> LiveCall | EndedCall | None:
        """Where the call stands; None when it is neither live nor remembered."""
        call = self.live.get(call_id)
        return call.view() if call is not None else self.remembered.get(call_id)

    def forget(self, call_id: str) -> None:
        """The end of the call is stored elsewhere."""
        self.remembered.pop(call_id, None)

    def was_seen(self, call_id: str) -> bool:
        """Whether the id was ever placed or refused, in this run or an earlier one."""
        return _UUID.fullmatch(call_id) is not None and id_bytes(call_id) in self._seen

    def stop(self, now_us: int) -> None:
        """The network goes down and takes its calls with it."""
        for call in list(self.live.values()):
            self._end(call, now_us, Outcome.NETWORK_RESTART, Side.NETWORK)

    # ---------------------------------------------------------- what a conversation needs of us

    def tell(self, call: Call, at_us: int, what: What) -> None:
        """Tell the owner of a call."""
        self._emit(call.owner, call.call_id, at_us, what)

    def hung_up(self, call: Call, at_us: int, by: Side) -> None:
        """End an answered call."""
        self._end(call, at_us, Outcome.NORMAL, by)

    def touch(self, call: Call) -> None:
        """The due times of a call have changed."""
        self._timers.schedule(call)

    # ---------------------------------------------------------------------------------- inside

    def _refusal(self, order: Order, boottime_ns: int) -> Refused | None:
        if _UUID.fullmatch(order.call_id) is None:
            return Refused(Refusal.MALFORMED, f"call_id {order.call_id!r}: not a UUID")
        for name, value, highest in (
            ("ring_timeout_ms", order.ring_timeout_ms, LONGEST_RING_MS),
            ("max_duration_ms", order.max_duration_ms, LONGEST_CALL_MS),
            ("variables", len(order.variables), MOST_VARIABLES),
        ):
            if not 0 <= value <= highest:
                return Refused(Refusal.MALFORMED, f"{name} {value}: not within 0 and {highest}")
        if not self._seen.add(id_bytes(order.call_id)):
            return Refused(Refusal.DUPLICATE, order.call_id)
        if order.place_before_ns and boottime_ns > order.place_before_ns:
            late_ms = (boottime_ns - order.place_before_ns) // 1_000_000
            return Refused(Refusal.LATE, f"{late_ms} ms too late")
        shape = _ADDRESSES.get(order.address_type)
        if shape is None or shape.fullmatch(order.number) is None:
            return Refused(Refusal.INVALID, f"not a {order.address_type or 'typed'} address")
        return self._congestion(boottime_ns)

    def _congestion(self, boottime_ns: int) -> Refused | None:
        if len(self.live) >= self._profile.live_calls:
            return Refused(Refusal.CONGESTION, f"{len(self.live)} live calls")
        limit = self._profile.places_per_second
        if limit:
            second = boottime_ns // 1_000_000_000
            if second != self._place_second:
                self._place_second, self._places_this_second = second, 0
            if self._places_this_second >= limit:
                return Refused(Refusal.CONGESTION, f"{limit} places this second")
            self._places_this_second += 1
        return None

    def _dial(self, call: Call, ring_timeout_us: int) -> None:
        """Decide when ringing is over, and how."""
        behaviour, plan = call.behaviour, call.plan
        if plan in _REJECTIONS:
            wait_us = behaviour.reject_ms.sample(draw(call.digest, Draw.RING)) * 1000
            call.due[Due.PHASE] = call.placed_us + min(wait_us, ring_timeout_us)
            return
        call.rang = True
        if plan is not Plan.NOANSWER:
            law = behaviour.machine_ring_ms if plan is Plan.MACHINE else behaviour.ring_ms
            ring_us = law.sample(draw(call.digest, Draw.RING)) * 1000
            if ring_us < ring_timeout_us:
                call.due[Due.PHASE] = call.placed_us + ring_us
                return
        call.plan = Plan.NOANSWER
        call.due[Due.PHASE] = call.placed_us + ring_timeout_us

    def _ringing_over(self, call: Call, at_us: int) -> None:
        if call.plan is Plan.NOANSWER:
            self._end(call, at_us, Outcome.NOANSWER, Side.NETWORK)
        elif call.plan in _REJECTIONS:
            self._end(call, at_us, _REJECTIONS[call.plan], Side.NETWORK)
        else:
            call.answered_us = at_us
            call.taker = Taker.MACHINE if call.plan is Plan.MACHINE else Taker.HUMAN
            self._journal.answered(call)
            self.tell(call, at_us, Answered(call.taker))
            self._conversation.begin(call, at_us)

    def _limit_reached(self, call: Call, at_us: int) -> None:
        self._end(call, at_us, Outcome.TIMEOUT, Side.NETWORK)

    def _callee_hung_up(self, call: Call, at_us: int) -> None:
        self._end(call, at_us, Outcome.NORMAL, Side.CALLEE)

    def _end(self, call: Call, at_us: int, outcome: Outcome, by: Side) -> None:
        self._conversation.leave(call, at_us)
        answered_us = call.answered_us
        ring_ms = ((answered_us or at_us) - call.placed_us) // 1000
        talk_ms = (at_us - answered_us) // 1000 if answered_us else 0
        end = Ended(outcome, by, ring_ms, talk_ms, call.taker, answered_us)
        ended = call.ended(at_us, end)
        del self.live[call.call_id]
        call.due = [NEVER] * len(Due)
        self._timers.schedule(call)
        self.remembered[call.call_id] = ended
        if len(self.remembered) > MOST_REMEMBERED:
            self.remembered.popitem(last=False)
        self.outcomes[outcome] += 1
        self._journal.ended(ended)
        self.tell(call, at_us, end)

    def _usable(
        self, dialer: str, command: str, call_id: str, reference: str, now_us: int
    ) -> Call | None:
        """The answered call of this dialer, or None after telling why not."""
        call = self.live.get(call_id)
        if call is None:
            failure = Failure.NOT_LIVE
        elif call.owner != dialer:
            failure = Failure.NOT_OWNER
        elif not call.answered_us:
            failure = Failure.NOT_ANSWERED
        else:
            return call
        self._fail(dialer, command, call_id, failure, reference, now_us)
        return None

    def _fail(
        self, dialer: str, command: str, call_id: str, why: Failure, reference: str, now_us: int
    ) -> None:
        self._emit(dialer, call_id, now_us, CommandFailed(command, why, reference))

    def _emit(self, dialer: str, call_id: str, at_us: int, what: What) -> None:
        self.event_count += 1
        self.events.append(Event(dialer, call_id, at_us, what))
