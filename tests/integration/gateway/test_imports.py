from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from outbound.outdial.v1 import outdial_service_pb2 as pb

from tests.integration.gateway.conftest import ACCESS_KEY, System, until

H = pb.ImportHeader


def auth(**more: str) -> dict[str, Any]:
    return {"Authorization": f"Bearer {ACCESS_KEY}", **more}


async def outdial_path(system: System) -> str:
    return f"/outdials/{(await system.ok('POST', '/outdials', {}))['id']}"


async def test_a_list_larger_than_any_limit_streams_through(system: System) -> None:
    path = await outdial_path(system)

    async def rows() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"+15551234567\n" * 8192

    result = await system.ok(
        "POST",
        f"{path}/targets/import",
        content=rows(),
        headers=auth(**{"Content-Type": "text/csv; charset=utf-8"}),
    )
    assert (result["state"], result["row_count"]) == ("done", 64 * 8192)
    shown = await system.ok("GET", f"{path}/imports/{result['import_id']}")
    assert shown == result


async def test_options_become_the_header(system: System) -> None:
    path = await outdial_path(system)
    query = {
        "duplicates": "skip",
        "region": "us",
        "strict": "true",
        "map.Phone No": "destination_0",
        "map.city": "data.city",
    }
    headers = auth(**{"Content-Type": "application/x-ndjson", "Idempotency-Key": "list-1"})
    results = [
        await system.ok(
            "POST", f"{path}/targets/import", content=b"{}\n", params=query, headers=headers
        )
        for _ in range(2)
    ]
    assert results[0] == results[1]
    first, second = system.backends.headers
    assert first.import_id == second.import_id == results[0]["import_id"]
    assert (first.format, first.duplicates) == (H.FORMAT_NDJSON, H.DUPLICATES_SKIP)
    assert (first.default_region, first.is_strict) == ("US", True)
    assert dict(first.mapping) == {"Phone No": "destination_0", "city": "data.city"}


async def test_rejects_as_lines_or_csv(system: System) -> None:
    path = await outdial_path(system)
    result = await system.ok(
        "POST",
        f"{path}/targets/import?format=csv",
        content=b'good\nbad, "one"\n=bad()\n',
        headers=auth(),
    )
    assert (result["accepted_count"], result["rejected_count"]) == (1, 2)
    assert result["rejects"][0]["line"] == 2
    rejects = f"{path}/imports/{result['import_id']}/rejects"
    lines = await system.http.get(rejects, headers=auth())
    assert lines.headers["content-type"].startswith("application/x-ndjson")
    assert [json.loads(line) for line in lines.text.splitlines()] == result["rejects"]
    for query, accept in (({"format": "csv"}, "*/*"), ({}, "text/csv")):
        table = await system.http.get(rejects, params=query, headers=auth(Accept=accept))
        assert table.headers["content-type"].startswith("text/csv")
        assert table.text.splitlines() == [
            "line,field,value,reason",
            '2,"phone","bad, ""one""","is bad"',
            '3,"phone","\'=bad()","is bad"',
        ]


@pytest.mark.parametrize(
    ("query", "content_type", "named"),
    [
        ("", "application/json", "Content-Type"),
        ("", "", "Content-Type"),
        ("?format=xml", "text/csv", "format"),
        ("?duplicates=merge", "text/csv", "duplicates"),
        ("?region=USA", "text/csv", "region"),
        ("?strict=maybe", "text/csv", "strict"),
    ],
)
async def test_bad_options_are_refused_before_anything_is_read(
    system: System, query: str, content_type: str, named: str
) -> None:
    path = await outdial_path(system)
    error = await system.refused(
        400,
        "POST",
        f"{path}/targets/import{query}",
        content=b"+15551234567\n",
        headers=auth(**{"Content-Type": content_type}),
    )
    assert named in error["message"]
    assert system.backends.headers == []


async def test_refusals_of_the_service_reach_the_client_while_it_still_sends(
    system: System,
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"+15551234567\n" * 1000
            await asyncio.sleep(0)

    answer = await system.http.post(
        "/outdials/11111111-1111-4111-8111-111111111111/targets/import",
        content=endless(),
        headers=auth(**{"Content-Type": "text/csv"}),
    )
    assert answer.status_code == 404
    assert answer.json()["error"]["reason"] == "OUTDIAL_NOT_FOUND"
    unknown = await outdial_path(system)
    error = await system.refused(
        404, "GET", f"{unknown}/imports/11111111-1111-4111-8111-111111111111/rejects"
    )
    assert error["reason"] == "IMPORT_NOT_FOUND"


async def test_a_client_that_goes_away_breaks_the_import_off(system: System) -> None:
    path = await outdial_path(system)

    async def half() -> AsyncIterator[bytes]:
        yield b"+15551234567\n" * 100_000
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        await system.http.post(
            f"{path}/targets/import",
            content=half(),
            headers=auth(**{"Content-Type": "text/csv", "Idempotency-Key": "broken"}),
        )
    await until(lambda: system.backends.headers)
    await asyncio.sleep(0.1)
    # Broken off, not taken for the end of the list.
    assert system.backends.imports == {}
    await system.ok("GET", "/outdials")
