"""Every resource: documented words and bodies in, documented objects out."""

from __future__ import annotations

import uuid

import pytest
from outbound.dialer.v1 import dialer_service_pb2 as dialer_pb
from outbound.queue.v1 import queue_service_pb2 as queue_pb

from tests.integration.gateway.conftest import System

NIL = str(uuid.UUID(int=0))


async def test_put_is_a_merge_and_null_means_unchanged(system: System) -> None:
    made = await system.ok("POST", "/campaigns", {"name": "a", "detail": "d", "service_level": 50})
    path = f"/campaigns/{made['id']}"
    changed = await system.ok("PUT", path, {"name": "b", "detail": None, "unknown": [1]})
    assert (changed["name"], changed["detail"], changed["service_level"]) == ("b", "d", 50)
    again = await system.ok("PUT", path, {**changed, "name": ""})
    assert (again["name"], again["service_level"]) == ("", 50)


async def test_the_whole_object_can_be_sent_back(system: System) -> None:
    made = await system.ok("POST", "/campaigns", {"name": "a", "source": "+15551234567"})
    sent_back = await system.ok("PUT", f"/campaigns/{made['id']}", made)
    assert sent_back == {**made, "tm_update": sent_back["tm_update"], "stop_reason": "user"}


@pytest.mark.parametrize("path", ["", "/status"])
@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("run", "run"),
        ("running", "run"),
        ("start", "run"),
        ("stop", "stop"),
        ("stopped", "stop"),
        ("stopping", "stop"),
    ],
)
async def test_every_documented_status_word_works_on_both_routes(
    system: System, path: str, word: str, status: str
) -> None:
    made = await system.ok("POST", "/campaigns", {"name": "a"})
    changed = await system.ok("PUT", f"/campaigns/{made['id']}{path}", {"status": word})
    assert changed["status"] == status


async def test_members_and_status_go_out_as_one_update(system: System) -> None:
    made = await system.ok("POST", "/campaigns", {"name": "a"})
    system.backends.asked.clear()
    body = {"name": "b", "status": "run", "mode": "cancel"}
    await system.ok("PUT", f"/campaigns/{made['id']}", body)
    assert system.backends.asked == ["UpdateCampaign"]


async def test_single_member_routes_of_campaigns(system: System) -> None:
    made = await system.ok("POST", "/campaigns", {})
    path = f"/campaigns/{made['id']}"
    outdial = (await system.ok("POST", "/outdials", {}))["id"]
    assert (await system.ok("PUT", f"{path}/service_level", {"service_level": 7}))[
        "service_level"
    ] == 7
    actions = [{"id": str(uuid.uuid4()), "type": "set_variables", "option": {"key": "k"}}]
    changed = await system.ok("PUT", f"{path}/actions", {"actions": actions})
    assert changed["actions"] == [{**actions[0], "next_id": NIL}]
    assert (await system.ok("PUT", f"{path}/actions", {"actions": []}))["actions"] == []
    changed = await system.ok("PUT", f"{path}/resource_info", {"outdial_id": outdial})
    assert changed["outdial_id"] == outdial
    for nothing in ("", NIL):
        await system.ok("PUT", f"{path}/resource_info", {"outdial_id": outdial})
        changed = await system.ok("PUT", f"{path}/resource_info", {"outdial_id": nothing})
        assert changed["outdial_id"] == NIL
    chained = await system.ok("PUT", f"{path}/next_campaign_id", {"next_campaign_id": made["id"]})
    assert chained["next_campaign_id"] == made["id"]
    assert (await system.ok("PUT", f"{path}/next_campaign_id", {}))["next_campaign_id"] == NIL


async def test_deleting_answers_with_the_object_and_hides_it_from_lists(system: System) -> None:
    made = await system.ok("POST", "/campaigns", {"name": "a"})
    deleted = await system.ok("DELETE", f"/campaigns/{made['id']}")
    assert deleted["tm_delete"] != made["tm_delete"]
    assert await system.ok("GET", f"/campaigns/{made['id']}") == deleted
    assert (await system.ok("GET", "/campaigns"))["result"] == []


