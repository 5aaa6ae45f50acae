"""Flows on the running stack: what people do with their keys, and what is kept of it."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cli.client import Client
from cli.errors import CommandError
from tests.fixtures.stack import RunningStack, stack_of_its_own
from tests.support.audit import audit
from tests.support.scenario import gather, make_scenario, run, wait_finished
from tests.support.waiting import wait_for

YES, NO = (f"8f5a1f2e-0000-4000-8000-00000000000{number}" for number in (1, 2))
# They listen to the end; two of five press 1 and two of five press 2.
PEOPLE = [f"+1555160{number:04d}" for number in range(30)]


@pytest.fixture
def client(stack: RunningStack) -> Iterator[Client]:
    with stack.client() as own:
        yield own


def sets(key: str, value: str, action_id: str = "") -> dict[str, Any]:
    return {"id": action_id, "type": "variable_set", "option": {"key": key, "value": value}}


SURVEY: list[dict[str, Any]] = [
    {"type": "talk", "option": {"text": "Press 1 for yes, or 2 for no."}},
    {"type": "digits_receive", "option": {"length": 1, "duration": 4000}},
    sets("asked", "${voipbin.call.destination.target}"),
    {"type": "branch", "option": {"target_ids": {"1": YES, "2": NO}}},
    sets("answer", "none"),
    {"type": "stop"},
    sets("answer", "yes", YES),
    {"type": "talk", "option": {"text": "Thank you."}},
    {"type": "stop"},
    sets("answer", "no", NO),
]


@pytest.mark.xdist_group("stack")
def test_a_survey_keeps_keys_and_variables_with_each_attempt(
    stack: RunningStack, client: Client
) -> None:
    scenario = make_scenario(client, PEOPLE, actions=SURVEY)
    run(client, scenario)
    wait_finished(client, scenario.campaign_id)
    evidence = gather(stack, client, scenario)
    assert audit(evidence) == []
    expected = {"1": "yes", "2": "no", "": "none"}
    seen = set()
    for attempt in evidence.campaigncalls:
        assert attempt["result"] == "success"
        assert attempt["variables"] == {
            "asked": attempt["destination"]["target"],
            "answer": expected[attempt["digits"]],
        }
        seen.add(attempt["digits"])
        assert client.get(f"/campaigncalls/{attempt['id']}") == attempt
    assert seen == {"1", "2", ""}
    done = [each for each in evidence.events or () if each["event"] == "done"]
    assert len(done) == len(PEOPLE)
    for event in done:
        told = event["data"]["campaigncall"]
        assert told["variables"]["answer"] == expected[told.get("digits", "")]


@pytest.mark.xdist_group("stack")
def test_what_a_network_cannot_do_is_said_and_the_flow_goes_on(client: Client) -> None:
    actions = [{"type": "recording_start"}, sets("went", "on")]
    scenario = make_scenario(client, PEOPLE[:1], actions=actions)
    run(client, scenario)
    wait_finished(client, scenario.campaign_id)
    (attempt,) = client.pages(f"/campaigns/{scenario.campaign_id}/campaigncalls")
    assert attempt["variables"] == {"went": "on"}
    flow = client.get(f"/activeflows/{attempt['activeflow_id']}")
    step = flow["executed_actions"][0]
    assert (step["outcome"], step["detail"]) == (
        "failed",
        "the network cannot do this (record)",
    )
    assert client.get(f"/recordings?campaign_id={scenario.campaign_id}")["result"] == []


@pytest.mark.xdist_group("stack")
def test_bad_actions_are_refused_where_they_are_written(client: Client) -> None:
    wrong = [
        ([{"type": "stop"}, {"type": "ai_talk"}], r"actions\[1\].type.*yet"),
        ([{"type": "sleep", "option": {"duration": -1}}], r"actions\[0\].option.duration.*-1"),
        ([{"type": "queue_join", "option": {"queue_id": YES}}], r"actions\[0\].option.queue_id"),
        ([{"type": "goto", "option": {"target_id": YES}}], r"actions\[0\].option.target_id"),
    ]
    campaign = client.post("/campaigns", {"name": "flows"})["id"]
    flow = client.post("/flows", {"name": "flows", "actions": [{"type": "answer"}]})["id"]
    for actions, words in wrong:
        for method, path in (
            (client.post, "/campaigns"),
            (client.post, "/flows"),
            (client.put, f"/campaigns/{campaign}"),
            (client.put, f"/campaigns/{campaign}/actions"),
            (client.put, f"/flows/{flow}"),
        ):
            with pytest.raises(CommandError, match=rf"(?s){words}.*HTTP 400"):
                method(path, {"actions": actions})
    assert client.get(f"/campaigns/{campaign}")["actions"] == []


@contextmanager
def another_system() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that leads conversations and takes webhooks; its address and what it was sent."""
    heard: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            heard.append({"path": self.path, "key": self.headers["Idempotency-Key"], **body})
            answer = b"[]"
            if self.path == "/next":
                told = {"type": "variable_set", "option": {"key": "led", "value": "yes"}}
                answer = json.dumps({"actions": [told]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.slow
def test_other_systems_lead_conversations_and_hear_of_them() -> None:
    environment = {"OUTBOUND_HTTP_PRIVATE_ADDRESSES": "true"}
    with (
        another_system() as (url, heard),
        stack_of_its_own(environment=environment) as stack,
        stack.client() as client,
    ):
        data = '{"who": "${voipbin.call.destination.target}", "led": "${led}"}'
        hook = {"uri": f"{url}/hook", "data": data}
        actions = [
            {"type": "fetch", "option": {"event_url": f"{url}/next"}},
            {"type": "webhook_send", "option": hook},
            {"type": "webhook_send", "option": {**hook, "sync": True}},
        ]
        scenario = make_scenario(client, PEOPLE[:10], actions=actions)
        run(client, scenario)
        wait_finished(client, scenario.campaign_id)
        evidence = gather(stack, client, scenario)
        assert audit(evidence) == []
        assert {each["variables"]["led"] for each in evidence.campaigncalls} == {"yes"}
        calls = {each["id"] for each in evidence.campaigncalls}
        asked = [each for each in heard if each["path"] == "/next"]
        assert {each["reference_id"] for each in asked} == calls

        def hooks() -> set[str]:
            return {each["key"] for each in heard if each["path"] == "/hook"}

        wait_for(lambda: len(hooks()) == 20, what="every webhook")
        told = [each for each in heard if each["path"] == "/hook"]
        assert {each["who"] for each in told} == set(PEOPLE[:10])
        flow = client.post("/activeflows", {"actions": actions[:1]})
        assert flow["status"] == "running"
        ended = wait_for(
            lambda: next(
                iter(
                    each
                    for each in [client.get(f"/activeflows/{flow['id']}")]
                    if each["status"] == "ended"
                ),
                None,
            ),
            what="the end of an execution without a call",
        )
        assert ended["variables"] == {"led": "yes"}
