"""The documented examples, member for member."""

from __future__ import annotations

import re
from typing import Any

from outbound.campaign.v1 import campaign_service_pb2 as pb

from tests.integration.gateway.conftest import ACCESS_KEY, System

GUIDE_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")
SENTINEL = "9999-01-01 00:00:00.000000"
NIL = "00000000-0000-0000-0000-000000000000"
TALK = {
    "type": "talk",
    "option": {
        "text": "Hello. This is outbound campaign's test calling. Please wait until the agent "
        "answer the call. Thank you.",
        "language": "en-US",
    },
}
CAMPAIGN_MEMBERS = [
    "id",
    "type",
    "name",
    "detail",
    "status",
    "service_level",
    "end_handle",
    "actions",
    "outplan_id",
    "outdial_id",
    "queue_id",
    "next_campaign_id",
    "tm_create",
    "tm_update",
    "tm_delete",
]
CAMPAIGNCALL: dict[str, Any] = {
    "id": "56347901-5bb9-422d-add5-5a2ca47fa737",
    "campaign_id": "183c0d5c-691e-42f3-af2b-9bffc2740f83",
    "outplan_id": "d5fb7357-7ddb-4f2d-87b5-8ccbfd6c039e",
    "outdial_id": "40bea034-1d17-474d-a5de-da00d0861c69",
    "outdial_target_id": "f50b169d-ce02-4bc9-a6e7-bb632c71e450",
    "queue_id": "99bf739a-932f-433c-b1bf-103d33d7e9bb",
    "activeflow_id": "02aad54d-270e-43c7-82c5-bf42502c8bc6",
    "reference_type": "call",
    "reference_id": "a69189aa-7295-4c3a-b51f-df1dbbded5f6",
    "status": "done",
    "result": "success",
    "source": {
        "type": "tel",
        "target": "+15559876543",
        "target_name": "",
        "name": "",
        "detail": "",
    },
    "destination": {
        "type": "tel",
        "target": "+15559876543",
        "target_name": "",
        "name": "",
        "detail": "",
    },
    "destination_index": 0,
    "try_count": 1,
    "tm_create": "2022-04-29 07:01:45.808944",
    "tm_update": "2022-04-29 07:02:48.304704",
}


def headers() -> dict[str, Any]:
    return {"headers": {}, "params": {"token": ACCESS_KEY}}


async def prepared(system: System) -> dict[str, str]:
    made = {}
    for word in ("outplan", "outdial", "queue"):
        made[f"{word}_id"] = (
            await system.ok("POST", f"/v1.0/{word}s", {"name": f"test {word}"}, **headers())
        )["id"]
    return made


async def test_the_documented_create_answers_with_the_documented_members(system: System) -> None:
    body = {
        "name": "test campaign",
        "detail": "test campaign detail",
        "type": "call",
        "service_level": 100,
        "end_handle": "stop",
        "actions": [TALK],
        **await prepared(system),
    }
    made = await system.ok("POST", "/v1.0/campaigns", body, **headers())
    assert {name: made[name] for name in body if name != "actions"} == {
        name: value for name, value in body.items() if name != "actions"
    }
    assert set(CAMPAIGN_MEMBERS) <= set(made)
    assert made["status"] == "stop"
    assert made["actions"] == [{"id": NIL, "next_id": NIL, **TALK}]
    assert list(made["actions"][0]) == ["id", "next_id", "type", "option"]
    assert made["next_campaign_id"] == NIL
    assert GUIDE_TIME.fullmatch(made["tm_create"])
    assert (made["tm_update"], made["tm_delete"]) == (SENTINEL, SENTINEL)

    page = await system.ok("GET", "/v1.0/campaigns", **headers())
    assert page == {"result": [made], "next_page_token": made["tm_create"]}
    assert await system.ok("GET", f"/v1.0/campaigns/{made['id']}", **headers()) == made


async def test_the_overview_s_create_takes_flow_and_source_as_text(system: System) -> None:
    flow = await system.ok("POST", "/v1.0/flows", {"name": "f", "actions": [TALK]})
    body = {
        "name": "Customer Survey Q1",
        "service_level": 80,
        "flow_id": flow["id"],
        "source": "+15551234567",
    }
    made = await system.ok("POST", "/v1.0/campaigns", body)
    assert made["flow_id"] == flow["id"]
    assert made["source"]["target"] == "+15551234567"
    started = await system.ok("PUT", f"/v1.0/campaigns/{made['id']}", {"status": "running"})
    assert (started["status"], started["state"]) == ("run", "running")
    assert (started["name"], started["service_level"]) == ("Customer Survey Q1", 80)


async def test_the_documented_campaigncall_comes_out_member_for_member(system: System) -> None:
    customer = (await system.ok("GET", "/customer"))["id"]
    row = pb.Campaigncall(
        customer_id=customer,
        status=pb.Campaigncall.STATUS_DONE,
        result=pb.Campaigncall.RESULT_SUCCESS,
        reference_type=pb.Campaigncall.REFERENCE_TYPE_CALL,
        try_count=1,
    )
    for name in CAMPAIGNCALL:
        if name.endswith("id"):
            setattr(row, name, CAMPAIGNCALL[name])
    row.source.type = row.destination.type = "tel"
    row.source.target = row.destination.target = "+15559876543"
    row.tm_create.FromJsonString("2022-04-29T07:01:45.808944Z")
    row.tm_update.FromJsonString("2022-04-29T07:02:48.304704Z")
    system.backends.campaigncalls.rows[row.id] = row
    shown = await system.ok("GET", f"/v1.0/campaigncalls/{row.id}")
    assert {name: shown[name] for name in CAMPAIGNCALL} == CAMPAIGNCALL
    newer = await system.ok("GET", f"/v1.0/campaigncalls/{row.id}?time_format=rfc3339")
    assert newer["tm_create"] == "2022-04-29T07:01:45.808944Z"
    assert newer["tm_delete"] is None


async def test_times_are_never_mixed_and_pages_go_on_in_either_form(system: System) -> None:
    names = ["one", "two", "three"]
    for name in names:
        await system.ok("POST", "/outdials", {"name": name})
    for form in ("guide", "rfc3339"):
        seen: list[str] = []
        token = ""
        while True:
            page = await system.ok(
                "GET",
                "/outdials",
                params={"page_size": 2, "page_token": token, "time_format": form},
            )
            if not page["result"]:
                assert page["next_page_token"] == ""
                break
            seen += [each["name"] for each in page["result"]]
            token = page["next_page_token"]
            # The token always has six digits, RFC 3339 times are cut after their last one.
            assert token.rstrip("0Z") == page["result"][-1]["tm_create"].rstrip("0Z")
            assert ("T" in token) == (form == "rfc3339")
        assert seen == names[::-1]
    answer = await system.http.get(
        "/outdials",
        headers={"Authorization": f"Bearer {ACCESS_KEY}", "Accept-Profile": "rfc3339"},
    )
    assert answer.json()["result"][0]["tm_delete"] is None
