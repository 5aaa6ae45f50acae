from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.integration.gateway.conftest import ACCESS_KEY, System


def keyed(key: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {ACCESS_KEY}", "Idempotency-Key": key}}


@pytest.mark.parametrize(
    ("path", "body", "other"),
    [
        ("/campaigns", {"name": "a"}, {"name": "b"}),
        ("/outplans", {"name": "a"}, {"name": "b"}),
        ("/outdials", {"name": "a"}, {"name": "b"}),
        ("/flows", {"name": "a"}, {"name": "b"}),
        ("/queues", {"name": "a", "wait_actions": [{"type": "stop"}]}, {"name": "b"}),
        ("/tags", {"name": "a"}, {"name": "b"}),
        (
            "/agents",
            {"username": "a@b.c", "password": "12345678"},
            {"username": "d@b.c", "password": "12345678"},
        ),
        ("/accesskeys", {"name": "a", "expire": 86400}, {"name": "b", "expire": 86400}),
        ("/activeflows", {"variables": {"a": "b"}}, {}),
    ],
)
async def test_a_repeated_post_gives_the_first_answer(
    system: System, path: str, body: dict[str, Any], other: dict[str, Any]
) -> None:
    first = await system.ok("POST", path, body, **keyed("k1"))
    assert await system.ok("POST", f"/v1.0{path}", body, **keyed("k1")) == first
    error = await system.refused(409, "POST", path, other, **keyed("k1"))
    assert error["status"] == "ALREADY_EXISTS"
    second = await system.ok("POST", path, other, **keyed("k2"))
    assert second["id"] != first["id"]


async def test_simultaneous_posts_make_one(system: System) -> None:
    answers = await asyncio.gather(
        *(system.ok("POST", "/accesskeys", {"expire": 86400}, **keyed("same")) for _ in range(5))
    )
    assert len({answer["token"] for answer in answers}) == 1
    assert len((await system.ok("GET", "/accesskeys"))["result"]) == 2


async def test_targets_alone_and_in_batches(system: System) -> None:
    paths = [f"/outdials/{(await system.ok('POST', '/outdials', {}))['id']}/targets" for _ in "ab"]
    body = {"destination_0": "+15551234567"}
    one = await system.ok("POST", paths[0], body, **keyed("k"))
    assert await system.ok("POST", paths[0], body, **keyed("k")) == one
    # The same key on another list is another request.
    assert (await system.ok("POST", paths[1], body, **keyed("k")))["id"] != one["id"]
    batch = [await system.ok("POST", f"{paths[0]}:batch", [body] * 3, **keyed("b")) for _ in "ab"]
    assert batch[0] == batch[1]
    assert len({each["id"] for each in batch[0]["result"]}) == 3


@pytest.mark.parametrize("path", ["targets", "targets:batch"])
@pytest.mark.parametrize("first", [1, 3])
async def test_a_key_covers_a_list_of_targets_as_a_whole(
    system: System, path: str, first: int
) -> None:
    outdial_id = (await system.ok("POST", "/outdials", {}))["id"]
    people = [{"destination_0": f"+1555123456{number}"} for number in range(5)]
    url = f"/outdials/{outdial_id}/{path}"
    made = await system.ok("POST", url, people[:first], **keyed("k"))
    for other in (1, 2, 3, 4):
        if other == first:
            assert await system.ok("POST", url, people[:first], **keyed("k")) == made
            continue
        error = await system.refused(409, "POST", url, people[:other], **keyed("k"))
        assert error["status"] == "ALREADY_EXISTS"
    listed = await system.ok("GET", f"/outdials/{outdial_id}/targets")
    assert len(listed["result"]) == first


async def test_posts_that_make_nothing_accept_a_key(system: System) -> None:
    queue = await system.ok("POST", "/queues", {})
    await system.ok("POST", f"/queues/{queue['id']}/direct-hash-regenerate", **keyed("k"))


@pytest.mark.parametrize("key", ["", "x" * 256, "a b"])
async def test_a_malformed_key_is_refused(system: System, key: str) -> None:
    error = await system.refused(400, "POST", "/campaigns", {}, **keyed(key))
    assert "Idempotency-Key" in error["message"]
