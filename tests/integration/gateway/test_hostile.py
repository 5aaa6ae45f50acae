"""Clients that mean harm: held connections, bodies and headers beyond all measure, and smuggled text."""

from __future__ import annotations

import asyncio
import csv
import gzip
import hashlib
import io
import json
import re
from base64 import b64encode
from typing import Any

import pytest
from outbound.outdial.v1 import outdial_service_pb2 as outdial_pb

from gateway.resources.imports import _csv
from gateway.table import ROUTES
from tests.integration.gateway.conftest import ACCESS_KEY, System

SIGNED = b"Authorization: Bearer " + ACCESS_KEY.encode() + b"\r\n"
CHANGES: dict[str, Any] = {
    "header_seconds": 0.5,
    "body_seconds": 0.5,
    "keep_alive_seconds": 1,
    "request_seconds": 5,
}


@pytest.fixture
def changes() -> dict[str, Any]:
    return CHANGES


async def held(system: System, head: bytes, drop: bytes) -> bytes:
    """What is answered to a request that goes on drop by drop; fails when it may do so for ever."""
    reader, writer = await asyncio.open_connection("127.0.0.1", system.gateway.http.port)
    writer.write(head)
    answer = asyncio.create_task(reader.read())
    try:
        async with asyncio.timeout(10):
            while not answer.done():
                writer.write(drop)
                await asyncio.wait([answer], timeout=0.1)
            return answer.result()
    except ConnectionError:
        return b""
    finally:
        answer.cancel()
        writer.close()


@pytest.mark.parametrize(
    ("request_line", "headers", "code"),
    [
        (b"POST /campaigns", b"", b"401"),
        (b"POST /nothing", b"", b"404"),
        (b"GET /ping", b"", b"200"),
        (b"POST /auth/login", b"", b"503"),
        (b"POST /campaigns", SIGNED, b"503"),
    ],
)
async def test_no_connection_is_held_by_a_body_nobody_reads(
    system: System, request_line: bytes, headers: bytes, code: bytes
) -> None:
    head = request_line + b" HTTP/1.1\r\nHost: a\r\n" + headers
    for length in (b"Content-Length: 900000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"):
        drop = b"x" if b"Length" in length else b"1\r\nx\r\n"
        answer = await held(system, head + length, drop)
        assert answer.startswith(b"HTTP/1.1 " + code), answer


async def test_no_connection_is_held_by_trailers(system: System) -> None:
    head = b"POST /auth/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    assert (await held(system, head, b"a: b\r\n")).startswith(b"HTTP/1.1 503")