async def test_outplans(system: System) -> None:
    made = await system.ok("POST", "/outplans", {"name": "p"})
    assert [made[f"max_try_count_{index}"] for index in range(5)] == [1, 0, 0, 0, 0]
    assert made["calls_per_second"] is None
    path = f"/outplans/{made['id']}"
    for spelling in ("dial_info", "dials"):
        changed = await system.ok(
            "PUT",
            f"{path}/{spelling}",
            {"source": {"target": "+15551234567"}, "dial_timeout": 30000, "max_try_count_2": 4},
        )
        assert changed["source"]["target"] == "+15551234567"
        assert [changed[f"max_try_count_{index}"] for index in range(5)] == [1, 0, 4, 0, 0]
    cleared = await system.ok("PUT", path, {"source": "", "calls_per_second": 2.5})
    assert (cleared["source"], cleared["calls_per_second"]) == (None, 2.5)
    zeros = {f"max_try_count_{index}": 0 for index in range(5)}
    assert (await system.ok("POST", "/outplans", zeros))["max_try_count_0"] == 0


async def test_outdials_and_targets(system: System) -> None:
    outdial = await system.ok("POST", "/outdials", {"name": "o", "data": {"list": "a"}})
    assert outdial["data"] == '{"list":"a"}'
    path = f"/outdials/{outdial['id']}"
    campaign = (await system.ok("POST", "/campaigns", {}))["id"]
    bound = await system.ok("PUT", f"{path}/campaign_id", {"campaign_id": campaign})
    assert bound["campaign_id"] == campaign
    assert (await system.ok("PUT", f"{path}/campaign_id", {}))["campaign_id"] == NIL
    assert (await system.ok("PUT", f"{path}/data", {"data": "x"}))["data"] == "x"

    body = {"name": "t", "destination_0": {"target": ""}, "destination_1": "+15551234567"}
    target = await system.ok("POST", f"{path}/targets", body)
    assert target["destination_0"] is None
    assert target["destination_1"]["target"] == "+15551234567"
    assert (target["status"], target["result"], target["try_count_4"]) == ("idle", "", 0)
    assert target["tm_update"] == target["tm_create"]
    one = f"{path}/targets/{target['id']}"
    changed = await system.ok("PUT", one, {"destination_1": "", "destination_4": "+15550000000"})
    assert changed["destination_1"] is None
    assert changed["destination_4"]["target"] == "+15550000000"
    assert (await system.ok("POST", f"{one}/reset"))["id"] == target["id"]
    listed = await system.ok("GET", f"{path}/targets", params={"status": "done"})
    assert listed["result"] == []
    assert (await system.ok("DELETE", one))["tm_delete"] > target["tm_create"]

    other = (await system.ok("POST", "/outdials", {}))["id"]
    error = await system.refused(400, "GET", f"/outdials/{other}/targets/{target['id']}")
    assert error["reason"] == "INVALID_ARGUMENT"


async def test_targets_in_batches(system: System) -> None:
    path = f"/outdials/{(await system.ok('POST', '/outdials', {}))['id']}/targets"
    several = [{"name": str(number), "destination_0": "+15551234567"} for number in range(3)]
    for form in (several, {"targets": several}):
        made = await system.ok("POST", f"{path}:batch", form)
        assert [each["name"] for each in made["result"]] == ["0", "1", "2"]
    assert len((await system.ok("POST", path, several))["result"]) == 3
    error = await system.refused(400, "POST", path, [*several, {"name": 1}])
    assert "[3].name" in error["message"]
    assert (await system.refused(400, "POST", path, []))["reason"] == "INVALID_ARGUMENT"
    await system.refused(400, "POST", f"{path}:batch", [several[0]] * 1001)


