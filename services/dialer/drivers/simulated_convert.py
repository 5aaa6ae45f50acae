"""Between the telephony port's values and the messages of simnet.proto, both ways, pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from outbound.simnet.v1 import simnet_pb2 as simnet_pb

from services.dialer.telephony import (
    AnsweredBy,
    CallState,
    Ended,
    HangupReason,
    HungUpBy,
    Leg,
    LiveCall,
    NotPlaced,
    NotPlacedReason,
    Placement,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS = 1_000_000_000
_KIND = {
    Leg.CUSTOMER: simnet_pb.CALL_KIND_CUSTOMER,
    Leg.AGENT: simnet_pb.CALL_KIND_AGENT,
}
_LEG = {kind: leg for leg, kind in _KIND.items()}
_ANSWERED_BY = {
    simnet_pb.ANSWERED_BY_HUMAN: AnsweredBy.HUMAN,
    simnet_pb.ANSWERED_BY_MACHINE: AnsweredBy.MACHINE,
}
_HUNG_UP_BY = {
    simnet_pb.SIDE_CALLER: HungUpBy.LOCAL,
    simnet_pb.SIDE_CALLEE: HungUpBy.REMOTE,
}

OUTCOMES: dict[simnet_pb.Outcome, tuple[HangupReason, str]] = {
    simnet_pb.OUTCOME_NORMAL: (HangupReason.NORMAL, ""),
    simnet_pb.OUTCOME_BUSY: (HangupReason.BUSY, ""),
    simnet_pb.OUTCOME_NO_ANSWER: (HangupReason.NOANSWER, ""),
    simnet_pb.OUTCOME_INVALID: (HangupReason.FAILED, "invalid"),
    simnet_pb.OUTCOME_CONGESTION: (HangupReason.FAILED, "congestion"),
    simnet_pb.OUTCOME_CANCELED: (HangupReason.CANCEL, "canceled"),
    simnet_pb.OUTCOME_FAILED: (HangupReason.FAILED, "network_fault"),
    simnet_pb.OUTCOME_TIMEOUT: (HangupReason.TIMEOUT, "max_duration"),
    # Before an answer; after one the person was spoken to, and the reason is normal.
    simnet_pb.OUTCOME_NETWORK_RESTART: (HangupReason.FAILED, "network_restart"),
}
"""This driver's outcome taxonomy: every outcome of the network -> hangup reason and detail."""

REFUSALS: dict[simnet_pb.PlaceRefused.Reason, NotPlacedReason | str] = {
    simnet_pb.PlaceRefused.REASON_DUPLICATE: NotPlacedReason.DUPLICATE,
    simnet_pb.PlaceRefused.REASON_LATE: NotPlacedReason.LATE,
    simnet_pb.PlaceRefused.REASON_CONGESTION: "congestion",
    simnet_pb.PlaceRefused.REASON_INVALID: "invalid",
    simnet_pb.PlaceRefused.REASON_MALFORMED: "malformed",
}
"""Refusals that say nothing about the number mean "not placed"; the others are an outcome (failed,
with this detail), because the network had its look at it."""


def place(placement: Placement) -> simnet_pb.Command:
    """The command that starts the call."""
    command = simnet_pb.Command()
    target = command.place
    target.call_id = str(placement.call_id)
    target.kind = _KIND[placement.leg]
    target.address.type = placement.destination.type
    target.address.target = placement.destination.target
    if placement.source is not None:
        target.caller_id.type = placement.source.type
        target.caller_id.target = placement.source.target
    target.ring_timeout_ms = placement.ring_timeout_ms
    target.max_duration_ms = placement.max_duration_ms
    if placement.place_before is not None:
        # 0 would mean "no limit"; a limit before the host's start is late in any case.
        target.place_before_boottime_ns = max(1, int(placement.place_before * _NANOSECONDS))
    if placement.variables:
        target.variables.update(placement.variables)
    return command


def instant(source: Timestamp) -> datetime:
    """An aware UTC datetime; quicker than Timestamp.ToDatetime."""
    return _EPOCH + timedelta(seconds=source.seconds, microseconds=source.nanos // 1000)


def answered_by(source: simnet_pb.AnsweredBy) -> AnsweredBy:
    """Who took the phone."""
    return _ANSWERED_BY.get(source, AnsweredBy.UNKNOWN)


def ended(call_id: UUID, tm: Timestamp, source: simnet_pb.Ended) -> Ended:
    """The facts of an end."""
    reason, detail = OUTCOMES.get(source.outcome, (HangupReason.FAILED, "unknown_outcome"))
    tm_answer = instant(source.tm_answer) if source.HasField("tm_answer") else None
    if source.outcome == simnet_pb.OUTCOME_NETWORK_RESTART and tm_answer is not None:
        reason = HangupReason.NORMAL
    return Ended(
        call_id=call_id,
        tm=instant(tm),
        reason=reason,
        detail=detail,
        hung_up_by=_HUNG_UP_BY.get(source.hung_up_by, HungUpBy.NETWORK),
        tm_answer=tm_answer,
        answered_by=answered_by(source.answered_by),
        ring_ms=source.ring_ms,
        talk_ms=source.talk_ms,
    )


def refused(call_id: UUID, tm: Timestamp, source: simnet_pb.PlaceRefused) -> NotPlaced | Ended:
    """What a refusal means for the attempt."""
    meaning = REFUSALS.get(source.reason, "refused")
    if isinstance(meaning, NotPlacedReason):
        return NotPlaced(call_id, meaning, source.detail)
    return Ended(call_id, instant(tm), HangupReason.FAILED, meaning)


def live_call(source: simnet_pb.Call) -> LiveCall:
    """Where a live call stands."""
    answered = source.state == simnet_pb.CALL_STATE_ANSWERED
    return LiveCall(
        call_id=UUID(source.call_id),
        leg=_LEG.get(source.kind, Leg.CUSTOMER),
        state=CallState.ANSWERED if answered else CallState.DIALING,
        rang=source.rang,
        answered_by=answered_by(source.answered_by),
        tm_place=instant(source.tm_place),
        tm_answer=instant(source.tm_answer) if answered else None,
        play_id=source.play_id,
        finished_play_id=source.finished_play_id,
        bridged_with=UUID(source.bridged_with) if source.bridged_with else None,
        digits_pressed=source.digits_pressed,
        owner=source.dialer,
    )
