"""What the gateway documents is what the services accept: every bound, and not one more.

Each documented bound goes through the route's own handler and the real servicer to the service, whose
rules end where its first transaction begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from types import SimpleNamespace
from typing import Any, NoReturn, cast

import pytest
from outbound.common.v1 import action_pb2 as action_pb
from outbound.common.v1 import address_pb2 as address_pb
from starlette.requests import Request

from gateway.documents import ADDRESS
from gateway.identity import Identity, IdentityKind, Permission
from gateway.routes import Call, Route
from gateway.table import ROUTES
from gateway.timeforms import TimeForm
from services.campaign import app as campaign
from services.campaign.campaigns.domain_leases import RunLimits
from services.common.auth import Caller, Role, calling
from services.common.clock import ManualClock
from services.common.errors import InvalidArgument
from services.common.ids import new_id
from services.outdial import app as outdial
from services.queue import app as queue

CUSTOMER = new_id()
PATHS = {
    "/campaigns",
    "/outplans",
    "/flows",
    "/outdials",
    "/outdials/{id}/targets",
    "/outdials/{id}/targets:batch",
    "/queues",
    "/agents",
    "/tags",
}
WORDS = {("Queue", "routing_method")}
"""Texts that are one of several words: no longer one is accepted, whatever its length."""
NEEDED: dict[str, dict[str, Any]] = {
    "AgentCreate": {"username": "a@b", "password": "12345678"},
    "TargetInput": {"destination_0": address_pb.Address(type="tel", target="+15551234567")},
}
Case = tuple[Route, str, Any, bool]


class Accepted(Exception):
    """The service would begin its transaction now."""


class NoPasswords:
    """Hashes nothing."""

    async def hash(self, password: str) -> str:
        return ""


def begin() -> NoReturn:
    raise Accepted


def servicers() -> dict[str, Any]:
    clock, nothing = ManualClock(datetime(2026, 3, 2, tzinfo=UTC)), cast(Any, None)
    starts = cast(Any, begin)
    (_, campaigns), (_, outplans), (_, flows) = campaign.wire(
        begin=starts, outdials=nothing, queues=nothing, clock=clock, limits=RunLimits(1, 1, 1_000)
    ).servicers()
    (_, agents), (_, queues) = queue.wire(
        begin=starts,
        clock=clock,
        passwords=cast(Any, NoPasswords()),
        campaigns=nothing,
        chance=Random(),
    ).servicers()
    ((_, outdials),) = outdial.wire(begin=starts, campaigns=nothing, clock=clock).servicers()
    return {
        "campaign": campaigns,
        "outplan": outplans,
        "flow": flows,
        "outdial": outdials,
        "queue": queues,
        "agent": agents,
    }


class Upstreams:
    """The services behind the gateway, without a network in between."""

    def __init__(self) -> None:
        self._servicers = servicers()

    async def call(self, rpc: Any, request: Any, identity: Any) -> Any:
        with calling(Caller(Role.GATEWAY, "gateway", CUSTOMER, None, 0)):
            return await getattr(self._servicers[rpc.service], rpc.method)(request, None)


async def judge(route: Route, body: Any) -> None:
    """Accepted, or whatever refuses the body; the gateway's own parsing is left out."""
    identity = Identity(IdentityKind.ACCESS_KEY, new_id(), CUSTOMER, Permission.ADMIN, "")
    call = Call(
        route=route,
        request=Request({"type": "http", "headers": []}),
        parts=cast(Any, SimpleNamespace(upstreams=Upstreams())),
        form=TimeForm.GUIDE,
        ids={"id": str(new_id())},
        query={},
        body=body,
        identity=identity,
    )
    await route.handler(call)


def bounds(route: Route) -> Iterator[Case]:
    """(route, field, value, is accepted) for every bound that the route's body documents."""
    assert route.body is not None
    for name, schema in route.body.schema["properties"].items():
        if (route.body.name, name) in WORDS:
            continue
        for low, high, made in (
            ("minimum", "maximum", lambda number, _: number),
            ("minLength", "maxLength", text_of),
            ("minItems", "maxItems", list_of),
        ):
            if high in schema:
                yield route, name, made(schema[high], name), True
                yield route, name, made(schema[high] + 1, name), False
            if low in schema:
                yield route, name, made(schema[low], name), True
                yield route, name, made(schema[low] - 1, name), False


def text_of(length: int, name: str) -> str:
    return "a@b".ljust(length, "c")[:length] if name == "username" else "x" * length


def list_of(length: int, name: str) -> list[Any]:
    if name.endswith("actions"):
        return [action_pb.Action(type="stop")] * length
    if name == "tag_ids":
        return [str(new_id()) for _ in range(length)]
    numbers = [f"+1555{number:07}" for number in range(length)]
    places = [address_pb.Address(type="tel", target=each) for each in numbers]
    return places if name == "addresses" else [{"destination_0": each} for each in places]


CASES = [
    each for route in ROUTES if route.creates and route.path in PATHS for each in bounds(route)
]


def shown(case: Case) -> str:
    route, name, value, is_accepted = case
    size = value if isinstance(value, int | float) else len(value)
    return f"{route.path} {name} {size} {'taken' if is_accepted else 'refused'}"


@pytest.mark.parametrize("case", CASES, ids=shown)
async def test_the_services_keep_every_documented_bound(case: Case) -> None:
    route, name, value, is_accepted = case
    assert route.body is not None
    # A value that the message itself cannot carry is refused as well.
    refusals = (InvalidArgument, ValueError)
    with pytest.raises(Accepted if is_accepted else refusals) as caught:
        await judge(route, {**NEEDED.get(route.body.name, {}), name: value})
    if isinstance(caught.value, InvalidArgument):
        assert name.removeprefix("wait_").removesuffix("s") in str(caught.value)


def test_every_service_is_looked_at() -> None:
    assert {route.path for route, *_ in CASES} == PATHS
    assert len(CASES) > 60


@pytest.mark.parametrize("member", ["target", "target_name", "name", "detail"])
async def test_the_services_keep_the_documented_lengths_of_addresses(member: str) -> None:
    (route,) = (each for each in ROUTES if each.creates and each.path == "/outplans")
    longest = ADDRESS.schema["anyOf"][1]["properties"][member]["maxLength"]
    for length, outcome in ((longest, Accepted), (longest + 1, InvalidArgument)):
        parts = {"type": "sip", "target": "a@b", member: "a@b".ljust(length, "c")}
        with pytest.raises(outcome):
            await judge(route, {"source": address_pb.Address(**parts)})
