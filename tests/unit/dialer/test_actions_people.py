"""Connecting, recording, and finding out who answered."""

from __future__ import annotations

from typing import Any

import pytest

from services.common.actions import Action
from services.common.address import Address
from services.dialer.conversations.effects import (
    Connect,
    Detect,
    Say,
    StartRecording,
    StopRecording,
)
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.conversations.interpreter import (
    advance,
    decides_on_machines,
    detected,
)
from services.dialer.domain.recordings import RecordingWish
from services.dialer.telephony import AnsweredBy
from tests.unit.dialer.fakes import START, action
from tests.unit.dialer.runs import details, make_run, outcomes, walk

SPOKEN = action("talk", text="behind")


def begun(run: FlowRun) -> Any:
    """The one effect that the first action waits for."""
    (effect,) = advance(run, START)
    return effect


def test_connect_rings_what_the_network_can_call() -> None:
    run = make_run(
        action(
            "connect",
            destinations=["+15551234567", {"type": "sip", "target": "${boss}"}, "", "a@b.c"],
            source={"type": "tel", "target": "+15550000001"},
            anonymous="yes",
        ),
        boss="boss@example.com",
    )
    run.address_types = frozenset({"tel", "sip"})
    assert begun(run) == Connect(
        (Address("tel", "+15551234567"), Address("sip", "boss@example.com")),
        Address("tel", "+15550000001"),
        is_anonymous=True,
    )


def test_connect_to_nobody_who_can_be_called_fails() -> None:
    run = make_run(action("connect", destinations=["a@b.c"]), SPOKEN)
    run.address_types = frozenset({"tel"})
    advance(run, START)
    assert outcomes(run)[0] == ("connect", "failed")
    assert details(run)[0] == "destinations are email; the network can call tel"


@pytest.mark.parametrize(
    ("option", "wish"),
    [
        ({}, RecordingWish()),
        (
            {"format": "wav", "end_of_silence": 3, "duration": 60, "beep_start": True},
            RecordingWish("wav", 60_000, 3_000, "", True),
        ),
        ({"end_of_key": "#"}, RecordingWish(end_keys="#")),
        ({"end_of_key": "none"}, RecordingWish()),
        ({"end_of_key": "any"}, RecordingWish(end_keys="0123456789ABCD*#")),
    ],
)
def test_a_recording_starts_and_the_flow_goes_on(
    option: dict[str, Any], wish: RecordingWish
) -> None:
    run = make_run(action("recording_start", **option), SPOKEN)
    started, spoken = advance(run, START)
    assert isinstance(started, StartRecording)
    assert started.wish == wish
    assert isinstance(spoken, Say)


def test_a_recording_is_stopped_and_only_one_is_on() -> None:
    run = make_run(action("recording_start"), action("recording_start"), action("recording_stop"))
    started, stopped, _ = advance(run, START)
    assert isinstance(started, StartRecording)
    assert stopped == StopRecording(started.opened.id)
    assert outcomes(run)[1] == ("recording_start", "failed")
    assert "is on already" in details(run)[1]
    alone = make_run(action("recording_stop"))
    walk(alone)
    assert details(alone) == ["nothing was being recorded"]


def test_another_recording_begins_before_the_end_of_the_stopped_one_is_known() -> None:
    run = make_run(action("recording_start"), action("recording_stop"), action("recording_start"))
    first, stopped, second, _ = advance(run, START)
    assert isinstance(first, StartRecording)
    assert isinstance(second, StartRecording)
    assert stopped == StopRecording(first.opened.id)
    assert second.opened == run.recording != first.opened
    assert [each.is_stopping for each in run.recordings] == [True, False]


@pytest.mark.parametrize(
    ("option", "by", "hangs_up", "detail"),
    [
        ({}, AnsweredBy.HUMAN, False, "human"),
        ({}, AnsweredBy.UNKNOWN, False, "unknown"),
        ({}, AnsweredBy.MACHINE, True, "machine: hung up"),
        ({"machine_handle": "hangup"}, AnsweredBy.MACHINE, True, "machine: hung up"),
        ({"machine_handle": "continue"}, AnsweredBy.MACHINE, False, "machine"),
    ],
)
def test_amd_says_who_answered(
    option: dict[str, Any], by: AnsweredBy, hangs_up: bool, detail: str
) -> None:
    run = make_run(action("amd", **option), SPOKEN)
    advance(run, START)
    found, effects = detected(run, by, START)
    assert (found, run.is_ended) == (hangs_up, hangs_up)
    assert effects == ([] if hangs_up else [Say("step-2", "behind", "")])
    assert run.variables["voipbin.call.amd"] == by.value
    assert details(run)[0] == detail


def test_an_asynchronous_amd_tells_later() -> None:
    run = make_run(Action("amd", {"async": True, "machine_handle": "continue"}), SPOKEN)
    assert advance(run, START) == [Detect(waits=False), Say("step-2", "behind", "")]
    assert detected(run, AnsweredBy.MACHINE, START) == (False, [])
    assert details(run) == ["machine", ""]
    assert detected(run, AnsweredBy.HUMAN, START) == (False, [])
    assert run.variables["voipbin.call.amd"] == "machine"


@pytest.mark.parametrize(
    ("option", "decides"),
    [({}, False), ({"machine_handle": "hangup"}, False), ({"machine_handle": "continue"}, True),
     ({"machine_handle": "${how}"}, True)],
)  # fmt: skip
def test_a_flow_that_may_go_on_with_a_machine_decides_on_it(
    option: dict[str, Any], decides: bool
) -> None:
    assert decides_on_machines([SPOKEN, action("amd", **option)]) is decides
    assert not decides_on_machines([SPOKEN])
