"""What a flow fetches from and tells to other systems."""

from __future__ import annotations

from typing import Any

import pytest

from services.common.ids import new_id
from services.dialer.conversations.effects import (
    Fetch,
    FetchFlow,
    Finish,
    Say,
    SendWebhook,
)
from services.dialer.conversations.flow_run import FlowRun, restore
from services.dialer.conversations.interpreter import (
    advance,
    complete,
    push,
    resume,
)
from services.dialer.domain.webhooks import Webhook
from tests.unit.dialer.fakes import START, action
from tests.unit.dialer.runs import details, make_run, outcomes

SPOKEN = action("talk", text="behind")


def begun(run: FlowRun) -> Any:
    """The one effect that the first action waits for."""
    (effect,) = advance(run, START)
    return effect


def test_fetch_and_fetch_flow_are_waited_for() -> None:
    flow_id = new_id()
    run = make_run(action("fetch", event_url="https://x/${who}"), who="kim")
    fetch = begun(run)
    assert isinstance(fetch, Fetch)
    assert (fetch.method, fetch.uri) == ("POST", "https://x/kim")
    again = restore(run.stored(), "dialer-2")
    assert resume(again, START) == [fetch], "the same request after a take-over"
    assert begun(make_run(action("fetch_flow", flow_id=str(flow_id)))) == FetchFlow(flow_id)


def test_fetched_actions_come_first_and_the_flow_goes_on_behind() -> None:
    run = make_run(action("fetch", event_url="https://x"), action("talk", text="behind ${a}"))
    advance(run, START)
    effects = push(
        run, [action("variable_set", key="a", value="1"), action("talk", text="in")], START
    )
    assert effects == [Say("step-3", "in", "")]
    assert complete(run, START) == [Say("step-4", "behind 1", "")]
    assert complete(run, START) == [Finish()]
    assert details(run)[0] == "2 actions"


def test_targets_are_looked_for_in_what_was_fetched_first() -> None:
    same, outer = new_id(), new_id()
    run = make_run(
        action("fetch", event_url="https://x"),
        action("talk", same, text="outside"),
        action("talk", outer, text="end"),
    )
    advance(run, START)
    inner = [
        action("goto", target_id=str(same), loop_count=1),
        action("talk", text="passed over"),
        action("talk", same, text="inside"),
        action("goto", target_id=str(outer), loop_count=1),
        action("talk", text="never"),
    ]
    assert push(run, inner, START) == [Say("step-3", "inside", "")]
    assert complete(run, START) == [Say("step-5", "end", "")]
    assert len(run.frames) == 1, "a jump out of what was fetched leaves it"


def test_a_stored_run_goes_on_within_what_was_fetched() -> None:
    run = make_run(action("fetch", event_url="https://x"), SPOKEN)
    advance(run, START)
    push(run, [action("talk", text="one"), action("talk", text="two")], START)
    row = run.stored()
    assert row.current is not None
    assert row.current.option == {"text": "one"}
    again = restore(row, "dialer-2")
    assert resume(again, START) == [Say("step-2", "one", "")]
    assert complete(again, START) == [Say("step-3", "two", "")]
    assert complete(again, START) == [Say("step-4", "behind", "")]


def test_fetches_within_one_another_have_a_limit() -> None:
    run = make_run(action("fetch", event_url="https://x"), SPOKEN)
    advance(run, START)
    effects: list[Any] = []
    for _ in range(7):
        effects = push(run, [action("fetch", event_url="https://x"), action("beep")], START)
    assert ("fetch", "failed") in outcomes(run)
    assert "more than 5 fetched lists within one another" in details(run)
    assert effects


def test_a_conversation_led_fetch_by_fetch_has_none_but_that_of_executions() -> None:
    run = make_run(action("fetch", event_url="https://x"), SPOKEN)
    advance(run, START)
    while not run.is_ended:
        push(run, [action("variable_set", key="a"), action("fetch", event_url="https://x")], START)
        assert len(run.frames) <= 2
    assert run.executions == 100
    assert details(run)[-1] == "more than 100 actions executed"


@pytest.mark.parametrize("is_sync", [True, False])
def test_a_webhook_is_sent_with_or_without_waiting(is_sync: bool) -> None:
    step = action("webhook_send", sync=is_sync, uri="http://x/${p}", data='{"a": "${p}"}')
    run = make_run(step, SPOKEN, p="1")
    effects = advance(run, START)
    webhook = Webhook(
        run.webhooks[0].id if run.webhooks else effects[0].webhook.id,  # type: ignore[union-attr]
        run.customer_id,
        run.id,
        "POST",
        "http://x/1",
        "application/json",
        '{"a": "1"}',
    )
    if is_sync:
        assert effects == [SendWebhook(webhook)]
        assert run.webhooks == []
    else:
        assert effects == [Say("step-2", "behind", "")]
        assert run.webhooks == [webhook]
