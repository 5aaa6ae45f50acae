"""The document is true: real answers validate against it, and it holds every route."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest

from gateway.table import ROUTES
from gateway.upstreams import STUBS
from tests.integration.gateway.conftest import ACCESS_KEY, PASSWORD, USERNAME, System

# What a POST needs at least.
BODIES: dict[str, dict[str, Any]] = {
    "/campaigns": {"actions": [{"type": "talk", "option": {"text": "hi"}}]},
    "/outdials": {},
    "/outplans": {},
    "/flows": {},
    "/queues": {},
    "/tags": {},
    "/agents": {"username": "x@example.com", "password": "12345678"},
    "/accesskeys": {"expire": 86400},
    "/activeflows": {"actions": [{"type": "stop"}]},
}
PUTS: dict[str, dict[str, Any]] = {
    "status": {"status": "run"},
    "service_level": {"service_level": 5},
    "actions": {"actions": []},
    "tag_ids": {"tag_ids": []},
    "routing_method": {"routing_method": "random"},
    "addresses": {"addresses": []},
    "permission": {"permission": 32},
    "password": {"password": "12345678"},
    "data": {"data": 1},
}


def validator(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    whole = {**schema, "components": document["components"]}
    return jsonschema.Draft202012Validator(whole)


def answer_schema(document: dict[str, Any], path: str, method: str, code: int) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][path][method.lower()]["responses"][str(code)]
    if "$ref" in found:
        found = document["components"]["responses"][found["$ref"].rpartition("/")[2]]
    schema: dict[str, Any] = next(iter(found["content"].values()))["schema"]
    return schema


async def test_the_document_holds_every_route_and_every_rpc_exists(system: System) -> None:
    document = await system.ok("GET", "/openapi.json", headers={})
    assert document == await system.ok("GET", "/v1.0/openapi.json", headers={})
    for route in ROUTES:
        for path in (route.path, *route.aliases):
            assert route.method.lower() in document["paths"][path]
    ids = [
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    ]
    assert len(ids) == len(set(ids))
    for name in re.findall(r'"#/components/(\w+/\w+)"', str(document)):
        kind, _, word = name.partition("/")
        assert word in document["components"][kind]
    assert set(STUBS) == {"campaign", "outplan", "flow", "outdial", "queue", "agent", "dialer"}


@pytest.mark.parametrize("form", ["guide", "rfc3339"])
async def test_answers_validate_against_the_document(system: System, form: str) -> None:
    document = await system.ok("GET", "/openapi.json", headers={})
    made: dict[str, str] = {}
    checked = set()

    async def check(method: str, path: str, body: Any = None, **ids: str) -> Any:
        answer = await system.http.request(
            method,
            path.format(**ids),
            json=body,
            params={"time_format": form},
            headers={"Authorization": f"Bearer {ACCESS_KEY}"},
        )
        schema = answer_schema(document, path, method, answer.status_code)
        if answer.headers["content-type"].startswith("application/json"):
            validator(document, schema).validate(answer.json())
        checked.add((method, path, answer.status_code))
        return answer.json() if answer.status_code == 200 else {}

    for path, body in BODIES.items():
        made[path] = (await check("POST", path, body))["id"]
        await check("POST", path, {"name": 5})
        await check("GET", path)
    made["/outdials/{id}/targets"] = (
        await check(
            "POST",
            "/outdials/{id}/targets",
            {"destination_0": "+15551234567"},
            id=made["/outdials"],
        )
    )["id"]
    await check("POST", "/auth/login", {"username": USERNAME, "password": PASSWORD})
    await check("POST", "/auth/login", {"username": USERNAME, "password": "x"})
    for route in ROUTES:
        owner = "/" + route.path.split("/")[1]
        ids = {
            "id": made.get(owner, made["/campaigns"]),
            "target_id": made["/outdials/{id}/targets"],
            "import_id": made["/campaigns"],
        }
        if route.method == "GET" and not route.path.endswith(("/events", "/docs")):
            await check("GET", route.path, **ids)
        elif route.method == "PUT":
            await check("PUT", route.path, PUTS.get(route.path.rpartition("/")[2], {}), **ids)
            await check("PUT", route.path, [], **ids)
        elif route.path.endswith("regenerate"):
            await check("POST", route.path, **ids)
    for route in ROUTES:
        if route.method == "DELETE" and route.path.endswith("/{id}"):
            owner = "/" + route.path.split("/")[1]
            if owner in made:
                await check("DELETE", route.path, id=made[owner])
    assert len([each for each in checked if each[2] == 200]) > 60


async def test_the_page_asks_no_other_host(system: System) -> None:
    for path in ("/docs", "/v1.0/docs", "/redoc", "/swagger"):
        page = await system.http.get(path)
        assert page.headers["content-type"].startswith("text/html")
        assert "openapi.json" in page.text
        assert re.findall(r"(?:https?:)?//[a-z]", page.text) == []