async def test_queues_with_inline_wait_actions(system: System) -> None:
    actions = [{"type": "play", "option": {"stream_urls": ["http://example/a.wav"]}}]
    queue = await system.ok("POST", "/queues", {"name": "q", "wait_actions": actions})
    flow = await system.ok("GET", f"/flows/{queue['wait_flow_id']}")
    assert flow["actions"][0]["type"] == "play"
    path = f"/queues/{queue['id']}"
    tag = (await system.ok("POST", "/tags", {"name": "t"}))["id"]
    assert (await system.ok("PUT", f"{path}/tag_ids", {"tag_ids": [tag]}))["tag_ids"] == [tag]
    assert (await system.ok("PUT", f"{path}/tag_ids", {"tag_ids": []}))["tag_ids"] == []
    changed = await system.ok("PUT", f"{path}/routing_method", {"routing_method": "random"})
    assert changed["routing_method"] == "random"

    system.backends.asked.clear()
    bad = {"routing_method": "nearest", "wait_actions": actions}
    error = await system.refused(400, "POST", "/queues", bad)
    assert error["reason"] == "INVALID_ROUTING_METHOD"
    assert system.backends.asked == ["CreateFlow", "CreateQueue", "DeleteFlow"]


@pytest.mark.parametrize("spelling", ["direct-hash-regenerate", "direct_hash_regenerate"])
@pytest.mark.parametrize("resource", ["queues", "flows", "agents"])
async def test_direct_hashes(system: System, resource: str, spelling: str) -> None:
    body = {"username": "a@b", "password": "12345678"} if resource == "agents" else {}
    made = await system.ok("POST", f"/{resource}", body)
    assert made["direct_hash"] == ""
    path = f"/{resource}/{made['id']}"
    hashes = [(await system.ok("POST", f"{path}/{spelling}"))["direct_hash"] for _ in range(2)]
    assert all(hashes)
    assert hashes[0] != hashes[1]
    assert (await system.ok("GET", path))["direct_hash"] == hashes[1]
    listed = (await system.ok("GET", f"/{resource}"))["result"]
    assert hashes[1] in [each["direct_hash"] for each in listed]


async def test_agents(system: System) -> None:
    body = {"username": "a@example.com", "password": "12345678", "addresses": ["+15551234567"]}
    agent = await system.ok("POST", "/agents", {**body, "ring_method": "linear"})
    assert (agent["status"], agent["permission"]) == ("offline", 16)
    assert "password" not in agent
    path = f"/agents/{agent['id']}"
    assert (await system.ok("PUT", f"{path}/status", {"status": "available"}))["status"] == (
        "available"
    )
    assert (await system.ok("PUT", f"{path}/addresses", {"addresses": []}))["addresses"] == []
    assert (await system.ok("PUT", f"{path}/permission", {"permission": 64}))["permission"] == 64
    error = await system.refused(409, "POST", "/agents", body)
    assert (error["status"], error["reason"]) == ("ALREADY_EXISTS", "AGENT_ALREADY_EXISTS")
    listed = await system.ok("GET", f"/agents?tag_ids={uuid.uuid4()},{uuid.uuid4()}&status=away")
    assert "result" in listed


async def test_an_agent_changes_itself_and_nobody_else(system: System) -> None:
    made = [
        await system.ok(
            "POST", "/agents", {"username": f"{name}@example.com", "password": "12345678"}
        )
        for name in ("one", "two")
    ]
    login = {"username": "one@example.com", "password": "12345678"}
    token = (await system.ok("POST", "/auth/login", login, headers={}))["token"]
    system.http.cookies.clear()
    own = {"headers": {"Authorization": f"Bearer {token}"}}
    first, second = (f"/agents/{each['id']}" for each in made)
    assert (await system.ok("GET", first, **own))["username"] == "one@example.com"
    assert (await system.ok("PUT", f"{first}/status", {"status": "away"}, **own))[
        "status"
    ] == "away"
    await system.ok("PUT", f"{first}/password", {"password": "new password"}, **own)
    for method, path, body in (
        ("GET", second, None),
        ("PUT", f"{second}/status", {"status": "away"}),
        ("PUT", f"{second}/password", {"password": "new password"}),
        ("PUT", f"{first}/permission", {"permission": 32}),
        ("GET", "/campaigns", None),
        ("GET", "/accesskeys", None),
    ):
        error = await system.refused(403, method, path, body, **own)
        assert error["reason"] == "PERMISSION_DENIED"


