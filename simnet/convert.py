"""Between the network's values and the messages of simnet.proto, both ways, pure."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp
from outbound.simnet.v1 import simnet_pb2 as simnet_pb

from simnet.calls import (
    Answered,
    Bridged,
    CommandFailed,
    DigitPressed,
    Ended,
    EndedCall,
    Event,
    Failure,
    Kind,
    LiveCall,
    Message,
    Order,
    Outcome,
    PlayFinished,
    Refusal,
    Refused,
    Side,
    Taken,
    Taker,
    Unbridged,
)
from simnet.clock import MICROSECONDS
from simnet.profile import Profile

_KIND_IN = {
    simnet_pb.CALL_KIND_CUSTOMER: Kind.CUSTOMER,
    simnet_pb.CALL_KIND_AGENT: Kind.AGENT,
}
_KIND_OUT = {kind: number for number, kind in _KIND_IN.items()}
_OUTCOME = {
    Outcome.NORMAL: simnet_pb.OUTCOME_NORMAL,
    Outcome.BUSY: simnet_pb.OUTCOME_BUSY,
    Outcome.NOANSWER: simnet_pb.OUTCOME_NO_ANSWER,
    Outcome.INVALID: simnet_pb.OUTCOME_INVALID,
    Outcome.CONGESTION: simnet_pb.OUTCOME_CONGESTION,
    Outcome.CANCELED: simnet_pb.OUTCOME_CANCELED,
    Outcome.FAILED: simnet_pb.OUTCOME_FAILED,
    Outcome.TIMEOUT: simnet_pb.OUTCOME_TIMEOUT,
    Outcome.NETWORK_RESTART: simnet_pb.OUTCOME_NETWORK_RESTART,
}
_SIDE = {
    Side.CALLER: simnet_pb.SIDE_CALLER,
    Side.CALLEE: simnet_pb.SIDE_CALLEE,
    Side.NETWORK: simnet_pb.SIDE_NETWORK,
}
_TAKER = {
    Taker.NOBODY: simnet_pb.ANSWERED_BY_UNSPECIFIED,
    Taker.HUMAN: simnet_pb.ANSWERED_BY_HUMAN,
    Taker.MACHINE: simnet_pb.ANSWERED_BY_MACHINE,
}
_REFUSAL = {
    Refusal.DUPLICATE: simnet_pb.PlaceRefused.REASON_DUPLICATE,
    Refusal.LATE: simnet_pb.PlaceRefused.REASON_LATE,
    Refusal.CONGESTION: simnet_pb.PlaceRefused.REASON_CONGESTION,
    Refusal.INVALID: simnet_pb.PlaceRefused.REASON_INVALID,
    Refusal.MALFORMED: simnet_pb.PlaceRefused.REASON_MALFORMED,
}
_FAILURE = {
    Failure.NOT_LIVE: simnet_pb.CommandFailed.REASON_NOT_LIVE,
    Failure.NOT_ANSWERED: simnet_pb.CommandFailed.REASON_NOT_ANSWERED,
    Failure.NOT_OWNER: simnet_pb.CommandFailed.REASON_NOT_OWNER,
    Failure.BRIDGED: simnet_pb.CommandFailed.REASON_BRIDGED,
    Failure.MALFORMED: simnet_pb.CommandFailed.REASON_MALFORMED,
}


def order(place: simnet_pb.Place) -> Order:
    """The wish a message carries. An unspecified kind is a customer."""
    return Order(
        place.call_id,
        _KIND_IN.get(place.kind, Kind.CUSTOMER),
        place.address.type,
        place.address.target,
        place.ring_timeout_ms,
        place.max_duration_ms,
        place.place_before_boottime_ns,
        dict(place.variables) if place.variables else {},
    )


def message(play: simnet_pb.Play, profile: Profile) -> Message:
    """The message to be heard, with its length; without a source it has no play id either."""
    source = play.WhichOneof("source")
    length_ms = max(0, play.duration_hint_ms)
    if not length_ms and source == "text":
        length_ms = len(play.text) * profile.speech_ms_per_character
    elif not length_ms and source == "digits":
        length_ms = len(play.digits) * profile.digit_ms
    elif not length_ms:
        length_ms = len(play.recordings.media) * profile.media_ms
    play_id = play.play_id if source else ""
    return Message(play.call_id, play_id, length_ms, play.hold)


def timestamp(instant_us: int) -> Timestamp:
    """Microseconds since 1970 as a message."""
    seconds, micros = divmod(instant_us, MICROSECONDS)
    return Timestamp(seconds=seconds, nanos=micros * 1000)


def event(source: Event) -> simnet_pb.Event:
    """One event as a message."""
    target = simnet_pb.Event(call_id=source.call_id)
    seconds, micros = divmod(source.at_us, MICROSECONDS)
    target.tm.seconds = seconds
    target.tm.nanos = micros * 1000
    match source.what:
        case Ended():
            _fill_ended(target.ended, source.what)
        case Answered(by):
            target.answered.by = _TAKER[by]
        case PlayFinished(play_id, completed):
            target.play_finished.play_id = play_id
            target.play_finished.completed = completed
        case Bridged(other):
            target.bridged.other_call_id = other
        case Unbridged(other):
            target.unbridged.other_call_id = other
        case Refused(reason, detail):
            target.place_refused.reason = _REFUSAL[reason]
            target.place_refused.detail = detail
        case DigitPressed(digit):
            target.digit_pressed.digit = digit
        case CommandFailed(command, why, reference):
            target.command_failed.command = command
            target.command_failed.reason = _FAILURE[why]
            target.command_failed.reference = reference
        case Taken(dialer):
            target.taken.dialer = dialer
        case _:
            target.ringing.SetInParent()
    return target


def adopted(call_id: str, at_us: int, call: LiveCall | EndedCall | None) -> simnet_pb.Event:
    """The answer to an adoption."""
    target = simnet_pb.Event(call_id=call_id, tm=timestamp(at_us))
    if call is None:
        target.unknown.SetInParent()
    else:
        target.adopted.CopyFrom(known_call(call))
    return target


def known_call(call: LiveCall | EndedCall) -> simnet_pb.Call:
    """Where a call stands."""
    return _ended_call(call) if isinstance(call, EndedCall) else _live_call(call)


def _live_call(call: LiveCall) -> simnet_pb.Call:
    answered = simnet_pb.CALL_STATE_ANSWERED
    return simnet_pb.Call(
        call_id=call.call_id,
        kind=_KIND_OUT[call.kind],
        state=answered if call.answered_us else simnet_pb.CALL_STATE_DIALING,
        address=simnet_pb.Address(type=call.address_type, target=call.number),
        dialer=call.dialer,
        tm_place=timestamp(call.placed_us),
        tm_answer=timestamp(call.answered_us) if call.answered_us else None,
        answered_by=_TAKER[call.taker],
        rang=call.rang,
        play_id=call.play_id,
        finished_play_id=call.finished_play,
        finished_play_completed=call.finished_completed,
        bridged_with=call.bridged_with,
        digits_pressed=call.digits_pressed,
    )


def _ended_call(call: EndedCall) -> simnet_pb.Call:
    end = call.end
    target = simnet_pb.Call(
        call_id=call.call_id,
        kind=_KIND_OUT[call.kind],
        state=simnet_pb.CALL_STATE_ENDED,
        address=simnet_pb.Address(target=call.number),
        dialer=call.dialer,
        tm_place=timestamp(call.placed_us),
        tm_answer=timestamp(end.answered_us) if end.answered_us else None,
        answered_by=_TAKER[end.taker],
        rang=call.rang,
        tm_end=timestamp(call.ended_us),
    )
    _fill_ended(target.ended, end)
    return target


def _fill_ended(target: simnet_pb.Ended, end: Ended) -> None:
    target.outcome = _OUTCOME[end.outcome]
    target.hung_up_by = _SIDE[end.by]
    target.ring_ms = end.ring_ms
    target.talk_ms = end.talk_ms
    if end.answered_us:
        target.answered_by = _TAKER[end.taker]
        seconds, micros = divmod(end.answered_us, MICROSECONDS)
        target.tm_answer.seconds = seconds
        target.tm_answer.nanos = micros * 1000
