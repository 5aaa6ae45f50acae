"""What is refused, how, and that the envelope says what is accepted."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from gateway.admin import create_customer
from gateway.app import open_administration
from services.common.clock import SystemClock
from services.common.errors import Internal, Unavailable
from tests.integration.gateway.conftest import ACCESS_KEY, System

SOMEBODY = "0198a000-0000-7000-8000-00000000000c"


@pytest.mark.parametrize("prefix", ["", "/v1.0"])
@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ("campaigns", "CAMPAIGN_NOT_FOUND"),
        ("campaigncalls", "CAMPAIGNCALL_NOT_FOUND"),
        ("outplans", "OUTPLAN_NOT_FOUND"),
        ("outdials", "OUTDIAL_NOT_FOUND"),
        ("queues", "QUEUE_NOT_FOUND"),
        ("queuecalls", "QUEUECALL_NOT_FOUND"),
        ("agents", "AGENT_NOT_FOUND"),
        ("tags", "TAG_NOT_FOUND"),
        ("flows", "FLOW_NOT_FOUND"),
        ("activeflows", "ACTIVEFLOW_NOT_FOUND"),
        ("calls", "CALL_NOT_FOUND"),
        ("accesskeys", "ACCESSKEY_NOT_FOUND"),
    ],
)
async def test_unknown_and_malformed_ids(
    system: System, prefix: str, resource: str, reason: str
) -> None:
    error = await system.refused(404, "GET", f"{prefix}/{resource}/{SOMEBODY}")
    assert (error["status"], error["reason"]) == ("NOT_FOUND", reason)
    for malformed in ("x", str(uuid.UUID(int=0)), SOMEBODY.replace("-", "")):
        error = await system.refused(400, "GET", f"{prefix}/{resource}/{malformed}")
        assert (error["status"], error["reason"]) == ("INVALID_ARGUMENT", "INVALID_ID")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("PATCH", "/v1.0/campaigns"),
        ("DELETE", "/campaigns"),
        ("GET", "/campaigns/"),
        ("GET", "/"),
        ("GET", "/v1.0"),
        ("OPTIONS", "/nothing"),
    ],
)
async def test_unknown_routes_are_404(system: System, method: str, path: str) -> None:
    error = await system.refused(404, method, path)
    assert error["reason"] == "ROUTE_NOT_FOUND"


@pytest.mark.parametrize(
    ("path", "body", "reason", "named"),
    [
        ("/campaigns", [], "INVALID_JSON_BODY", "body"),
        ("/campaigns", "text", "INVALID_JSON_BODY", "body"),
        ("/campaigns", {"name": 5}, "INVALID_JSON_BODY", "name"),
        ("/campaigns", {"service_level": "5"}, "INVALID_JSON_BODY", "service_level"),
        ("/campaigns", {"service_level": 5.5}, "INVALID_JSON_BODY", "service_level"),
        ("/campaigns", {"service_level": True}, "INVALID_JSON_BODY", "service_level"),
        ("/campaigns", {"service_level": 0}, "INVALID_ARGUMENT", "service_level"),
        ("/campaigns", {"service_level": 10**30}, "INVALID_ARGUMENT", "service_level"),
        ("/campaigns", {"name": "n" * 256}, "INVALID_ARGUMENT", "name"),
        ("/campaigns", {"name": "a\x00b"}, "INVALID_ARGUMENT", "name"),
        ("/campaigns", {"type": "fax"}, "INVALID_ARGUMENT", "type"),
        ("/campaigns", {"end_handle": "loop"}, "INVALID_ARGUMENT", "end_handle"),
        ("/campaigns", {"outplan_id": "nope"}, "INVALID_ARGUMENT", "outplan_id"),
        ("/campaigns", {"actions": [{"option": {}}]}, "INVALID_ARGUMENT", "actions[0].type"),
        (
            "/campaigns",
            {"actions": [{"type": "talk", "option": []}]},
            "INVALID_JSON_BODY",
            "option",
        ),
        ("/campaigns", {"actions": [{"type": "t"}] * 101}, "INVALID_ARGUMENT", "actions"),
        (
            "/campaigns",
            {"actions": [{"type": "t", "option": {"a": ["\x00"]}}]},
            "INVALID_ARGUMENT",
            "actions[0].option",
        ),
        ("/campaigns", {"source": 5}, "INVALID_JSON_BODY", "source"),
        ("/campaigns", {"source": {"target": 5}}, "INVALID_JSON_BODY", "source.target"),
        ("/outplans", {"dial_timeout": -1}, "INVALID_ARGUMENT", "dial_timeout"),
        ("/outplans", {"max_try_count_3": 101}, "INVALID_ARGUMENT", "max_try_count_3"),
        ("/queues", {"tag_ids": ["x"]}, "INVALID_ARGUMENT", "tag_ids[0]"),
        ("/agents", {"username": "a@b.c"}, "INVALID_ARGUMENT", "password"),
        ("/accesskeys", {}, "INVALID_ARGUMENT", "expire"),
        ("/activeflows", {"variables": {"a": 1}}, "INVALID_JSON_BODY", "variables.a"),
    ],
)
async def test_bad_members_are_named(
    system: System, path: str, body: Any, reason: str, named: str
) -> None:
    error = await system.refused(400, "POST", path, body)
    assert (error["status"], error["reason"]) == ("INVALID_ARGUMENT", reason)
    assert named in error["message"]
    assert named in error["details"][0]["field"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"nonsense", b'{"a":1}{"b":2}', b"\xff", b"[" * 5000]
)
async def test_what_is_not_json(system: System, content: bytes) -> None:
    error = await system.refused(400, "POST", "/campaigns", content=content)
    assert error["reason"] == "INVALID_JSON_BODY"


@pytest.mark.parametrize("query", ["page_size=abc", "page_token=abc", "time_format=unix"])
async def test_unreadable_parameters(system: System, query: str) -> None:
    # Lists of the gateway itself read the token here, those of services there.
    for path in ("/accesskeys", "/campaigns"):
        error = await system.refused(400, "GET", f"{path}?{query}")
        assert error["reason"] == "INVALID_REQUEST_PARAMETER"
        assert query.partition("=")[0] in error["message"]


@pytest.mark.parametrize("size", ["0", "-5", "101", "99999999999999999999", ""])
async def test_page_sizes_out_of_range_mean_the_default(system: System, size: str) -> None:
    assert (await system.ok("GET", f"/campaigns?page_size={size}"))["result"] == []


async def test_other_customers_objects_are_refused_with_403(system: System) -> None:
    made = {
        resource: await system.ok("POST", f"/{resource}", body)
        for resource, body in {
            "campaigns": {},
            "outplans": {},
            "outdials": {},
            "queues": {},
            "flows": {},
            "tags": {},
            "accesskeys": {"expire": 100_000},
            "agents": {"username": "x@example.com", "password": "12345678"},
        }.items()
    }
    async with open_administration(system.settings) as (accounts, upstreams):
        other = await create_customer(
            accounts, upstreams, SystemClock(), name="Other", username="other@example.com"
        )
    own = {"headers": {"Authorization": f"Bearer {other.access_key}"}}
    for resource, each in made.items():
        path = f"/{resource}/{each['id']}"
        for method, body in (("GET", None), ("PUT", {"name": "mine"}), ("DELETE", None)):
            error = await system.refused(403, method, path, body, **own)
            assert error["reason"] == "PERMISSION_DENIED"
        assert (await system.ok("GET", path))["name"] == each["name"]
    for path in ("stats", "events", "campaigncalls"):
        await system.refused(403, "GET", f"/campaigns/{made['campaigns']['id']}/{path}", **own)
    for resource in ("queues", "flows", "agents"):
        path = f"/{resource}/{made[resource]['id']}/direct-hash-regenerate"
        await system.refused(403, "POST", path, **own)
    assert (await system.ok("GET", "/campaigns", **own))["result"] == []
    login = {"username": other.username, "password": other.password}
    await system.ok("POST", "/auth/login", login, headers={})


async def test_bodies_larger_than_the_limit_are_413(system: System) -> None:
    large = {"name": "a", "detail": "x" * (1024 * 1024)}
    error = await system.refused(413, "POST", "/campaigns", large)
    assert (error["status"], error["reason"]) == ("INVALID_ARGUMENT", "REQUEST_TOO_LARGE")

    async def unannounced() -> Any:
        for _ in range(40):
            yield b"x" * 64 * 1024

    await system.refused(413, "POST", "/campaigns", content=unannounced())
    await system.ok("GET", "/campaigns")


async def test_request_ids_are_kept_when_they_have_the_form(system: System) -> None:
    for given, kept in (("my-id_1", True), ("x" * 65, False), ("a b", False)):
        answer = await system.http.get("/ping", headers={"X-Request-Id": given})
        assert (answer.headers["x-request-id"] == given) is kept
        assert kept or answer.headers["x-request-id"].startswith("req_")


async def test_ping_head_options_and_cors(system: System) -> None:
    answer = await system.http.get("/v1.0/ping", headers={"Origin": "https://example.com"})
    assert answer.json() == {"message": "pong"}
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    head = await system.http.head("/ping")
    assert (head.status_code, head.content) == (200, b"")
    options = await system.http.options("/v1.0/campaigns")
    assert options.status_code == 204
    assert options.headers["allow"] == "GET, POST, HEAD, OPTIONS"
    assert "Idempotency-Key" in options.headers["access-control-allow-headers"]


async def test_faults_of_a_service_leak_nothing(system: System) -> None:
    system.backends.fail["GetCampaign"] = lambda: Internal("secret details")
    error = await system.refused(500, "GET", f"/campaigns/{SOMEBODY}")
    assert (error["status"], error["message"]) == ("INTERNAL", "internal error")


async def test_a_busy_service_is_503_with_retry_after(system: System) -> None:
    system.backends.fail["UpdateCampaign"] = lambda: Unavailable("busy", retry_after=2.5)
    answer = await system.http.put(
        f"/campaigns/{SOMEBODY}",
        json={"name": "a"},
        headers={"Authorization": f"Bearer {ACCESS_KEY}"},
    )
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "3"
    assert answer.json()["error"]["status"] == "UNAVAILABLE"
    # A merge may have been applied before the answer was lost, so it is not sent again.
    assert system.backends.asked.count("UpdateCampaign") == 1


async def test_a_service_that_is_down_is_503_until_it_is_back(system: System) -> None:
    made = await system.ok("POST", "/campaigns", {"name": "a"})
    await system.processes.stop("campaign")
    error = await system.refused(503, "GET", "/campaigns")
    assert error["reason"] == "SERVICE_UNAVAILABLE"
    await system.ok("GET", "/outdials")
    await system.processes.start("campaign")
    async with asyncio.timeout(10):
        while True:
            answer = await system.http.get(f"/campaigns/{made['id']}?token={ACCESS_KEY}")
            if answer.status_code == 200:
                break
            assert answer.status_code == 503
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("host", ["[", "a b", "", "[::1", "x" * 300])
async def test_a_malformed_host_header_harms_nothing(system: System, host: str) -> None:
    for path, code in (("/ping", 200), ("/nothing", 404)):
        answer = await system.http.get(path, headers={"Host": host})
        assert answer.status_code == code


async def test_head_of_a_stream_does_not_stay(system: System) -> None:
    made = await system.ok("POST", "/campaigns", {})
    answer = await system.http.head(f"/campaigns/{made['id']}/events?token={ACCESS_KEY}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("levels", [100, 260, 1000, 5000])
async def test_json_that_is_nested_too_deep_is_refused_wherever_it_stands(
    system: System, levels: int
) -> None:
    outdial = await system.ok("POST", "/outdials", {})
    deep = "[" * levels + "]" * levels
    flow = f'{{"actions": [{{"type": "talk", "option": {{"text": "x", "note": {deep}}}}}]}}'
    data, name = f'{{"data": {deep}}}', f'{{"name": {deep}}}'
    headers = {"Authorization": f"Bearer {ACCESS_KEY}", "Content-Type": "application/json"}
    for path, content, field in (
        (f"/outdials/{outdial['id']}/targets", data, "data"),
        ("/outdials", data, "data"),
        ("/flows", flow, "actions[0].option"),
        ("/activeflows", flow, "actions[0].option"),
        ("/campaigns", name, "name"),
    ):
        answer = await system.http.post(path, content=content, headers=headers)
        assert answer.status_code == 400, (path, answer.text)
        if levels < 1024:
            assert field in answer.json()["error"]["message"]
