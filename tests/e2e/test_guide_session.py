"""The sessions of the user's own documentation, typed as they stand there, against the running stack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fixtures.stack import RunningStack
from tests.support.waiting import wait_for

pytestmark = pytest.mark.xdist_group("stack")

NIL = "00000000-0000-0000-0000-000000000000"
NEVER = "9999-01-01 00:00:00.000000"
GUIDE_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")
TEXT = (
    "Hello. This is outbound campaign's test calling. Please wait until the agent answer the call. "
    "Thank you."
)
CAMPAIGN_MEMBERS = {
    "id", "type", "name", "detail", "status", "service_level", "end_handle", "actions", "outplan_id",
    "outdial_id", "queue_id", "next_campaign_id", "tm_create", "tm_update", "tm_delete",
}  # fmt: skip
CAMPAIGNCALL_MEMBERS = {
    "id", "campaign_id", "outplan_id", "outdial_id", "outdial_target_id", "queue_id", "activeflow_id",
    "reference_type", "reference_id", "status", "result", "source", "destination",
    "destination_index", "try_count", "tm_create", "tm_update",
}  # fmt: skip
ADDRESS_MEMBERS = {"type", "target", "target_name", "name", "detail"}


class Session:
    """Requests as the guide's curl lines send them: the token in the query, /v1.0 in the path."""

    def __init__(self, http: httpx.Client, token: str) -> None:
        self._http = http
        self._token = token

    def __call__(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        options = {} if body is None else {"json": body}
        url = f"/v1.0{path}?token={self._token}"
        response = self._http.request(method, url, **options)
        assert response.status_code == 200, response.text
        assert response.headers["X-Request-Id"]
        answer: dict[str, Any] = response.json()
        return answer


@pytest.fixture
def session(stack: RunningStack) -> Iterator[Session]:
    with stack.http() as http:
        yield Session(http, stack.access_key)


def prepare(session: Session, number: str) -> dict[str, str]:
    """The tutorial's prerequisites: outdial with a target, outplan, queue, flow."""
    outdial = session(
        "POST", "/outdials", {"name": "test outdial", "detail": "outdial for test use."}
    )
    session(
        "POST",
        f"/outdials/{outdial['id']}/targets",
        {"name": "test destination 0", "detail": "", "data": "",
         "destination_0": {"type": "tel", "target": number}},
    )  # fmt: skip
    outplan = session(
        "POST",
        "/outplans",
        {"name": "test outplan", "detail": "outplan for test use.",
         "source": {"type": "tel", "target": "+15559876543"}, "dial_timeout": 30000,
         "try_interval": 600, "max_try_count_0": 5, "max_try_count_1": 5, "max_try_count_2": 5,
         "max_try_count_3": 5, "max_try_count_4": 5},
    )  # fmt: skip
    queue = session("POST", "/queues", {"name": "test queue", "detail": "", "routing_method": "random",
                                        "tag_ids": [], "wait_timeout": 0, "service_timeout": 0})  # fmt: skip
    flow = session(
        "POST",
        "/flows",
        {"name": "intro", "actions": [{"type": "talk", "option": {"text": "Hello"}}]},
    )
    agent = session(
        "POST",
        "/agents",
        {"username": f"a{number[1:]}@guide.local", "password": "guide-agent", "name": "agent",
         "addresses": [{"type": "sip", "target": f"a{number[1:]}@guide.local"}]},
    )  # fmt: skip
    session("PUT", f"/agents/{agent['id']}/status", {"status": "available"})
    return {
        "outdial_id": outdial["id"],
        "outplan_id": outplan["id"],
        "queue_id": queue["id"],
        "flow_id": flow["id"],
        "agent_id": agent["id"],
    }


def tutorial_body(parts: dict[str, str]) -> dict[str, Any]:
    """The body of the tutorial's "Create a new campaign"."""
    return {
        "name": "test campaign",
        "detail": "test campaign detail",
        "type": "call",
        "service_level": 100,
        "end_handle": "stop",
        "actions": [{"type": "talk", "option": {"text": TEXT, "language": "en-US"}}],
        "outplan_id": parts["outplan_id"],
        "outdial_id": parts["outdial_id"],
        "queue_id": parts["queue_id"],
    }


def finish(session: Session, campaign_id: str) -> dict[str, Any]:
    """Poll as the guide says, until the campaign has stopped."""

    def stopped() -> dict[str, Any] | None:
        campaign = session("GET", f"/campaigns/{campaign_id}")
        return campaign if campaign["status"] == "stop" else None

    found: dict[str, Any] = wait_for(stopped, seconds=60, what="the end of the campaign")
    return found


def test_01_literal_guide_session_runs_to_finished(session: Session) -> None:
    parts = prepare(session, "+19990000101")
    campaign = session(
        "POST",
        "/campaigns",
        {"name": "Customer Survey Q1", "detail": "Quarterly satisfaction survey", "type": "call",
         "service_level": 80, "end_handle": "stop", "outdial_id": parts["outdial_id"],
         "outplan_id": parts["outplan_id"], "queue_id": parts["queue_id"],
         "flow_id": parts["flow_id"], "source": "+15551234567"},
    )  # fmt: skip
    assert campaign["status"] == "stop"
    started = session("PUT", f"/campaigns/{campaign['id']}", {"status": "running"})
    assert started["status"] == "run"
    ended = finish(session, campaign["id"])
    assert (ended["status"], ended["state"]) == ("stop", "finished")
    calls = session("GET", f"/campaigns/{campaign['id']}/campaigncalls")["result"]
    assert [call["result"] for call in calls] == ["success"]
    assert calls[0]["source"]["target"] == "+15551234567"
    assert calls[0]["reference_type"] == "call"
    assert calls[0]["reference_id"] == calls[0]["id"]
    listed = session("GET", "/campaigns")["result"]
    assert campaign["id"] in [each["id"] for each in listed]


def test_02_literal_specification_session_runs_by_put_status(session: Session) -> None:
    parts = prepare(session, "+19990000102")
    campaign = session("POST", "/campaigns", tutorial_body(parts))
    assert (
        session("PUT", f"/campaigns/{campaign['id']}/status", {"status": "run"})["status"] == "run"
    )
    assert finish(session, campaign["id"])["state"] == "finished"


def test_03_put_running_leaves_the_other_members_as_they_were(session: Session) -> None:
    parts = prepare(session, "+19990000103")
    body = {**tutorial_body(parts), "service_level": 80, "end_handle": "continue"}
    campaign = session("POST", "/campaigns", body)
    started = session("PUT", f"/campaigns/{campaign['id']}", {"status": "running"})
    for member in ("name", "detail", "type", "service_level", "end_handle", "actions"):
        assert started[member] == campaign[member]
    session("PUT", f"/campaigns/{campaign['id']}", {"status": "stop"})
    finish(session, campaign["id"])


def test_04_creation_and_list_have_the_guides_members_and_formats(session: Session) -> None:
    parts = prepare(session, "+19990000104")
    campaign = session("POST", "/campaigns", tutorial_body(parts))
    assert campaign.keys() >= CAMPAIGN_MEMBERS
    assert campaign["actions"] == [
        {"id": NIL, "next_id": NIL, "type": "talk", "option": {"text": TEXT, "language": "en-US"}}
    ]
    assert GUIDE_TIME.fullmatch(campaign["tm_create"])
    assert (campaign["tm_update"], campaign["tm_delete"]) == (NEVER, NEVER)
    assert campaign["next_campaign_id"] == NIL
    page = session("GET", "/campaigns")
    assert page.keys() == {"result", "next_page_token"}
    assert page["result"][0] == campaign
    assert GUIDE_TIME.fullmatch(page["next_page_token"])
    assert session("GET", f"/campaigns/{campaign['id']}") == campaign


def test_04_campaigncall_has_the_guides_members(session: Session) -> None:
    parts = prepare(session, "+19990000105")
    campaign = session("POST", "/campaigns", tutorial_body(parts))
    session("PUT", f"/campaigns/{campaign['id']}/status", {"status": "run"})
    finish(session, campaign["id"])
    (call,) = session("GET", f"/campaigns/{campaign['id']}/campaigncalls")["result"]
    assert call.keys() >= CAMPAIGNCALL_MEMBERS
    assert call["source"].keys() == ADDRESS_MEMBERS == call["destination"].keys()
    assert (call["status"], call["result"]) == ("done", "success")
    assert (call["destination_index"], call["try_count"]) == (0, 1)
    assert GUIDE_TIME.fullmatch(call["tm_create"])
    assert GUIDE_TIME.fullmatch(call["tm_update"])
    for name in ("outplan_id", "outdial_id", "queue_id"):
        assert call[name] == parts[name]
    assert session("GET", f"/campaigncalls/{call['id']}") == call


def test_rfc3339_times_on_request_and_never_mixed(session: Session, stack: RunningStack) -> None:
    parts = prepare(session, "+19990000106")
    campaign = session("POST", "/campaigns", tutorial_body(parts))
    with stack.http() as http:
        answer = http.get(
            f"/campaigns/{campaign['id']}",
            params={"time_format": "rfc3339", "accesskey": stack.access_key},
        )
    body = answer.json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", body["tm_create"])
    assert body["tm_update"] is None
    assert body["tm_delete"] is None
