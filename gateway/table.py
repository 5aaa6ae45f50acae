"""The whole route table, and the pages made of it."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import Any

import orjson
from starlette.responses import Response

from gateway.identity import ANYONE
from gateway.openapi import document
from gateway.resources import (
    accesskeys,
    activeflows,
    agents,
    calls,
    campaigncalls,
    campaigns,
    customer,
    flows,
    imports,
    outdials,
    outplans,
    progress,
    queuecalls,
    queues,
    recordings,
    session,
    tags,
    targets,
)
from gateway.routes import Call, Plain, Route

RESOURCES = (
    campaigns,
    progress,
    campaigncalls,
    outdials,
    targets,
    imports,
    outplans,
    flows,
    activeflows,
    queues,
    queuecalls,
    agents,
    tags,
    calls,
    recordings,
    accesskeys,
    customer,
    session,
)


async def _openapi(call: Call) -> Response:
    return Response(_document(), headers={"content-type": "application/json; charset=utf-8"})


async def _docs(call: Call) -> Response:
    return Response(_page(), headers=_page_headers())


@lru_cache(maxsize=1)
def _document() -> bytes:
    return orjson.dumps(document(ROUTES))


@lru_cache(maxsize=1)
def _page() -> bytes:
    return (files("gateway") / "docs.html").read_bytes()


@lru_cache(maxsize=1)
def _page_headers() -> dict[str, str]:
    """Only the page's own script runs, and nobody else shows it: a key is typed into it."""
    allowed = {"script": _inline("script"), "style": _inline("style"), "connect": "'self'"}
    policy = "; ".join(f"{kind}-src {source}" for kind, source in allowed.items())
    return {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": f"default-src 'none'; {policy}; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'",
    }


def _inline(element: str) -> str:
    """The source of the page's one such element, as a policy names it."""
    text = _page().partition(f"<{element}>".encode())[2].partition(f"</{element}>".encode())[0]
    return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"


_TAG = "documentation"


def _public(path: str, summary: str, handler: Any, answer: Plain, *aliases: str) -> Route:
    return Route(
        "GET",
        path,
        summary,
        _TAG,
        handler,
        answer,
        permission=ANYONE,
        is_public=True,
        aliases=aliases,
    )


ROUTES: tuple[Route, ...] = (
    *(route for resource in RESOURCES for route in resource.ROUTES),
    _public("/openapi.json", "This document", _openapi, Plain({"type": "object"})),
    _public(
        "/docs",
        "This document as a page",
        _docs,
        Plain({"type": "string"}, "text/html"),
        "/redoc",
        "/swagger",
    ),
)
"""Every route the gateway serves."""
