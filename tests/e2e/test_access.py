"""Every route of the gateway's own table, tried with every kind of credential.

A route that is added is tried without anybody's doing, and fails until WHO says who may use it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest

from gateway.routes import Route
from gateway.table import ROUTES
from tests.fixtures.stack import RunningStack
from tests.support.customers import agent_token, expired_key, second_customer
from tests.support.scenario import make_scenario, run, wait_finished
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]

AGENT, ADMIN, MANAGER = 16, 32, 64
NOBODY = "0198a000-0000-7000-8000-0000000000fe"

WHO: dict[str, set[int]] = {
    "staff": {ADMIN, MANAGER},
    "admin": {ADMIN},
    "everyone": {0, AGENT, ADMIN, MANAGER},
    # Besides the agent itself.
    "own agent or staff": {ADMIN, MANAGER},
    "own agent or admin": {ADMIN},
}
"""Which permission bits let an agent of the customer use a route on things that are not its own."""

PUBLIC = {"GET /ping", "GET /health", "GET /openapi.json", "GET /docs", "POST /auth/login"}
STAFF = {
    "activeflows", "calls", "campaigncalls", "campaigns", "flows", "outdials", "outplans",
    "queuecalls", "queues", "recordingfiles", "recordings", "tags",
}  # fmt: skip
"""First words of the paths that are all for administrators and managers."""
OTHERS = {
    "GET /agents": "staff",
    "POST /agents": "staff",
    "DELETE /agents/{id}": "staff",
    "PUT /agents/{id}/addresses": "staff",
    "PUT /agents/{id}/tag_ids": "staff",
    "PUT /agents/{id}/permission": "admin",
    "PUT /agents/{id}/password": "own agent or admin",
    "GET /agents/{id}": "own agent or staff",
    "PUT /agents/{id}": "own agent or staff",
    "PUT /agents/{id}/status": "own agent or staff",
    "POST /agents/{id}/direct-hash-regenerate": "own agent or staff",
    "GET /accesskeys": "admin",
    "POST /accesskeys": "admin",
    "GET /accesskeys/{id}": "admin",
    "PUT /accesskeys/{id}": "admin",
    "DELETE /accesskeys/{id}": "admin",
    "GET /customer": "everyone",
    "PUT /customer": "admin",
    "GET /me": "everyone",
}


def label(route: Route) -> str:
    return f"{route.method} {route.path}"


def who(route: Route) -> str:
    """Who may use a route, as declared above."""
    is_staffs = route.path.split("/")[1] in STAFF
    assert not (is_staffs and label(route) in OTHERS), f"{label(route)} is declared twice"
    found = "staff" if is_staffs else OTHERS.get(label(route))
    assert found, f"{label(route)} is new: say in this file who may use it"
    return found


_TARGET = {"destination_0": {"target": "+19990007003"}}
BODIES: dict[str, Any] = {
    "POST /outdials/{id}/targets": _TARGET,
    "POST /outdials/{id}/targets:batch": {"targets": [_TARGET]},
}
"""Bodies of which a schema does not tell all."""

PRIVATE = [route for route in ROUTES if label(route) not in PUBLIC]
NAMED = [route for route in PRIVATE if "{" in route.path]
each_private = pytest.mark.parametrize("route", PRIVATE, ids=label)
each_named = pytest.mark.parametrize("route", NAMED, ids=label)


@dataclass(frozen=True)
class World:
    """A customer with one thing of everything, and others who want it."""

    http: httpx.Client
    own_key: str
    other_key: str
    refused: dict[str, str]
    agents: dict[int, tuple[str, str]]
    things: dict[str, str]

    def path(self, route: Route, name: str = "") -> str:
        """The route's path to the customer's own thing, or to `name`."""
        kind = route.path.split("/")[1]
        words = {"target_id": "targets", "import_id": "imports"}
        # Named by the call that waits, not by its own id.
        kind = "calls" if "/reference_id/" in route.path else kind
        ids = {
            part[1:-1]: name or self.things[words.get(part[1:-1], kind)]
            for part in route.path.split("/")
            if part.startswith("{")
        }
        return route.path.format(**ids)

    def send(self, route: Route, path: str, credential: str = "", **more: Any) -> httpx.Response:
        """A well-formed request, so that nothing but the credential can be wrong with it."""
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        if route.body_media:
            headers["Content-Type"] = route.body_media[0]
            more = {"content": b"phone\n+19990007009\n"}
        elif route.body is not None and not more:
            more = {"json": BODIES.get(label(route)) or example(route.body.schema)}
        return self.http.request(route.method, path, headers=headers, **more)

    def everything(self) -> dict[str, str]:
        """All that is asked for in vain, as it is now."""
        own = {"Authorization": f"Bearer {self.own_key}"}
        found = {}
        for route in NAMED:
            # Events go on for ever, and of statistics some are an age.
            if route.method == "GET" and not route.path.endswith(("/events", "/stats")):
                answer = self.http.get(self.path(route), headers=own)
                assert answer.status_code == (404 if NOBODY in self.path(route) else 200)
                if answer.status_code == 200:
                    found[label(route)] = answer.text
        return found


def example(schema: dict[str, Any]) -> Any:
    """The smallest value that a schema without references accepts."""
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example(schema["anyOf"][0])
    kind = schema.get("type", "object")
    if kind == "object":
        members = schema.get("properties", {})
        return {name: example(members[name]) for name in schema.get("required", ())}
    if kind == "string":
        return "x" * schema.get("minLength", 0)
    return {"array": [], "integer": schema.get("minimum", 0), "boolean": False}[kind]


@pytest.fixture(scope="module")
def world(stack: RunningStack) -> Iterator[World]:
    with stack.client() as client, stack.http() as http:
        other_key = second_customer(stack)
        deleted = client.post("/accesskeys", {"name": "deleted", "expire": 86_400})
        http.delete(f"/accesskeys/{deleted['id']}", params={"token": stack.access_key})
        stranger = {"iss": "outbound-gateway", "sub": NOBODY, "customer": NOBODY, "exp": 2**40}
        refused = {
            "none": "",
            "unknown key": "vb_" + "u" * 32,
            "expired key": expired_key(stack, client),
            "deleted key": deleted["token"],
            "forged token": jwt.encode(stranger, "k" * 32, algorithm="HS256"),
            "unsigned token": jwt.encode(stranger, "", algorithm="none"),
            "nonsense": "x" * 9000,
        }
        agents = {bits: agent_token(stack, client, bits) for bits in (0, AGENT, ADMIN, MANAGER)}
        yield World(http, stack.access_key, other_key, refused, agents, make_things(stack))


def make_things(stack: RunningStack) -> dict[str, str]:
    """One of everything that has an id, by the first word of its path."""
    with stack.client() as client:
        scenario = make_scenario(client, ["+19990007001"], agents=1, end_handle="stop")
        run(client, scenario)
        wait_finished(client, scenario.campaign_id)
        attempt = next(client.pages(f"/campaigns/{scenario.campaign_id}/campaigncalls"))
        queuecalls = client.pages("/queuecalls")
        (queuecall,) = (each for each in queuecalls if each["queue_id"] == scenario.queue_id)
        wait_for(
            lambda: client.get(f"/agents/{scenario.agent_ids[0]}")["status"] == "available",
            "the end of the wrap-up",
        )
        outdial = scenario.outdial_id
        upload = client.upload(
            f"/outdials/{outdial}/targets/import",
            [b"phone\n+19990007002\nnonsense\n"],
            kind="text/csv",
            key=uuid.uuid4().hex,
        )
        key = client.post("/accesskeys", {"name": "access", "expire": 86_400})
        return {
            "accesskeys": key["id"],
            "activeflows": attempt["activeflow_id"],
            "agents": scenario.agent_ids[0],
            "calls": attempt["reference_id"],
            "campaigncalls": attempt["id"],
            "campaigns": scenario.campaign_id,
            "flows": client.post("/flows", {"name": "access", "actions": []})["id"],
            "imports": upload["import_id"],
            "outdials": outdial,
            "outplans": scenario.outplan_id,
            "queuecalls": queuecall["id"],
            "queues": scenario.queue_id,
            # The simulated network makes none: nobody's are anybody's.
            "recordingfiles": NOBODY,
            "recordings": NOBODY,
            "tags": client.post("/tags", {"name": f"access {uuid.uuid4().hex[:8]}"})["id"],
            "targets": next(client.pages(f"/outdials/{outdial}/targets"))["id"],
        }


@pytest.fixture(scope="module", autouse=True)
def nothing_has_changed(world: World) -> Iterator[None]:
    """Whatever was tried by those who may not, the customer has what it had."""
    before = world.everything()
    yield
    assert world.everything() == before


def test_public_routes_are_those_named_here() -> None:
    assert {label(route) for route in ROUTES if route.is_public} == PUBLIC
    assert {label(route) for route in PRIVATE} >= OTHERS.keys(), "a route is gone"


@each_private
def test_without_a_valid_credential_nothing_is_answered(world: World, route: Route) -> None:
    for path in (route.path, *route.aliases):
        given = path.format(**dict.fromkeys(("id", "target_id", "import_id"), NOBODY))
        for prefix in ("", "/v1.0"):
            for name, credential in world.refused.items():
                answer = world.send(route, f"{prefix}{given}", credential)
                assert answer.status_code == 401, (path, name, answer.text)
                assert answer.json()["error"]["status"] == "UNAUTHENTICATED"
    if route.method == "GET":
        assert world.http.head(world.path(route)).status_code == 401


@each_named
def test_another_customers_thing_is_refused(world: World, route: Route) -> None:
    answer = world.send(route, world.path(route), world.other_key)
    missing = NOBODY in world.path(route)
    assert answer.status_code == (404 if missing else 403), answer.text
    reason = answer.json()["error"]["reason"]
    assert reason.endswith("NOT_FOUND") if missing else reason == "PERMISSION_DENIED"
    # The refusal tells nothing that was not in the request. (A queuecall's id is made of its call's.)
    told = {NOBODY, *world.path(route).split("/")}
    told |= {world.things["queuecalls"]} if "/reference_id/" in route.path else set()
    assert not [each for each in set(world.things.values()) - told if each in answer.text]


@pytest.mark.parametrize(
    "route", [route for route in PRIVATE if route.method == "GET" and route not in NAMED], ids=label
)
def test_lists_have_nothing_of_another_customer(world: World, route: Route) -> None:
    queries = [{}, *({field.name: world.things[word]} for field, word in filters_of(route))]
    for query in queries:
        headers = {"Authorization": f"Bearer {world.other_key}"}
        answer = world.http.get(route.path, params=query, headers=headers)
        assert answer.status_code in (200, 403), answer.text
        shown = [each for each in world.things.values() if each in answer.text]
        # An error may repeat what was asked for.
        assert set(shown) <= set(query.values()), (query, answer.text)
        assert answer.status_code == 403 or not answer.json().get("result") or not query


def filters_of(route: Route) -> Iterator[tuple[Any, str]]:
    """The parameters of a list that name things."""
    words = {"campaign_id": "campaigns", "reference_id": "calls", "tag_ids": "tags"}
    return ((field, words[field.name]) for field in route.query if field.name in words)


@each_private
@pytest.mark.parametrize("bits", [0, AGENT, ADMIN, MANAGER])
def test_permissions_allow_what_they_should_and_nothing_else(
    world: World, route: Route, bits: int
) -> None:
    token, agent_id = world.agents[bits]
    allowed = bits in WHO[who(route)]
    if not allowed:
        answer = world.send(route, world.path(route), token)
        assert answer.status_code == 403, answer.text
    else:
        # What is asked for does not exist, or the body is none: allowed, but nothing happens.
        broken = {"content": b"{"} if route.body is not None and route not in NAMED else {}
        answer = world.send(route, world.path(route, NOBODY), token, **broken)
        accepted = (400, 404) if broken or route in NAMED else (200,)
        assert answer.status_code in accepted, answer.text
    if who(route).startswith("own agent"):
        answer = world.send(route, world.path(route, agent_id), token)
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("path", "member", "word"),
    [
        ("/campaigns", "outplan_id", "outplans"),
        ("/campaigns", "outdial_id", "outdials"),
        ("/campaigns", "queue_id", "queues"),
        ("/campaigns", "flow_id", "flows"),
        ("/campaigns", "next_campaign_id", "campaigns"),
        ("/outdials", "campaign_id", "campaigns"),
        ("/activeflows", "flow_id", "flows"),
        ("/queues", "wait_flow_id", "flows"),
        ("/queues", "tag_ids", "tags"),
        ("/agents", "tag_ids", "tags"),
    ],
)
def test_a_body_cannot_reach_for_another_customers_thing(
    world: World, path: str, member: str, word: str
) -> None:
    stolen: Any = world.things[word]
    name = f"{uuid.uuid4().hex[:12]}@thief.local"
    body: dict[str, Any] = {"name": name, member: [stolen] if member == "tag_ids" else stolen}
    if path == "/agents":
        body |= {"username": name, "password": "long enough"}
    headers = {"Authorization": f"Bearer {world.other_key}"}
    answer = world.http.post(path, json=body, headers=headers)
    assert answer.status_code in (400, 403, 404, 409), answer.text


def test_a_manager_gives_nobody_more_than_it_has(world: World) -> None:
    token, own_id = world.agents[MANAGER]
    headers = {"Authorization": f"Bearer {token}"}
    login = {"username": f"{uuid.uuid4().hex[:12]}@login.local", "password": "long enough"}
    for bits in (ADMIN, MANAGER, ADMIN | AGENT):
        made = world.http.post("/agents", json={**login, "permission": bits}, headers=headers)
        assert made.status_code == 403, made.text
        path = f"/agents/{own_id}/permission"
        given = world.http.put(path, json={"permission": bits}, headers=headers)
        assert given.status_code == 403, given.text


def test_a_key_in_any_place_is_judged_alike(world: World) -> None:
    for credential, code in ((world.own_key, 200), (world.refused["expired key"], 401)):
        for place in ("token", "accesskey"):
            assert world.http.get("/me", params={place: credential}).status_code == code
            cookie = {"Cookie": f"{place}={credential}"}
            assert world.http.get("/me", headers=cookie).status_code == code
