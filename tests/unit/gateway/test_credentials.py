from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from outbound.agent.v1 import agent_service_pb2 as agent_pb
from starlette.requests import Request

from gateway import credentials
from gateway.auth import Authenticator, candidates, of_agent
from gateway.credentials import (
    LOGIN_SECONDS,
    LoginTokens,
    derived_key,
    derived_text,
    hash_of,
    is_key,
    new_key,
)
from gateway.fresh import FreshCache
from gateway.idempotency import derived_id
from gateway.identity import AccessKey, Permission
from services.common.errors import AppError, NotFound, Unauthenticated, Unavailable

SECRET = "s" * 32
AGENT = agent_pb.Agent(id=str(uuid4()), customer_id=str(uuid4()), username="a@b", permission=32)


def request(query: str = "", **headers: str) -> Request:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": pairs, "query_string": query.encode()})


def test_keys_have_the_documented_form() -> None:
    keys = {new_key() for _ in range(50)} | {derived_key(SECRET, "a"), derived_key(SECRET, "b")}
    assert len(keys) == 52
    assert all(is_key(key) and len(key) == 35 for key in keys)
    assert not is_key("vb_short")
    assert len(hash_of(new_key())) == 64


def test_a_fault_of_ours_is_no_wrong_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = LoginTokens(SECRET)
    token = tokens.issue(AGENT, {})
    monkeypatch.setattr(credentials, "LoginClaims", None)
    with pytest.raises(TypeError):
        tokens.read(token)


def test_derived_text_depends_on_secret_and_purpose_alone() -> None:
    assert derived_text(SECRET, "p") == derived_text(SECRET, "p")
    assert derived_text(SECRET, "p") != derived_text(SECRET, "q")
    assert derived_text(SECRET, "p") != derived_text(SECRET + "x", "p")


def test_a_login_token_carries_the_documented_claims() -> None:
    token = LoginTokens(SECRET).issue(AGENT, {"id": AGENT.id})
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    assert claims["type"] == "agent"
    assert claims["agent"] == {"id": AGENT.id}
    assert claims["exp"] - claims["iat"] == LOGIN_SECONDS
    assert datetime.fromisoformat(claims["expire"]).replace(tzinfo=UTC).timestamp() == (
        pytest.approx(claims["exp"], abs=2)
    )
    read = LoginTokens(SECRET).read(token)
    assert (str(read.agent_id), str(read.customer_id)) == (AGENT.id, AGENT.customer_id)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x.y.z",
        LoginTokens("t" * 32).issue(AGENT, {}),
        jwt.encode({"iss": "outbound-gateway", "sub": AGENT.id, "exp": 1}, SECRET, "HS256"),
        jwt.encode({"iss": "outbound-gateway", "sub": "x", "exp": 10**10}, SECRET, "HS256"),
        jwt.encode({"iss": "other", "sub": AGENT.id, "exp": 10**10}, SECRET, "HS256"),
        jwt.encode({"iss": "outbound-gateway", "sub": AGENT.id}, SECRET, "HS256"),
        # Unsigned, as "alg": "none" would have it.
        jwt.encode(
            {"iss": "outbound-gateway", "sub": AGENT.id, "exp": 10**10}, "", algorithm="none"
        ),
    ],
)
def test_forged_and_expired_tokens_are_refused(token: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        LoginTokens(SECRET).read(token)
    assert caught.value.reason == "INVALID_CREDENTIALS"


def test_credentials_are_looked_for_in_the_documented_order() -> None:
    shown = request("accesskey=5&token=2", cookie="token=1; accesskey=4", authorization="Bearer 3")
    assert list(candidates(shown)) == ["1", "2", "3", "4", "5"]
    assert list(candidates(request(authorization="Basic abc"))) == []


class Sources:
    """Keys and agents behind an Authenticator."""

    def __init__(self) -> None:
        self.keys: dict[str, AccessKey] = {}
        self.failure: AppError | None = None
        self.looked = 0

    async def usable_key(self, token_hash: str) -> AccessKey | None:
        self.looked += 1
        return self.keys.get(token_hash)

    async def call(self, rpc: Any, request: Any, identity: Any) -> agent_pb.Agent:
        self.looked += 1
        if self.failure is not None:
            raise self.failure
        return AGENT


def authenticator(sources: Sources) -> Authenticator:
    anything: Any = sources
    return Authenticator(anything, anything, LoginTokens(SECRET))


async def test_a_key_acts_as_administrator_and_is_gone_when_forgotten() -> None:
    sources, key = Sources(), new_key()
    row: Any = SimpleNamespace(
        id=uuid4(), customer_id=uuid4(), name="n", detail="", token_hash=hash_of(key)
    )
    sources.keys[hash_of(key)] = row
    auth = authenticator(sources)
    identities = [await auth.identify(key) for _ in range(3)]
    identity = identities[-1]
    assert (identity.permissions, identity.agent_id) == (Permission.ADMIN, None)
    assert sources.looked == 1
    del sources.keys[hash_of(key)]
    auth.forget_key(row)
    with pytest.raises(Unauthenticated):
        await auth.identify(key)


async def test_an_agent_s_permissions_are_those_of_now() -> None:
    sources = Sources()
    auth = authenticator(sources)
    token = LoginTokens(SECRET).issue(AGENT, {"permission": 240})
    identity = await auth.identify(token)
    assert (identity.permissions, identity.agent_id) == (32, UUID(AGENT.id))
    assert identity == of_agent(AGENT, token)
    auth.forget_agent(UUID(AGENT.id), UUID(AGENT.customer_id))
    sources.failure = NotFound("gone")
    with pytest.raises(Unauthenticated):
        await auth.identify(token)


async def test_a_login_survives_an_outage_of_the_agent_service() -> None:
    loads: list[int | AppError] = [
        1,
        Unavailable("down"),
        Unavailable("down"),
        NotFound("gone"),
        Unavailable("down"),
    ]

    async def load(key: str) -> int:
        found = loads.pop(0)
        if isinstance(found, AppError):
            raise found
        return found

    cache = FreshCache(load, seconds=0.0, stale_seconds=60.0)
    assert [await cache.get("a") for _ in range(3)] == [1, 1, 1]
    for expected in (NotFound, Unavailable):
        with pytest.raises(expected):
            await cache.get("a")


async def test_simultaneous_lookups_are_one() -> None:
    asked = 0

    async def load(key: str) -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)
        return asked

    cache = FreshCache(load, seconds=60.0)
    first = asyncio.create_task(cache.get("a"))
    await asyncio.sleep(0)
    first.cancel()
    assert await asyncio.gather(*(cache.get("a") for _ in range(5))) == [1] * 5
    cache.forget("a")
    assert await cache.get("a") == 2


def test_derived_ids_differ_by_customer_path_key_and_part() -> None:
    one, two = uuid4(), uuid4()
    made = {
        derived_id(one, "/campaigns", "k"),
        derived_id(two, "/campaigns", "k"),
        derived_id(one, "/outdials", "k"),
        derived_id(one, "/campaigns", "l"),
        derived_id(one, "/campaigns", "k", "1"),
    }
    assert len(made) == 5
    assert derived_id(one, "/campaigns", "k") in made
