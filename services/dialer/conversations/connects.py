"""People whom a flow connects with its call: rung all at once, the first who answers is talked to.

Nobody else's rules apply to them: no queue, no reservation. When the conversation or the last ringing
is over, the flow goes on behind its `connect`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from services.common.clock import Clock
from services.dialer.attempts import Attempt
from services.dialer.conversations.effects import Connect
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.domain.calls import Activeflow
from services.dialer.telephony import Address as CarrierAddress
from services.dialer.telephony import (
    Adopted,
    Answered,
    AnsweredBy,
    CallState,
    Ended,
    Leg,
    NotPlaced,
    NotPlacedReason,
    Placement,
    Telephony,
)

RING_MS = 60_000
"""How long the phones ring (domain): the platform's limit for a call without one of its own."""
PLACE_SECONDS = 5.0
"""A phone that could not be rung within this (real) is not rung."""

Over = Callable[[UUID, str], None]
"""Told the call whose `connect` is over, and why nobody was talked to; empty when somebody was."""


@dataclass(slots=True)
class _Connection:
    """One `connect` under way."""

    attempt: Attempt
    run: FlowRun
    legs: set[UUID] = field(default_factory=set)  # phones that ring or talk
    names: dict[UUID, str] = field(default_factory=dict)
    answered: UUID | None = None
    is_bridged: bool = False
    refusals: list[str] = field(default_factory=list)  # why phones were not answered


