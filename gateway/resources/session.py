"""Logging in, who one is, and whether the gateway is there."""

from __future__ import annotations

from typing import Any

import orjson
from outbound.agent.v1 import agent_service_pb2 as pb
from starlette.responses import Response

from gateway.credentials import LOGIN_SECONDS
from gateway.errors import error_response
from gateway.fields import NAME_LENGTH, Body, Field, text
from gateway.identity import ANYONE
from gateway.resources.agents import AGENT
from gateway.resources.common import reading
from gateway.resources.direct import Hashed, hashed
from gateway.routes import Call, Plain, Route
from gateway.timeforms import TimeForm
from gateway.upstreams import Rpc
from services.common.errors import InvalidArgument, Unauthenticated, Unavailable
from services.common.limits import PASSWORD_LENGTH

TAG = "session"

_LOGIN = Body(
    "Login",
    Field("username", text(NAME_LENGTH), "Username of an agent.", required=True),
    Field("password", text(PASSWORD_LENGTH[1]), "Password.", required=True),
)
_LOGIN_ANSWER = {
    "type": "object",
    "required": ["username", "token"],
    "properties": {
        "username": {"type": "string"},
        "token": {"type": "string", "description": "Login token, valid for 7 days."},
    },
}
_PONG = {
    "type": "object",
    "required": ["message"],
    "properties": {"message": {"type": "string", "const": "pong"}},
}
_HEALTH = {
    "type": "object",
    "required": ["status", "upstreams"],
    "properties": {
        "status": {"type": "string", "const": "ready"},
        "upstreams": {
            "type": "object",
            "description": "The services behind this process.",
            "additionalProperties": {"type": "string", "const": "serving"},
        },
    },
}


async def _login(call: Call) -> Response:
    request = pb.VerifyPasswordRequest(**call.body)
    try:
        agent = await call.parts.upstreams.call(Rpc("agent", "VerifyPassword"), request, None)
    except Unauthenticated:
        # Documented: a failed login is a 400.
        return error_response(
            InvalidArgument("username or password is wrong", reason="INVALID_CREDENTIALS")
        )
    shown = AGENT.present(Hashed(agent, ""), TimeForm.GUIDE)
    token = call.parts.tokens.issue(agent, shown)
    response = Response(
        orjson.dumps({"username": agent.username, "token": token}),
        headers={"content-type": "application/json; charset=utf-8", "cache-control": "no-store"},
    )
    response.set_cookie(
        "token",
        token,
        max_age=LOGIN_SECONDS,
        path="/",
        secure=call.request.scope["scheme"] == "https",
        httponly=True,
        samesite="strict",
    )
    return response


async def _me(call: Call) -> Any:
    caller = call.caller
    if caller.agent is not None:
        return await hashed(call, caller.agent)
    # Documented clients check their key with this call: a key answers as an agent of its customer.
    return Hashed(
        pb.Agent(
            id=str(caller.id),
            customer_id=str(caller.customer_id),
            name=caller.name,
            detail=caller.detail,
            permission=caller.permissions,
        ),
        "",
    )


async def _ping(call: Call) -> Any:
    return {"message": "pong"}


async def _health(call: Call) -> Any:
    await call.parts.ready()
    health = await call.parts.upstreams.health()
    silent = sorted(process for process, serves in health.items() if not serves)
    if silent:
        raise Unavailable(f"not serving: {', '.join(silent)}", retry_after=1.0)
    return {"status": "ready", "upstreams": dict.fromkeys(health, "serving")}


ROUTES = (
    Route(
        "POST",
        "/auth/login",
        "Log in",
        TAG,
        _login,
        Plain(_LOGIN_ANSWER),
        body=_LOGIN,
        is_public=True,
        is_login=True,
        about="Also sets the cookie `token`. Wrong credentials are a 400 with the reason "
        "INVALID_CREDENTIALS.",
    ),
    reading(
        TAG,
        "/me",
        "Who you are",
        _me,
        AGENT,
        permission=ANYONE,
        about="The agent that has logged in; for an access key, its customer's administrator.",
    ),
    Route("GET", "/ping", "Whether anybody answers", TAG, _ping, Plain(_PONG), is_public=True),
    Route(
        "GET",
        "/health",
        "Whether all that is needed serves",
        TAG,
        _health,
        Plain(_HEALTH),
        is_public=True,
        about="503 while the database or a service does not answer, with their names in the message, "
        "or while the first customer is being made.",
    ),
)
