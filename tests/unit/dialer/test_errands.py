"""Fetches, flows of flows and webhooks, with and without a call."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import pytest

from services.common.ids import new_id
from services.dialer.conversations.errands import MOST_OF_CUSTOMER, fetched
from services.dialer.domain.calls import Activeflow, DialerEntry, ReferenceType, Step
from services.dialer.domain.webhooks import HttpAnswer
from services.dialer.telephony import Answered, AnsweredBy
from tests.unit.dialer.conftest import Stages
from tests.unit.dialer.fakes import START, action
from tests.unit.dialer.stage import Stage
from tests.unit.dialer.test_service import make_flow

NUMBER = ["+19990000001"]
URL = "https://x.example/next"
BEHIND = action("talk", text="behind")


def flow_of(s: Stage) -> Activeflow:
    (flow,) = s.records.flow_rows.values()
    return flow


def first_step(s: Stage) -> Step:
    return flow_of(s).history[0]


async def answered(s: Stage) -> UUID:
    (call,) = s.calls
    await s.answer(call)
    return call


# ------------------------------------------------------------------------------------ fetch


async def test_a_fetch_tells_who_asks_and_does_what_is_answered(stage: Stages) -> None:
    async with stage(NUMBER, actions=(action("fetch", event_url=URL), BEHIND)) as s:
        s.web.answer(URL, HttpAnswer(200, b'{"actions": [{"type": "beep"}]}'))
        call = await answered(s)
        (request,) = s.web.requests
        assert (request.method, request.headers) == ("POST", {"Content-Type": "application/json"})
        assert orjson.loads(request.body) == {
            "activeflow_id": str(flow_of(s).id),
            "reference_type": "call",
            "reference_id": str(call),
        }
        assert s.telephony.last("play", call) == ("step-2", ("tone:beep",))
        await s.played(call, "step-2")
        assert s.telephony.last("say", call) == ("step-3", "behind")


async def test_a_fetch_by_get_tells_it_in_the_query(stage: Stages) -> None:
    get = action("fetch", event_url=f"{URL}?a=1#top", event_method="GET")
    async with stage(NUMBER, actions=(get, BEHIND)) as s:
        call = await answered(s)
        (request,) = s.web.requests
        flow_id = flow_of(s).id
        query = f"a=1&activeflow_id={flow_id}&reference_type=call&reference_id={call}"
        assert (request.uri, request.body) == (f"{URL}?{query}#top", b"")


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        ("no answer within 10 s", "no answer within 10 s"),
        (HttpAnswer(500, b""), "answered 500"),
        (HttpAnswer(302, b""), "answered 302"),
        (HttpAnswer(200, b"<html>"), "the answer is not JSON"),
        (HttpAnswer(200, b"", is_too_long=True), "the answer is too long"),
        (HttpAnswer(200, b'"x"'), "the answer holds no list of actions"),
        (HttpAnswer(200, b'{"actions": {}}'), "the answer holds no list of actions"),
        (HttpAnswer(200, b'[{"type": "ai_talk"}]'), "actions[0].type: 'ai_talk' cannot be used"),
        (HttpAnswer(200, b'[{"type": "talk"}]'), "actions[0].option.text"),
        (HttpAnswer(200, b"[7]"), "actions[0] is 7"),
        (HttpAnswer(200, b'[{"type": "stop", "id": 5}]'), "actions[0]"),
        (HttpAnswer(200, b'[{"type": "stop", "id": "x"}]'), "actions[0].id"),
        (HttpAnswer(200, b'[{"type": "stop", "option": []}]'), "actions[0]"),
    ],
    ids=str,
)
async def test_a_fetch_that_comes_to_nothing_fails_and_the_flow_goes_on(
    stage: Stages, answer: HttpAnswer | str, detail: str
) -> None:
    async with stage(NUMBER, actions=(action("fetch", event_url=URL), BEHIND)) as s:
        s.web.answer(URL, answer)
        call = await answered(s)
        assert (first_step(s).outcome.value, detail in first_step(s).detail) == ("failed", True)
        assert s.telephony.last("say", call) == ("step-2", "behind")


def test_an_empty_list_is_an_answer() -> None:
    assert fetched(b"[]").actions == ()


@pytest.mark.parametrize("levels", [40, 300, 1000])
def test_an_answer_that_is_nested_too_deep_is_no_answer(levels: int) -> None:
    found = fetched(b"[" * levels + b"]" * levels)
    assert found.failure


async def test_an_answer_that_comes_too_late_moves_nothing(stage: Stages) -> None:
    async with stage(NUMBER, actions=(action("fetch", event_url=URL), BEHIND)) as s:
        s.web.gate = asyncio.Event()
        call = await answered(s)
        await s.end(call)
        s.web.gate.set()
        await s.settle()
        assert s.telephony.of(call) == []
        assert flow_of(s).is_ended


async def test_one_customers_errands_do_not_wait_for_all_of_anothers(stage: Stages) -> None:
    numbers = [f"+1999000{n:04}" for n in range(MOST_OF_CUSTOMER + 5)]
    async with stage(numbers, actions=(action("fetch", event_url=URL), BEHIND)) as s:
        s.web.gate = asyncio.Event()
        s.telephony.tell(*(Answered(each, s.clock.now(), AnsweredBy.HUMAN) for each in s.calls))
        await s.settle()
        assert len(s.web.requests) == MOST_OF_CUSTOMER
        other = api_flow(action("fetch", event_url=URL), customer_id=new_id())
        s.system.live.execute(other)
        s.system.live.go_on(other.id)
        await s.settle()
        assert len(s.web.requests) == MOST_OF_CUSTOMER + 1
        s.web.gate.set()
        await s.settle()
        assert len(s.web.requests) == len(numbers) + 1


async def test_a_flow_of_the_same_customer_is_done_first(stage: Stages) -> None:
    flow_id = new_id()
    actions = (action("fetch_flow", flow_id=str(flow_id)), BEHIND)
    async with stage(NUMBER, actions=actions) as s:
        s.flow_definitions.flows[flow_id] = (action("talk", text="of the flow"),)
        call = await answered(s)
        assert s.flow_definitions.asked == [(s.definition.campaign.customer_id, flow_id)]
        assert s.telephony.last("say", call) == ("step-2", "of the flow")
        await s.played(call, "step-2")
        assert s.telephony.last("say", call) == ("step-3", "behind")


async def test_a_flow_that_is_not_there_fails_and_one_that_cannot_be_read_is_asked_for_again(
    stage: Stages,
) -> None:
    actions = (action("fetch_flow", flow_id=str(new_id())), BEHIND)
    async with stage(NUMBER, actions=actions) as s:
        s.flow_definitions.faults.fail("definition")
        call = await answered(s)
        await s.settle(1.0)
        assert s.flow_definitions.faults.calls == ["definition", "definition"]
        assert "there is no flow" in first_step(s).detail
        assert s.telephony.last("say", call) == ("step-2", "behind")


# --------------------------------------------------------------------------------- webhooks


@pytest.mark.parametrize(
    ("answer", "outcome", "detail"),
    [
        (HttpAnswer(204, b""), "done", "answered 204"),
        (HttpAnswer(404, b""), "failed", "answered 404"),
        ("x.example cannot be reached", "failed", "x.example cannot be reached"),
    ],
)
async def test_a_webhook_that_is_waited_for_says_what_was_answered(
    stage: Stages, answer: HttpAnswer | str, outcome: str, detail: str
) -> None:
    step = action(
        "webhook_send", sync=True, uri=URL, method="PUT", data="a", data_type="text/plain"
    )
    async with stage(NUMBER, actions=(step, BEHIND)) as s:
        s.web.answer(URL, answer)
        call = await answered(s)
        (request,) = s.web.requests
        assert (request.method, request.body) == ("PUT", b"a")
        assert request.headers == {"Content-Type": "text/plain"}
        assert (first_step(s).outcome.value, first_step(s).detail) == (outcome, detail)
        assert s.telephony.last("say", call) == ("step-2", "behind")


async def test_a_webhook_nobody_waits_for_is_stored_with_the_step_and_sent(stage: Stages) -> None:
    async with stage(NUMBER, actions=(action("webhook_send", uri=URL), BEHIND)) as s:
        s.web.gate = asyncio.Event()
        call = await answered(s)
        assert s.telephony.last("say", call) == ("step-2", "behind")
        assert len(s.records.webhooks.rows) == 1
        s.web.gate.set()
        await s.settle()
        assert len(s.web.requests) == 1
        assert s.records.webhooks.rows == {}


async def test_a_webhook_is_tried_again_and_given_up_in_the_end(stage: Stages) -> None:
    async with stage(NUMBER, actions=(action("webhook_send", uri=URL), BEHIND)) as s:
        s.web.answer(URL, HttpAnswer(500, b""))
        await answered(s)
        for _ in range(6):
            s.records.webhooks.pass_time()
            await s.settle(3.0)
        assert len(s.web.requests) == 5
        assert len({each.key for each in s.web.requests}) == 1
        assert s.records.webhooks.postponed == [2.0, 10.0, 50.0, 250.0]
        assert s.records.webhooks.rows == {}


async def test_a_webhook_whose_dialer_died_is_sent_by_another(stage: Stages) -> None:
    async with stage(NUMBER, actions=(action("webhook_send", uri=URL), BEHIND)) as first:
        first.web.gate = asyncio.Event()
        await answered(first)
        stored = dict(first.records.webhooks.rows)
        assert len(stored) == 1

    def before(s: Stage) -> None:
        s.records.webhooks.rows = stored

    async with stage(prepare=before) as s:
        await s.settle(3.0)
        assert [each.key for each in s.web.requests] == list(first.records.webhooks.rows)


# ----------------------------------------------------------------------- without a call


def api_flow(*actions: Any, **changes: Any) -> Activeflow:
    return make_flow(
        reference_type=ReferenceType.API, reference_id=None, actions=actions, **changes
    )


async def test_without_a_call_what_takes_time_goes_on_behind_the_answer(stage: Stages) -> None:
    row = api_flow(
        action("talk", text="x"),
        action("fetch", event_url=URL),
        action("variable_set", key="b", value="2"),
    )
    async with stage() as s:
        s.web.answer(
            URL,
            HttpAnswer(200, b'[{"type": "variable_set", "option": {"key": "a", "value": "1"}}]'),
        )
        executed = s.system.live.execute(row)
        assert not executed.activeflow.is_ended
        await s.settle()
        assert s.web.requests == [], "not before it is stored"
        s.system.live.go_on(row.id)
        await s.settle()
        ended = s.records.flow_rows[row.id]
        assert ended.is_ended
        assert {"a": "1", "b": "2"}.items() <= ended.variables.items()
        assert [each.outcome.value for each in ended.history] == ["skipped", "done", "done", "done"]
        assert s.system.flows.find(row.id) is None


async def test_without_a_call_a_webhook_is_stored_with_the_row(stage: Stages) -> None:
    async with stage() as s:
        executed = s.system.live.execute(api_flow(action("webhook_send", uri=URL)))
        assert executed.activeflow.is_ended
        assert [each.uri for each in executed.webhooks] == [URL]


async def test_an_execution_that_could_not_be_stored_is_forgotten(stage: Stages) -> None:
    row = api_flow(action("fetch", event_url=URL))
    async with stage() as s:
        s.system.live.execute(row)
        s.system.live.give_up(row.id)
        s.system.live.go_on(row.id)
        await s.settle()
        assert s.web.requests == []
        assert s.system.flows.find(row.id) is None


async def test_an_execution_without_a_call_is_stopped(stage: Stages) -> None:
    row = api_flow(action("fetch", event_url=URL), action("variable_set", key="a", value="1"))
    async with stage() as s:
        s.web.gate = asyncio.Event()
        s.system.live.execute(row)
        s.system.live.go_on(row.id)
        await s.settle()
        assert s.system.live.stop_activeflow(row.id).is_ended
        s.web.gate.set()
        await s.settle()
        assert "a" not in s.records.flow_rows[row.id].variables


@pytest.mark.parametrize("owner", ["dialer-1", "dialer-9"])
async def test_an_execution_without_a_call_goes_on_at_another_dialer(
    stage: Stages, owner: str
) -> None:
    row = api_flow(action("fetch", event_url=URL), action("variable_set", key="a", value="1"))
    async with stage() as first:
        first.web.gate = asyncio.Event()
        first.system.live.execute(row)
        first.system.live.go_on(row.id)
        await first.settle()
        (waiting,) = first.web.requests
        run = first.system.flows.find(row.id)
        assert run is not None
        left = replace(run.stored(), dialer_id=owner)
    async with stage() as s:
        s.records.flow_rows[row.id] = left
        s.web.answer(URL, HttpAnswer(200, b"[]"))
        await s.settle(25.0)
        assert [each.key for each in s.web.requests] == [waiting.key]
        assert s.records.flow_rows[row.id].variables["a"] == "1"
        assert s.records.flow_rows[row.id].is_ended


async def test_an_execution_of_a_living_dialer_is_left_to_it(stage: Stages) -> None:
    row = api_flow(action("fetch", event_url=URL), dialer_id="dialer-2")
    async with stage() as s:
        await s.registry.beat(DialerEntry("dialer-2", "127.0.0.1:1"))
        s.records.flow_rows[row.id] = row
        await s.settle(25.0)
        assert s.web.requests == []
        assert s.clock.now() >= START
