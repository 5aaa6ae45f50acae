"""A dialer that goes on for one that has died."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from services.dialer.telephony import AnsweredBy, CallState, Leg, LiveCall
from tests.unit.dialer.fakes import START
from tests.unit.dialer.stage import Stage
from tests.unit.dialer.test_takeover import open_attempt


def after(first: Stage, call: UUID, *legs: LiveCall, **live: object) -> Callable[[Stage], None]:
    """Prepares a stage whose dialer finds the call, answered, as the first dialer has stored it."""
    rows, flows = dict(first.records.call_rows), dict(first.records.flow_rows)

    def before(s: Stage) -> None:
        s.campaigns.listed = [replace(open_attempt(s, is_answered=True), id=call)]
        standing = {"answered_by": AnsweredBy.HUMAN, "tm_answer": START, **live}
        s.telephony.live[call] = LiveCall(
            call,
            Leg.CUSTOMER,
            CallState.ANSWERED,
            rang=True,
            **standing,  # type: ignore[arg-type]
        )
        s.telephony.live |= {leg.call_id: leg for leg in legs}
        s.records.call_rows = {call: replace(rows[call], campaign_id=s.definition.campaign.id)}
        s.records.flow_rows = flows
        s.records.recordings.rows = dict(first.records.recordings.rows)

    return before


def leg_of(call_id: UUID, state: CallState, **live: object) -> LiveCall:
    """Somebody a flow or a queue has rung."""
    return LiveCall(call_id, Leg.AGENT, state, rang=True, **live)  # type: ignore[arg-type]
