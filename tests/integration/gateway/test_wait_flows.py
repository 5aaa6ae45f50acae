"""Flows made of a queue's inline wait actions: they go only when their queue certainly did not come."""

from __future__ import annotations

from typing import Any

import pytest

from services.common.errors import AppError, Internal, InvalidArgument, NotFound, Unavailable
from tests.integration.gateway.conftest import ACCESS_KEY, System

ACTIONS = {"wait_actions": [{"type": "stop"}]}


def headers(**more: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {ACCESS_KEY}", **more}}


@pytest.mark.parametrize(
    ("failure", "is_kept"),
    [
        (InvalidArgument("no such tag"), False),
        (NotFound("no such queue"), False),
        (Unavailable("lost after the request was sent"), True),
        (Unavailable("too slow", reason="REQUEST_TIMEOUT"), True),
        (Internal("a fault"), True),
    ],
)
async def test_a_wait_flow_stays_unless_its_queue_was_certainly_refused(
    system: System, failure: AppError, is_kept: bool
) -> None:
    queue = await system.ok("POST", "/queues", {"name": "q"})
    system.backends.fail["UpdateQueue"] = lambda: failure
    answer = await system.http.put(f"/queues/{queue['id']}", json=ACTIONS, **headers())
    assert answer.status_code >= 400
    assert ("DeleteFlow" not in system.backends.asked) is is_kept


async def test_the_refusal_is_told_also_when_the_flow_cannot_be_deleted(system: System) -> None:
    system.backends.fail["DeleteFlow"] = lambda: Unavailable("gone")
    bad = {**ACTIONS, "routing_method": "nearest"}
    error = await system.refused(400, "POST", "/queues", bad)
    assert error["reason"] == "INVALID_ROUTING_METHOD"


async def test_a_refused_repetition_leaves_the_first_request_its_flow(system: System) -> None:
    again = headers(**{"Idempotency-Key": "k"})
    queue = await system.ok("POST", "/queues", {**ACTIONS, "name": "a"}, **again)
    bad = {**ACTIONS, "routing_method": "nearest"}
    await system.refused(400, "POST", "/queues", bad, **again)
    other = {**ACTIONS, "name": "b"}
    await system.refused(409, "POST", "/queues", other, **again)
    flow = await system.ok("GET", f"/flows/{queue['wait_flow_id']}")
    assert flow["tm_delete"].startswith("9999")
