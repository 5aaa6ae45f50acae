"""Executions on calls: what is kept of them, and that they survive their dialer."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from services.common.actions import Action
from services.common.ids import new_id
from services.dialer.conversations.reports import sendable_parts
from services.dialer.domain.calls import Activeflow
from services.dialer.domain.campaigns import AttemptReport, ReportKind
from services.dialer.domain.webhooks import HttpAnswer
from services.dialer.telephony import (
    AnsweredBy,
    CommandFailed,
    Detected,
    HangupReason,
    PlayFinished,
)
from tests.unit.dialer.conftest import Stages
from tests.unit.dialer.fakes import START, action
from tests.unit.dialer.stage import Stage
from tests.unit.dialer.takeovers import after

NUMBER = ["+19990000001"]
BEHIND = action("talk", text="behind")


def flow_of(s: Stage) -> Activeflow:
    (flow,) = s.records.flow_rows.values()
    return flow


async def answered(s: Stage) -> UUID:
    (call,) = s.calls
    await s.answer(call)
    return call


# --------------------------------------------------------------------------- what is kept


async def test_variables_and_keys_come_with_the_end_of_the_attempt(stage: Stages) -> None:
    actions = (
        action("talk", text="press"),
        action("digits_receive", length=2),
        action("variable_set", key="choice", value="got ${voipbin.call.digits}"),
        BEHIND,
    )
    async with stage(NUMBER, actions=actions) as s:
        call = await answered(s)
        await s.played(call, "step-1")
        await s.pressed(call, "4", "2")
        await s.end(call)
        (ending,) = s.endings()
        assert ending.variables == {"choice": "got 42"}
        assert ending.digits == "42"
        assert len(s.campaigns.of(call)) == 2, "no report of its own"


async def test_keys_nobody_asked_for_are_kept_too(stage: Stages) -> None:
    async with stage(NUMBER) as s:
        call = await answered(s)
        await s.pressed(call, "9")
        await s.end(call)
        assert (s.endings()[0].digits, s.endings()[0].variables) == ("9", {})


async def test_an_end_that_nobody_saw_still_tells_what_the_flow_had_set(stage: Stages) -> None:
    actions = (
        action("variable_set", key="mood", value="good"),
        action("digits_receive", length=5),
    )
    async with stage(NUMBER, actions=actions) as first:
        call = await answered(first)
        await first.pressed(call, "1", "2")
    prepare = after(first, call)

    def ended(s: Stage) -> None:
        prepare(s)
        del s.telephony.live[call]

    async with stage(prepare=ended, actions=actions) as s:
        await s.end(call)
        assert s.endings()[0].variables == {"mood": "good"}
        assert s.endings()[0].digits == "12"


def test_reports_with_much_in_them_go_in_parts() -> None:
    big = {"big": "x" * 32_000}
    reports = [
        AttemptReport(new_id(), ReportKind.ENDED, START, variables=big if number % 2 else {})
        for number in range(1000)
    ]
    parts = list(sendable_parts(reports))
    assert [each for part in parts for each in part] == reports
    assert len(parts) == 2
    assert list(sendable_parts([])) == []


# --------------------------------------------------------------------------- take-over


TALK = action("talk", text="one", digits_handle="next")


@pytest.mark.parametrize(
    ("step", "command", "carried"),
    [
        (TALK, "say", ("step-1", "one")),
        (action("play", stream_urls=["a.wav"]), "play", ("step-1", ("a.wav",))),
        (action("beep"), "play", ("step-1", ("tone:beep",))),
        (action("digits_send", digits="12"), "send_digits", ("step-1", "12", 100, 100)),
        (action("echo", duration=5000), "echo", ("step-1", 5000)),
        (action("amd"), "detect", ()),
    ],
    ids=lambda each: each.type if isinstance(each, Action) else "",
)
async def test_what_is_heard_is_repeated_under_the_same_name(
    stage: Stages, step: Action, command: str, carried: tuple[Any, ...]
) -> None:
    async with stage(NUMBER, actions=(step, BEHIND)) as first:
        call = await answered(first)
    async with stage(prepare=after(first, call), actions=(step, BEHIND)) as s:
        assert s.telephony.last(command, call) == carried
        if command == "detect":
            s.telephony.tell(Detected(call, s.clock.now(), AnsweredBy.HUMAN))
        else:
            s.telephony.tell(PlayFinished(call, s.clock.now(), "step-1", True))
        await s.settle()
        assert s.telephony.last("say", call) == ("step-2", "behind")
        assert [each.type for each in flow_of(s).history] == [step.type, "talk"]


async def test_a_sleep_ends_when_it_would_have(stage: Stages) -> None:
    actions = (action("sleep", duration=60_000), BEHIND)
    async with stage(NUMBER, actions=actions) as first:
        call = await answered(first)
    async with stage(prepare=after(first, call), actions=actions) as s:
        await s.clock.advance(59)
        assert "say" not in s.telephony.of(call)
        await s.clock.advance(2)
        assert s.telephony.last("say", call) == ("step-2", "behind")


async def test_keys_collected_so_far_are_kept_and_those_missed_are_heard(stage: Stages) -> None:
    actions = (action("digits_receive", length=4, duration=30_000), BEHIND)
    async with stage(NUMBER, actions=actions) as first:
        call = await answered(first)
        await first.pressed(call, "1", "2")
    prepare = after(first, call, digits_pressed="123")
    async with stage(prepare=prepare, actions=actions) as s:
        assert "say" not in s.telephony.of(call)
        await s.pressed(call, "4")
        assert s.telephony.last("say", call) == ("step-2", "behind")
        await s.end(call)
        assert s.endings()[0].digits == "1234"
    # All of them were pressed while nobody held the call.
    prepare = after(first, call, digits_pressed="1299")
    async with stage(prepare=prepare, actions=actions) as s:
        assert s.telephony.last("say", call) == ("step-2", "behind")


async def test_waiting_for_keys_ends_when_it_would_have(stage: Stages) -> None:
    actions = (action("digits_receive", duration=30_000), BEHIND)
    async with stage(NUMBER, actions=actions) as first:
        call = await answered(first)
        await first.pressed(call, "7")
    async with stage(prepare=after(first, call, digits_pressed="7"), actions=actions) as s:
        await s.clock.advance(31)
        await s.settle()
        assert s.telephony.last("say", call) == ("step-2", "behind")
        assert flow_of(s).history[0].detail == "time is over"


async def test_a_key_missed_during_a_prompt_that_it_ends_moves_the_flow(stage: Stages) -> None:
    actions = (TALK, action("digits_receive", length=1), BEHIND)
    async with stage(NUMBER, actions=actions) as first:
        call = await answered(first)
    async with stage(prepare=after(first, call, digits_pressed="5"), actions=actions) as s:
        assert s.telephony.of(call) == ["adopt", "stop_play", "say"]
        assert s.telephony.last("say", call) == ("step-3", "behind")


async def test_keys_pressed_before_anybody_served_the_call_count(stage: Stages) -> None:
    actions = (action("digits_receive", length=1), BEHIND)
    async with stage(NUMBER, actions=actions) as first:
        (call,) = first.calls
    first.records.call_rows[call] = first.system.live.hangup_call(call)
    prepare = after(first, call, digits_pressed="3")

    def unserved(s: Stage) -> None:
        prepare(s)
        s.records.call_rows.clear()

    async with stage(prepare=unserved, actions=actions) as s:
        assert s.telephony.last("say", call) == ("step-2", "behind")


async def test_a_fetch_is_repeated_with_the_same_key(stage: Stages) -> None:
    actions = (action("fetch", event_url="https://x.example/next"), BEHIND)
    async with stage(NUMBER, actions=actions) as first:
        first.web.gate = asyncio.Event()
        call = await answered(first)

    def answering(s: Stage) -> None:
        after(first, call)(s)
        s.web.answer(
            "https://x.example/next",
            HttpAnswer(200, b'[{"type": "talk", "option": {"text": "fetched"}}]'),
        )

    async with stage(prepare=answering, actions=actions) as s:
        assert [each.key for each in s.web.requests] == [each.key for each in first.web.requests]
        assert s.telephony.last("say", call) == ("step-2", "fetched")
        await s.played(call, "step-2")
        assert s.telephony.last("say", call) == ("step-3", "behind")


async def test_an_unanswered_question_who_answered_is_asked_again(stage: Stages) -> None:
    actions = (Action("amd", {"async": True}), action("talk", text="one"), BEHIND)
    async with stage(NUMBER, actions=actions) as first:
        call = await answered(first)
    async with stage(prepare=after(first, call), actions=actions) as s:
        assert s.telephony.of(call) == ["adopt", "detect", "say"]
        s.telephony.tell(Detected(call, s.clock.now(), AnsweredBy.MACHINE))
        await s.settle()
        assert s.telephony.of(call)[-1] == "hangup"
        await s.end(call)
        assert s.endings()[0].hangup_reason == "amd"


# --------------------------------------------------------------------------- machines


async def test_a_machine_that_the_flow_finds_is_hung_up_as_one(stage: Stages) -> None:
    async with stage(NUMBER, actions=(action("amd"), BEHIND)) as s:
        (call,) = s.calls
        await s.answer(call, AnsweredBy.UNKNOWN)
        s.telephony.tell(Detected(call, s.clock.now(), AnsweredBy.MACHINE))
        await s.settle()
        assert s.telephony.of(call) == ["detect", "hangup"]
        await s.end(call)
        assert s.endings()[0].hangup_reason == "amd"


async def test_a_flow_may_go_on_with_a_machine_and_that_is_a_success(stage: Stages) -> None:
    actions = (action("amd", machine_handle="continue"), action("talk", text="leave a message"))
    async with stage(NUMBER, actions=actions) as s:
        (call,) = s.calls
        await s.answer(call, AnsweredBy.MACHINE)
        assert s.telephony.of(call) == ["detect"]
        s.telephony.tell(Detected(call, s.clock.now(), AnsweredBy.MACHINE))
        await s.settle()
        assert s.telephony.last("say", call) == ("step-2", "leave a message")
        await s.played(call, "step-2")
        await s.end(call)
        assert s.endings()[0].hangup_reason == "normal"


async def test_a_machine_found_before_the_take_over_is_one_after_it(stage: Stages) -> None:
    actions = (action("amd"), BEHIND)
    async with stage(NUMBER, actions=actions) as first:
        (call,) = first.calls
        await first.answer(call, AnsweredBy.UNKNOWN)
        first.telephony.tell(Detected(call, first.clock.now(), AnsweredBy.MACHINE))
        await first.settle()
    prepare = after(first, call, answered_by=AnsweredBy.UNKNOWN)
    async with stage(prepare=prepare, actions=actions) as s:
        assert s.telephony.of(call) == ["adopt", "hangup"]
        await s.end(call)
        assert s.endings()[0].hangup_reason == "amd"


async def test_a_network_that_cannot_tell_lets_the_flow_go_on(stage: Stages) -> None:
    async with stage(NUMBER, actions=(action("amd"), BEHIND)) as s:
        call = await answered(s)
        s.telephony.tell(CommandFailed(call, "detect", "", "not_answered"))
        await s.settle()
        assert s.telephony.last("say", call) == ("step-2", "behind")
        assert flow_of(s).history[0].detail == "not_answered"
        assert flow_of(s).variables["voipbin.call.amd"] == "unknown"


# --------------------------------------------------------------------------- the target's data


async def test_the_targets_own_data_is_there_after_a_take_over_without_an_execution(
    stage: Stages,
) -> None:
    actions = (
        action(
            "talk", text="hi ${voipbin.outdialtarget.name} of ${voipbin.outdialtarget.data.city}"
        ),
    )
    async with stage(NUMBER, actions=actions) as first:
        (call,) = first.calls

    def ringing(s: Stage) -> None:
        first.records.call_rows[call] = first.system.live.hangup_call(call)
        after(first, call)(s)
        s.records.call_rows.clear()

    async with stage(prepare=ringing, actions=actions) as s:
        assert s.telephony.last("say", call) == ("step-1", "hi Kim of Seoul")
        assert len(s.targets.described) == 1
        assert flow_of(s).variables["voipbin.outdial.name"] == "spring list"


async def test_a_list_that_does_not_answer_keeps_no_call_from_being_adopted(
    stage: Stages,
) -> None:
    async with stage(NUMBER) as first:
        (call,) = first.calls
        await first.answer(call)

    def down(s: Stage) -> None:
        after(first, call)(s)
        s.records.flow_rows = {}
        s.targets.faults.down.add("describe")

    async with stage(prepare=down) as s:
        assert s.telephony.of(call)[:1] == ["adopt"]
        assert len(s.system.attempts) == 1


async def test_stored_executions_ask_for_nothing(stage: Stages) -> None:
    async with stage(NUMBER) as first:
        call = await answered(first)
    async with stage(prepare=after(first, call)) as s:
        assert s.targets.described == []
        assert s.telephony.of(call) == ["adopt", "say"]


async def test_what_a_queue_tells_is_there_while_queued_and_gone_after_it(stage: Stages) -> None:
    queue_id = new_id()
    actions = (action("queue_join", queue_id=str(queue_id)), BEHIND)
    async with stage(NUMBER, actions=actions) as s:
        call = await answered(s)
        run = s.system.flows.of_call(call)
        assert run is not None
        told = {key: value for key, value in run.variables.items() if ".queue" in key}
        assert told == {
            "voipbin.queue.id": str(queue_id),
            "voipbin.queue.name": "sales",
            "voipbin.queue.detail": "all of us",
            "voipbin.queuecall.id": str(run.queuecall_id),
            "voipbin.queuecall.timeout_wait": "30000",
            "voipbin.queuecall.timeout_service": "0",
        }
        s.system.flows.left_queue(call, "no agent: wait_timeout")
        assert not [key for key in run.variables if ".queue" in key]


async def test_a_play_that_fails_lets_the_flow_go_on(stage: Stages) -> None:
    async with stage(NUMBER, actions=(action("play", stream_urls=["a.wav"]), BEHIND)) as s:
        call = await answered(s)
        s.telephony.tell(CommandFailed(call, "play", "step-1", "no such file"))
        await s.settle()
        assert flow_of(s).history[0].detail == "no such file"
        assert s.telephony.last("say", call) == ("step-2", "behind")
        await s.end(call, HangupReason.NORMAL)