class Connects:
    """All such calls of this dialer, found by the caller's call or by a leg."""

    def __init__(
        self,
        telephony: Telephony,
        clock: Clock,
        noted: Callable[[FlowRun], None],
        over: Over,
    ) -> None:
        """`noted` stores a run whose legs have changed."""
        self._telephony = telephony
        self._clock = clock
        self._noted = noted
        self._over = over
        self._by_call: dict[UUID, _Connection] = {}
        self._by_leg: dict[UUID, _Connection] = {}

    def is_leg(self, call_id: UUID) -> bool:
        """Whether this is the call of somebody rung here."""
        return call_id in self._by_leg

    # -------------------------------------------------------------------------- the caller's side

    def begin(self, attempt: Attempt, run: FlowRun, wish: Connect) -> None:
        """Ring everybody; the caller hears music meanwhile."""
        connection = _Connection(attempt, run)
        self._by_call[attempt.id] = connection
        self._telephony.hold(attempt.id, run.play_id)
        placements = []
        for index, address in enumerate(wish.destinations):
            # The same ids after a take-over: no phone is rung twice for one step.
            leg = run.step_id(f"leg-{index}")
            self._add(connection, leg, f"{address.type}:{address.target}")
            carrier_address = CarrierAddress(address.type, address.target, address.target_name)
            placements.append(self._placement(connection, leg, carrier_address, wish))
        self._note(connection)
        self._telephony.place(placements)

    def rejoin(self, attempt: Attempt, run: FlowRun, bridged_with: UUID | None) -> None:
        """Go on with what another dialer began: the run names its legs."""
        connection = _Connection(attempt, run)
        self._by_call[attempt.id] = connection
        for leg in run.agent_legs:
            self._add(connection, leg, "somebody")
        if bridged_with in connection.legs:
            connection.answered, connection.is_bridged = bridged_with, True
            self._silence(connection, besides=bridged_with)
        self._telephony.adopt(list(connection.legs))

    def caller_ended(self, call_id: UUID, row: Activeflow | None = None) -> None:
        """The caller has gone: nobody is to be rung or talked to any more. `row` names legs that a
        dialer before began and this one has not gone on with.
        """
        connection = self._by_call.pop(call_id, None)
        if connection is not None:
            self._silence(connection)
        elif row is not None and row.cursor.queuecall_id is None and row.cursor.agent_legs:
            self._telephony.hangup(row.cursor.agent_legs)

    def drop(self, call_id: UUID) -> None:
        """Another dialer has the call."""
        connection = self._by_call.pop(call_id, None)
        if connection is not None:
            for leg in list(connection.legs):
                self._remove(connection, leg)

    # ---------------------------------------------------------------------------- the legs' side

    def leg_answered(self, event: Answered) -> None:
        """A phone was taken: the first one wins."""
        self._answered(event.call_id, event.by)

    def leg_adopted(self, event: Adopted) -> None:
        """Where a phone stands that another dialer rang."""
        connection = self._by_leg.get(event.call_id)
        if connection is None or connection.answered == event.call_id:
            return
        if event.call.state is CallState.ANSWERED:
            self._answered(event.call_id, event.call.answered_by)

    def leg_ended(self, event: Ended | NotPlaced) -> None:
        """A phone is silent."""
        if isinstance(event, NotPlaced) and event.reason is NotPlacedReason.DUPLICATE:
            # Rung by a dialer before, for this very step: find out where it stands.
            self._telephony.adopt([event.call_id])
            return
        self._telephony.settled([event.call_id])
        is_machine = isinstance(event, Ended) and event.answered_by is AnsweredBy.MACHINE
        why = "machine" if is_machine else event.detail or event.reason.value
        self._gone(event.call_id, why)

    def leg_missing(self, leg: UUID) -> None:
        """The network does not know it any more."""
        self._gone(leg, "lost")

    def bridged(self, call_id: UUID) -> None:
        """They hear each other. Told for both calls; the second time changes nothing."""
        connection = self._by_call.get(call_id) or self._by_leg.get(call_id)
        if connection is None or connection.answered is None or connection.is_bridged:
            return
        connection.is_bridged = True
        connection.run.note_step(f"connected with {connection.names[connection.answered]}")
        self._note(connection)

    def bridge_failed(self, call_id: UUID) -> None:
        """The network could not connect them."""
        connection = self._by_call.get(call_id) or self._by_leg.get(call_id)
        if connection is not None and connection.answered and not connection.is_bridged:
            self._silence(connection)
            self._end(connection, "the network could not connect them")

    # ------------------------------------------------------------------------------------ inside

    def _answered(self, leg: UUID, by: AnsweredBy) -> None:
        connection = self._by_leg.get(leg)
        if connection is None or connection.answered is not None or by is AnsweredBy.MACHINE:
            # Too late, or a mailbox: neither can talk to the caller. What becomes of it is told.
            self._telephony.hangup([leg])
            return
        connection.answered = leg
        self._silence(connection, besides=leg)
        self._note(connection)
        self._telephony.bridge(connection.attempt.id, leg)

    def _gone(self, leg: UUID, why: str) -> None:
        connection = self._by_leg.get(leg)
        if connection is None:
            return
        self._remove(connection, leg)
        if leg == connection.answered:
            if connection.is_bridged:
                self._end(connection)
            else:
                self._end(connection, "the other side hung up before it was connected")
            return
        connection.refusals.append(why)
        if not connection.legs:
            told = ", ".join(sorted(set(connection.refusals)))
            self._end(connection, f"nobody answered: {told}")
        else:
            self._note(connection)

    def _end(self, connection: _Connection, failure: str = "") -> None:
        call_id = connection.attempt.id
        if self._by_call.pop(call_id, None) is None:
            return
        connection.run.agent_legs = ()
        if failure:
            self._telephony.stop_play(call_id)
        self._over(call_id, failure)

    def _silence(self, connection: _Connection, besides: UUID | None = None) -> None:
        legs = [leg for leg in connection.legs if leg != besides]
        for leg in legs:
            self._remove(connection, leg)
        if legs:
            self._telephony.hangup(legs)

    def _add(self, connection: _Connection, leg: UUID, name: str) -> None:
        connection.legs.add(leg)
        connection.names[leg] = name
        self._by_leg[leg] = connection

    def _remove(self, connection: _Connection, leg: UUID) -> None:
        connection.legs.discard(leg)
        self._by_leg.pop(leg, None)

    def _note(self, connection: _Connection) -> None:
        connection.run.agent_legs = tuple(sorted(connection.legs))
        self._noted(connection.run)

    def _placement(
        self, connection: _Connection, leg: UUID, destination: CarrierAddress, wish: Connect
    ) -> Placement:
        attempt = connection.attempt
        source = wish.source or attempt.source
        return Placement(
            call_id=leg,
            leg=Leg.AGENT,
            destination=destination,
            source=None
            if source is None
            else CarrierAddress(source.type, source.target, source.target_name),
            ring_timeout_ms=RING_MS,
            max_duration_ms=attempt.campaign.max_conversation_ms,
            place_before=self._clock.boottime() + PLACE_SECONDS,
            variables={"call": str(attempt.id), "activeflow": str(connection.run.id)},
            is_anonymous=wish.is_anonymous,
            beside=attempt.id,
        )
