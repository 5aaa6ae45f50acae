"""Rings the phones of an assigned agent until one answers, and connects it with the caller."""

from __future__ import annotations

from collections.abc import Callable

from services.common.address import Address
from services.common.clock import Clock
from services.common.ids import new_id
from services.dialer.conversations.stays import Stay, Stays, StayState
from services.dialer.domain.queuecalls import Assignment, RingMethod
from services.dialer.telephony import Address as CarrierAddress
from services.dialer.telephony import (
    Answered,
    AnsweredBy,
    Ended,
    HangupReason,
    Leg,
    NotPlaced,
    Placement,
    Telephony,
)

PLACE_SECONDS = 5.0
"""An agent's phone that could not be rung within this (real) is not rung for this caller."""
CARRIER_DETAILS = frozenset({"congestion", "network_restart"})
"""Causes of a failed ring for which the agent is not to blame."""


class Ringing:
    """Agent legs.

    Calls back `rang(stay)` when phones were rung, and `answered_none(stay)` when none is left to ring.
    """

    def __init__(
        self,
        telephony: Telephony,
        stays: Stays,
        clock: Clock,
        rang: Callable[[Stay], None],
        answered_none: Callable[[Stay], None],
    ) -> None:
        self._telephony = telephony
        self._stays = stays
        self._clock = clock
        self._rang = rang
        self._answered_none = answered_none

    def begin(self, stay: Stay, assignment: Assignment) -> None:
        """Ring the agent: all phones at once, or one after the other."""
        stay.state = StayState.RINGING
        stay.agent_id = assignment.agent_id
        stay.ring_method = assignment.ring_method
        stay.ring_timeout_ms = assignment.ring_timeout_ms
        stay.addresses_left = [
            address
            for address in assignment.addresses
            if address.type in self._telephony.address_types
        ]
        stay.is_carrier_at_fault = False
        self._next(stay)

    def answered(self, stay: Stay, event: Answered) -> None:
        """A phone of the agent was taken: the first one wins."""
        leg = event.call_id
        if stay.state is not StayState.RINGING or event.by is AnsweredBy.MACHINE:
            # Too late, or the agent's mailbox: neither can talk to the caller.
            self._telephony.hangup([leg])
            return
        stay.state = StayState.BRIDGING
        stay.bridged_leg = leg
        stay.addresses_left = []
        self._telephony.hangup([each for each in stay.legs if each != leg])
        self._telephony.bridge(stay.call_id, leg)

    def ended(self, stay: Stay, event: Ended | NotPlaced) -> None:
        """A phone of the agent is silent, before any conversation."""
        self._stays.remove_leg(stay, event.call_id)
        stay.is_carrier_at_fault = isinstance(event, NotPlaced) or (
            event.reason is HangupReason.FAILED and event.detail in CARRIER_DETAILS
        )
        if stay.state is StayState.BRIDGING and event.call_id == stay.bridged_leg:
            # Taken and put down again before the caller was there.
            stay.state, stay.bridged_leg = StayState.RINGING, None
        if stay.state is StayState.RINGING and not stay.legs:
            self._next(stay)

    def give_up(self, stay: Stay) -> None:
        """Silence every phone of the agent."""
        legs = list(stay.legs)
        for leg in legs:
            self._stays.remove_leg(stay, leg)
        if legs:
            self._telephony.hangup(legs)
        stay.addresses_left = []
        stay.bridged_leg = None

    def _next(self, stay: Stay) -> None:
        count = 1 if stay.ring_method is RingMethod.LINEAR else len(stay.addresses_left)
        addresses, stay.addresses_left = stay.addresses_left[:count], stay.addresses_left[count:]
        if not addresses:
            self._answered_none(stay)
            return
        placements = [self._placement(stay, address) for address in addresses]
        for placement in placements:
            self._stays.add_leg(stay, placement.call_id)
        self._telephony.place(placements)
        self._rang(stay)

    def _placement(self, stay: Stay, address: Address) -> Placement:
        # The agent sees who is waiting.
        caller = stay.attempt.destination
        return Placement(
            call_id=new_id(),
            leg=Leg.AGENT,
            destination=CarrierAddress(address.type, address.target, address.target_name),
            source=CarrierAddress(caller.type, caller.target, caller.target_name),
            ring_timeout_ms=max(1, min(stay.ring_timeout_ms, 600_000)),
            max_duration_ms=stay.attempt.campaign.max_conversation_ms,
            place_before=self._clock.boottime() + PLACE_SECONDS,
            variables={"queuecall": str(stay.queuecall_id), "agent": str(stay.agent_id)},
            beside=stay.call_id,
        )
