"""The OpenAPI 3.1 document, made of the route table alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from gateway.errors import ENVELOPE_SCHEMA
from gateway.fields import Field
from gateway.identity import Permission
from gateway.members import TIME_SCHEMA, Schema
from gateway.routes import TIME_FORMAT, Route

VERSION: Final = "1.0.0"
_PARAMETER = re.compile(r"{(\w+)}")
_ABOUT = """\
Outbound campaigns: what to say, whom to reach, how often, and who talks to those who answer.

Every path is served with and without the prefix `/v1.0`. Success is always 200. Bodies are JSON; members
nobody knows are dropped, null means absent, and PUT is a merge unless an operation says otherwise.
Times are UTC, by default `2022-04-28 02:16:39.712142` with the sentinel `9999-01-01 00:00:00.000000` for
unset ones; `?time_format=rfc3339` gives RFC 3339 and null. Lists are newest first; ask again with
`page_token` until a page is empty. An `Idempotency-Key` makes a POST safe to repeat: what it creates gets
the same id, and the same key with another body is refused with 409.
"""
_ERRORS: Final = {
    "400": (
        "InvalidRequest",
        "A field, parameter or id is wrong; the message says what is accepted.",
    ),
    "401": ("Unauthenticated", "No valid access key or login token."),
    "403": ("Forbidden", "Not permitted, or another customer's."),
    "404": ("NotFound", "No such object."),
    "409": ("Conflict", "The object's state does not allow it, or the name or key is taken."),
    "413": ("TooLarge", "The body is larger than the limit."),
    "416": ("NoSuchPart", "The part asked for begins behind the end."),
    "429": ("TooMany", "More requests than allowed; see Retry-After."),
    "500": ("Internal", "A fault of the service."),
    "503": ("Unavailable", "Something is down for a moment; try again after Retry-After."),
}
_SECURITY: Final = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "Login token or access key.",
    },
    "token": {"type": "apiKey", "in": "query", "name": "token"},
    "accesskey": {"type": "apiKey", "in": "query", "name": "accesskey"},
    "tokenCookie": {"type": "apiKey", "in": "cookie", "name": "token"},
    "accesskeyCookie": {"type": "apiKey", "in": "cookie", "name": "accesskey"},
}


def document(routes: Iterable[Route]) -> Schema:
    """The document for a table of routes."""
    routes = list(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        for index, path in enumerate((route.path, *route.aliases)):
            paths.setdefault(path, {})[route.method.lower()] = _operation(route, path, index)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Outbound", "version": VERSION, "description": _ABOUT},
        "servers": [{"url": "/v1.0"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "components": {
            "securitySchemes": _SECURITY,
            "schemas": _schemas(routes),
            "responses": {
                name: {
                    "description": about,
                    "headers": _HEADERS,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Error"}}
                    },
                }
                for name, about in _ERRORS.values()
            },
        },
    }


_HEADERS: Final = {
    "X-Request-Id": {
        "description": "Id of the request, for questions about it.",
        "schema": {"type": "string"},
    }
}


def _schemas(routes: list[Route]) -> dict[str, Schema]:
    shapes = {
        part.name: part for route in routes for each in route.answer.shapes for part in each.parts
    }
    found: dict[str, Schema] = {name: shape.schema for name, shape in sorted(shapes.items())}
    found["Time"] = TIME_SCHEMA
    found["Error"] = ENVELOPE_SCHEMA
    for route in routes:
        if route.body is not None:
            found[_input(route.body.name)] = route.body.schema
    return found


def _input(name: str) -> str:
    return name if name.endswith("Input") else f"{name}Input"


def _operation(route: Route, path: str, index: int) -> Schema:
    errors = ["400", "429", "500", "503"]
    if not route.is_public:
        errors += ["401", "403"]
    if "{" in path or not route.is_public:
        errors += ["404"]
    if route.method != "GET":
        errors += ["409"]
    if route.body is not None:
        errors += ["413"]
    operation: Schema = {
        "operationId": route.name + (f"_alias{index}" if index else ""),
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [
            *(_path_parameter(name) for name in _PARAMETER.findall(path)),
            *(_query_parameter(field) for field in (*route.query, TIME_FORMAT)),
        ],
        "responses": {
            "200": {
                "description": "Done.",
                "headers": _HEADERS,
                "content": {
                    media: {"schema": route.answer.schema}
                    for media in (route.answer.media_type, *route.answer.other_media)
                },
            },
            **{
                code: {"$ref": f"#/components/responses/{_ERRORS[code][0]}"}
                for code in sorted(errors)
            },
        },
        "security": [] if route.is_public else [{name: []} for name in _SECURITY],
    }
    about = " ".join(part for part in (route.about, _permission(route)) if part)
    if about:
        operation["description"] = about
    if index:
        operation["deprecated"] = True
    if route.creates:
        operation["parameters"].append(_IDEMPOTENCY_KEY)
    if route.has_parts:
        operation["parameters"].append(_RANGE)
        operation["responses"] |= {
            "206": {**operation["responses"]["200"], "description": "The part asked for."},
            "416": {"$ref": "#/components/responses/NoSuchPart"},
        }
    if body := _request_body(route):
        operation["requestBody"] = body
    return operation


_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes the request safe to repeat.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}


_RANGE: Final = {
    "name": "Range",
    "in": "header",
    "description": "One part of the file, such as bytes=0-1023.",
    "schema": {"type": "string"},
}


def _path_parameter(name: str) -> Schema:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    }


def _query_parameter(field: Field) -> Schema:
    found: Schema = {"name": field.name, "in": "query", "schema": field.kind.schema}
    if field.about:
        found["description"] = field.about
    if field.required:
        found["required"] = True
    return found


def _permission(route: Route) -> str:
    if route.is_public or not route.permission:
        return ""
    names = [bit.name.lower() for bit in Permission if bit & route.permission and bit.name]
    return f"Permission: {' or '.join(names)}."


def _request_body(route: Route) -> Schema | None:
    if route.body_media:
        return {
            "required": True,
            "content": {media: {"schema": {"type": "string"}} for media in route.body_media},
        }
    if route.body is None:
        return None
    schema: Schema = {"$ref": f"#/components/schemas/{_input(route.body.name)}"}
    if route.alternative is not None:
        schema = {"anyOf": [schema, route.alternative.kind.schema]}
    return {"required": True, "content": {"application/json": {"schema": schema}}}