async def test_an_import_may_be_slow_but_not_silent(system: System) -> None:
    outdial = (await system.ok("POST", "/outdials", {}))["id"].encode()
    head = (
        b"POST /outdials/" + outdial + b"/targets/import HTTP/1.1\r\nHost: a\r\n" + SIGNED + b""
        b"Content-Type: text/csv\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    )
    answer = await held(system, head % 900_000, b"")
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"REQUEST_TIMEOUT" in answer
    # Longer in all than the silence that is allowed.
    rows = b"phone\n+19990000001\n"
    answer = await held(system, head % (len(rows) + 12) + rows, b"\n")
    assert answer.startswith(b"HTTP/1.1 200"), answer


async def test_a_kept_connection_serves_the_next_request(system: System) -> None:
    """What ends a held connection does not end one that is merely used again."""
    for _ in range(2):
        for path, body in (("/campaigns", "x" * 100_000), ("/nothing", "{}")):
            answer = await system.http.post(path, content=body)
            assert answer.status_code in (401, 404)
        await system.ok("GET", "/customer")
    assert len(await asyncio.gather(*(system.http.get("/ping") for _ in range(50)))) == 50


@pytest.mark.parametrize(
    "head",
    [
        b"GET /ping?" + b"a=b&" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /ping HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
        b"GET /ping HTTP/1.1\r\nHost: a\r\nCookie: " + b"token=x; " * 10_000 + b"\r\n\r\n",
        b"GET /" + b"a/" * 40_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ids=["query", "headers", "cookies", "path"],
)
async def test_a_huge_head_is_refused(system: System, head: bytes) -> None:
    assert (await held(system, head, b"")).startswith(b"HTTP/1.1 400")


async def test_a_query_within_the_limit_costs_little(system: System) -> None:
    for query in ("&".join(["token=x"] * 4_000), "time_format=" + "%" * 30_000, "&" * 30_000):
        async with asyncio.timeout(2):
            answer = await system.http.get(f"/me?{query}")
        assert answer.status_code == 401


async def test_a_packed_body_is_not_unpacked(system: System) -> None:
    bomb = gzip.compress(b'{"name": "' + b"x" * 50_000_000 + b'"}')
    headers = {"Authorization": f"Bearer {ACCESS_KEY}", "Content-Encoding": "gzip"}
    error = await system.refused(400, "POST", "/campaigns", content=bomb, headers=headers)
    assert error["reason"] == "INVALID_JSON_BODY"


@pytest.mark.parametrize(
    "body",
    [
        '{"actions": ' + "[" * 900 + "]" * 900 + "}",
        '{"actions": [{"type": "talk", "option": ' + '{"a":' * 900 + "1" + "}" * 900 + "}]}",
        '{"name": ' + "9" * 100_000 + "}",
        '{"name": 1e999999}',
        '{"service_level": 1' + "0" * 5_000 + "}",
        '{"name": "\\ud800"}',
        "[" + "{}," * 100_000 + "{}]",
        '{"a": 1,' * 1_000,
    ],
    ids=["deep list", "deep option", "digits", "exponent", "giant", "surrogate", "long", "open"],
)
async def test_hostile_json_is_refused_at_once(system: System, body: str) -> None:
    async with asyncio.timeout(2):
        error = await system.refused(400, "POST", "/campaigns", content=body)
    assert error["status"] == "INVALID_ARGUMENT"
    assert len(json.dumps(error)) < 2_000


HOSTILE = [
    "'; DROP TABLE campaigns; --",
    '" OR 1=1; --',
    "%' UNION SELECT token_hash FROM access_keys --",
    "${voipbin.call.id} $(id) `id` {{7*7}}",
    "a\r\nSet-Cookie: token=x\r\n\r\n<script>alert(1)</script>",
    '{"event": "forged", "level": "error"}\n{"event": "again"}',
    "\u202e\u0007\x1b[31mred",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_text_is_text_wherever_it_goes(
    system: System, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = await system.ok("POST", "/campaigns", {"name": text, "detail": text})
    read = await system.ok("GET", f"/campaigns/{made['id']}")
    assert (read["name"], read["detail"]) == (text, text)
    key = await system.ok("POST", "/accesskeys", {"name": text, "expire": 86_400})
    changed = await system.ok("PUT", f"/accesskeys/{key['id']}", {"name": text + text})
    assert changed["name"] == text + text
    own = {"Authorization": f"Bearer {ACCESS_KEY}"}
    for path in ("/accesskeys", "/campaigncalls", "/recordings", "/agents"):
        for name in ("page_token", "page_size", "campaign_id", "reference_id", "tag_ids", "status"):
            answer = await system.http.get(path, params={name: text}, headers=own)
            assert answer.status_code in (200, 400), answer.text
            assert "set-cookie" not in answer.headers
            assert answer.headers["content-type"].startswith("application/json")
            assert answer.headers["x-content-type-options"] == "nosniff"
    assert "forged" not in [line.partition(" ")[0] for line in capsys.readouterr().out.splitlines()]
    assert len((await system.ok("GET", "/accesskeys"))["result"]) >= 2


@pytest.mark.parametrize("given", ["a\r\nX-Evil: 1", "a\x00b", "ü" * 10, "x" * 5_000, "a b\x1b[2J"])
async def test_a_request_id_is_not_written_as_it_comes(system: System, given: str) -> None:
    head = f"GET /ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Request-Id: {given}\r\n\r\n"
    answer = await held(system, head.encode(), b"")
    assert b"\nX-Evil" not in answer.split(b"\r\n\r\n")[0]
    assert given.encode() not in answer


@pytest.mark.parametrize(
    "value", ["=1+1", "+cmd|x", "-2", "@SUM(A1)", "\t=1", "\r=1", 'a"b,c\r\nd']
)
def test_rejected_rows_are_no_formulas(value: str) -> None:
    reject = outdial_pb.ImportReject(line=1, field=value, value=value, reason=value)
    (row,) = csv.reader(io.StringIO(_csv(reject).decode(), newline=""))
    assert row[0] == "1"
    assert len(row) == 4
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


async def test_the_page_runs_its_own_script_only(system: System) -> None:
    answer = await system.http.get("/docs")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    for element in ("script", "style"):
        found = re.findall(f"<{element}[^>]*>(.*?)</{element}>", answer.text, re.DOTALL)
        digests = [b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in found]
        assert [f"'sha256-{each}'" in policy for each in digests] == [True]
    assert not re.search(r"\son[a-z]+=\"|\sstyle=\"", answer.text)
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path",
    [
        "/docs/../../etc/passwd",
        "/docs/..%2f..%2fetc%2fpasswd",
        "/openapi.json/..",
        "//etc/passwd",
        "/recordingfiles/..%2f..%2fsecrets%2flogin_secret",
        "/recordingfiles/%2e%2e",
        "/v1.0/../docs.html",
        "/docs.html",
    ],
)
async def test_no_path_leads_to_a_file(system: System, path: str) -> None:
    head = f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n".encode()
    answer = await held(system, head + SIGNED + b"\r\n", b"")
    assert answer.split()[1] in (b"400", b"404"), answer


def test_every_text_and_list_of_a_body_has_a_limit() -> None:
    endless: list[str] = []
    for route in ROUTES:
        if route.body is not None:
            _walk(route.body.schema, f"{route.method} {route.path}", endless)
        for field in route.query:
            _walk(field.schema, f"{route.method} {route.path}?{field.name}", [])
    assert endless == []


def _walk(schema: Any, path: str, endless: list[str]) -> None:
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    bounded = "enum" in schema or "pattern" in schema or "format" in schema or "const" in schema
    if "string" in kinds and "maxLength" not in schema and not bounded:
        endless.append(path)
    if "array" in kinds and "maxItems" not in schema:
        endless.append(f"{path}[]")
    for name, each in schema.get("properties", {}).items():
        _walk(each, f"{path} {name}", endless)
    for each in (*schema.get("anyOf", ()), *filter(None, [schema.get("items")])):
        _walk(each, path, endless)