async def test_a_manager_gives_no_more_than_agent_permissions(system: System) -> None:
    body = {"username": "m@example.com", "password": "12345678", "permission": 64}
    await system.ok("POST", "/agents", body)
    token = (
        await system.ok(
            "POST", "/auth/login", {"username": "m@example.com", "password": "12345678"}, headers={}
        )
    )["token"]
    system.http.cookies.clear()
    own = {"headers": {"Authorization": f"Bearer {token}"}}
    await system.ok("GET", "/campaigns", **own)
    more = {"username": "n@example.com", "password": "12345678", "permission": 32}
    await system.refused(403, "POST", "/agents", more, **own)


async def test_calls_activeflows_and_queuecalls(system: System) -> None:
    customer = (await system.ok("GET", "/customer"))["id"]
    call = dialer_pb.Call(id=str(uuid.uuid4()), customer_id=customer, status="progressing")
    call.tm_create.GetCurrentTime()
    system.backends.calls.rows[call.id] = call
    assert (await system.ok("GET", "/calls"))["result"][0]["id"] == call.id
    assert (await system.ok("POST", f"/calls/{call.id}/hangup"))["status"] == "hangup"
    assert (await system.ok("GET", f"/calls/{call.id}"))["status"] == "hangup"

    made = await system.ok(
        "POST", "/activeflows", {"actions": [{"type": "stop"}], "variables": {"a": "b"}}
    )
    assert (made["status"], made["variables"]) == ("running", {"a": "b"})
    assert (await system.ok("POST", f"/activeflows/{made['id']}/stop"))["status"] == "ended"
    chosen = str(uuid.uuid4())
    assert (await system.ok("POST", "/activeflows", {"id": chosen}))["id"] == chosen

    waiting = queue_pb.Queuecall(
        id=str(uuid.uuid4()), customer_id=customer, reference_id=call.id, reference_type="call"
    )
    waiting.status = queue_pb.Queuecall.STATUS_WAITING
    waiting.tm_create.GetCurrentTime()
    system.backends.queuecalls.rows[waiting.id] = waiting
    for path in (waiting.id, f"reference_id/{call.id}"):
        kicked = await system.ok("POST", f"/queuecalls/{path}/kick")
        assert (kicked["id"], kicked["status"]) == (waiting.id, "waiting")


async def test_access_keys(system: System) -> None:
    made = await system.ok("POST", "/accesskeys", {"name": "k", "expire": 86_400})
    assert made["token"].startswith("vb_")
    assert made["token_prefix"] == made["token"][:11]
    own = {"headers": {"Authorization": f"Bearer {made['token']}"}}
    assert (await system.ok("GET", "/me", **own))["name"] == "k"
    path = f"/accesskeys/{made['id']}"
    assert (await system.ok("GET", path))["token"] == ""
    assert (await system.ok("PUT", path, {"name": "n"}))["name"] == "n"
    assert [each["name"] for each in (await system.ok("GET", "/accesskeys"))["result"]] == [
        "n",
        "bootstrap",
    ]
    deleted = await system.ok("DELETE", path)
    assert deleted["tm_delete"] < "9999"
    await system.refused(401, "GET", "/me", **own)
    assert (await system.refused(409, "PUT", path, {"name": "m"}))["reason"] == "STATE_INVALID"
    error = await system.refused(400, "POST", "/accesskeys", {"expire": 86_399})
    assert "86400" in error["message"]
    # A known client sends an absolute epoch.
    await system.ok("POST", "/accesskeys", {"expire": 1_790_000_000})


async def test_customer(system: System) -> None:
    before = await system.ok("GET", "/customer")
    after = await system.ok("PUT", "/customer", {"name": "Acme", "email": "a@b"})
    assert after == {
        **before,
        "name": "Acme",
        "email": "a@b",
        "tm_update": after["tm_update"],
    }
