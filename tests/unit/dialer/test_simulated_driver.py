"""How the simulated driver reads the network, without one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest
from outbound.simnet.v1 import simnet_pb2 as simnet_pb

from services.common.ids import new_id
from services.dialer.drivers import simulated_convert as convert
from services.dialer.drivers.simulated_calls import HeldCall, Stage
from services.dialer.telephony import (
    Answered,
    AnsweredBy,
    Bridged,
    DigitPressed,
    Ended,
    Event,
    HangupReason,
    Missing,
    NotPlaced,
    NotPlacedReason,
    PlayFinished,
    Ringing,
    Unbridged,
)

OTHER = str(new_id())


def held(stage: Stage = Stage.PLACING) -> HeldCall:
    return HeldCall(new_id(), stage)


def event(call: HeldCall, **what: Any) -> simnet_pb.Event:
    return simnet_pb.Event(call_id=call.text, **what)


def standing(call: HeldCall, **fields: Any) -> simnet_pb.Event:
    """An answered call, as an adoption tells of it."""
    known = simnet_pb.Call(
        call_id=call.text, state=simnet_pb.CALL_STATE_ANSWERED, rang=True, **fields
    )
    known.tm_answer.seconds = 7
    return event(call, adopted=known)


def names(events: Iterable[Event]) -> list[str]:
    return [type(each).__name__ for each in events]


@pytest.mark.parametrize("outcome", list(simnet_pb.Outcome.values())[1:])
def test_every_outcome_of_the_network_has_a_meaning(outcome: simnet_pb.Outcome) -> None:
    reason, _ = convert.OUTCOMES[outcome]
    assert (reason is HangupReason.NORMAL) == (outcome == simnet_pb.OUTCOME_NORMAL)


@pytest.mark.parametrize("reason", list(simnet_pb.PlaceRefused.Reason.values())[1:])
def test_every_refusal_has_a_meaning(reason: simnet_pb.PlaceRefused.Reason) -> None:
    call = held()
    (told,) = call.apply(event(call, place_refused=simnet_pb.PlaceRefused(reason=reason)))
    assert call.is_over
    if isinstance(told, NotPlaced):
        assert told.reason in (NotPlacedReason.DUPLICATE, NotPlacedReason.LATE)
    else:
        assert isinstance(told, Ended)
        assert told.reason is HangupReason.FAILED


def test_a_network_restart_after_an_answer_is_normal() -> None:
    call = held(Stage.ANSWERED)
    ended = simnet_pb.Ended(outcome=simnet_pb.OUTCOME_NETWORK_RESTART)
    ended.tm_answer.seconds = 7
    (told,) = call.apply(event(call, ended=ended))
    assert isinstance(told, Ended)
    assert (told.reason, told.detail) == (HangupReason.NORMAL, "network_restart")


def test_nothing_is_told_twice() -> None:
    call = held()
    answered = simnet_pb.Answered(by=simnet_pb.ANSWERED_BY_HUMAN)
    for expected in (["Ringing", "Answered"], []):
        told = [
            *call.apply(event(call, ringing=simnet_pb.Ringing())),
            *call.apply(event(call, answered=answered)),
        ]
        assert names(told) == expected
    call.plays["p1"] = simnet_pb.Command()
    finished = simnet_pb.PlayFinished(play_id="p1", completed=True)
    assert names(call.apply(event(call, play_finished=finished))) == ["PlayFinished"]
    assert call.apply(event(call, play_finished=finished)) == []


def test_an_end_brings_the_answer_that_was_missed() -> None:
    call = held()
    ended = simnet_pb.Ended(
        outcome=simnet_pb.OUTCOME_NORMAL, answered_by=simnet_pb.ANSWERED_BY_MACHINE
    )
    ended.tm_answer.seconds = 7
    answered, end = call.apply(event(call, ended=ended))
    assert isinstance(answered, Answered)
    assert answered.by is AnsweredBy.MACHINE
    assert isinstance(end, Ended)


def test_a_reconnect_tells_all_that_was_missed_in_order() -> None:
    call = held()
    for play_id in ("p1", "p2", "p3", "p4"):
        call.plays[play_id] = simnet_pb.Command(play=simnet_pb.Play(play_id=play_id))
    told = call.reconcile(
        standing(
            call,
            play_id="p3",
            finished_play_id="p2",
            finished_play_completed=True,
            digits_pressed="19",
        )
    )
    assert names(told) == [
        "Ringing",
        "Answered",
        "PlayFinished",
        "PlayFinished",
        "DigitPressed",
        "DigitPressed",
    ]
    finished = [(one.play_id, one.completed) for one in told if isinstance(one, PlayFinished)]
    assert finished == [("p1", False), ("p2", True)]
    assert [one.digit for one in told if isinstance(one, DigitPressed)] == ["1", "9"]
    # p3 is on, p4 never arrived.
    again = list(call.wishes(simnet_pb.Call(play_id="p3")))
    assert [command.play.play_id for command in again] == ["p4"]


def test_a_reconnect_tells_changed_connections() -> None:
    call = held(Stage.ANSWERED)
    (bridged,) = call.reconcile(standing(call, bridged_with=OTHER))
    assert isinstance(bridged, Bridged)
    assert bridged.other_id == UUID(OTHER)
    (unbridged,) = call.reconcile(standing(call))
    assert isinstance(unbridged, Unbridged)
    assert call.reconcile(standing(call)) == []


def test_wishes_are_repeated_until_they_came_true() -> None:
    call = held(Stage.ANSWERED)
    call.bridge_wish = OTHER
    (wish,) = call.wishes(simnet_pb.Call())
    assert wish.bridge.other_call_id == OTHER
    bridged = simnet_pb.Bridged(other_call_id=OTHER)
    assert names(call.apply(event(call, bridged=bridged))) == ["Bridged"]
    assert list(call.wishes(simnet_pb.Call(bridged_with=OTHER))) == []
    call.bridge_wish = ""
    (wish,) = call.wishes(simnet_pb.Call(bridged_with=OTHER))
    assert wish.HasField("unbridge")
    call.end_wish = "hangup"
    (wish,) = call.wishes(simnet_pb.Call(bridged_with=OTHER))
    assert wish.HasField("hangup")


def test_a_cancel_is_not_repeated_once_the_call_was_answered() -> None:
    call = held(Stage.RINGING)
    call.end_wish = "cancel"
    (wish,) = call.wishes(simnet_pb.Call())
    assert wish.HasField("cancel")
    call.stage = Stage.ANSWERED
    assert list(call.wishes(simnet_pb.Call())) == []


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (Stage.PLACING, NotPlaced),
        (Stage.ADOPTING, Missing),
        (Stage.RINGING, Missing),
        (Stage.ANSWERED, Missing),
    ],
)
def test_an_unknown_call_was_lost_on_its_way_or_is_missing(
    stage: Stage, expected: type[Event]
) -> None:
    call = held(stage)
    (told,) = call.reconcile(event(call, unknown=simnet_pb.Unknown()))
    assert isinstance(told, expected)
    assert call.is_over


def test_an_adopted_play_is_told_when_it_ends_and_never_sent() -> None:
    call = held(Stage.ADOPTING)
    assert names(call.reconcile(standing(call, play_id="p1"))) == ["Adopted"]
    assert list(call.wishes(simnet_pb.Call(play_id="p1"))) == []
    finished = simnet_pb.PlayFinished(play_id="p1", completed=True)
    assert names(call.apply(event(call, play_finished=finished))) == ["PlayFinished"]


def test_a_rejected_number_never_rings() -> None:
    call = held()
    dialing = simnet_pb.Call(call_id=call.text, state=simnet_pb.CALL_STATE_DIALING)
    assert call.reconcile(event(call, adopted=dialing)) == []
    told = call.reconcile(event(call, unknown=simnet_pb.Unknown()))
    assert not any(isinstance(one, Ringing | NotPlaced) for one in told)
