"""Finds out who sent a request.

A credential is looked for in the documented places, in the documented order: cookie `token`, query
`token`, `Authorization: Bearer`, cookie `accesskey`, query `accesskey`. Keys and login tokens are
accepted in any of them, and the first one that is valid counts, so that a stale cookie does not hide
a good key. A deleted or expired key is refused within KEY_SECONDS by every gateway process, and at
once by the one that deleted it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from outbound.agent.v1 import agent_service_pb2 as agent_pb
from starlette.requests import Request

from gateway.credentials import LoginTokens, hash_of, is_key
from gateway.fresh import FreshCache
from gateway.identity import AccessKey, Identity, IdentityKind, Permission
from gateway.storage import Accounts
from gateway.upstreams import Rpc, Upstreams
from services.common.errors import AppError, NotFound, PermissionDenied, Unauthenticated

KEY_SECONDS: Final = 2.0
"""How long a key's row is believed, real seconds."""
AGENT_SECONDS: Final = 5.0
"""How long an agent's permissions are believed, real seconds."""
AGENT_STALE_SECONDS: Final = 600.0
"""How long they are believed while the agent service is down: a login must not end with it."""
_LONGEST = 8192


class Authenticator:
    """Turns credentials into identities."""

    def __init__(self, accounts: Accounts, upstreams: Upstreams, tokens: LoginTokens) -> None:
        self._accounts = accounts
        self._upstreams = upstreams
        self._tokens = tokens
        self._keys = FreshCache(self._load_key, seconds=KEY_SECONDS)
        self._agents = FreshCache(
            self._load_agent, seconds=AGENT_SECONDS, stale_seconds=AGENT_STALE_SECONDS
        )

    async def authenticate(self, request: Request) -> Identity:
        """The sender; Unauthenticated when no valid credential is shown."""
        refusal: AppError = Unauthenticated(
            "this needs an access key or a login token: ?token=, ?accesskey=, "
            "a cookie of either name, or Authorization: Bearer"
        )
        for credential in candidates(request):
            try:
                return await self.identify(credential)
            except Unauthenticated as exc:
                refusal = exc
        raise refusal

    async def identify(self, credential: str) -> Identity:
        """Whose credential it is; Unauthenticated when it is not valid now."""
        if len(credential) > _LONGEST:
            raise _refused()
        if is_key(credential):
            return _of_key(await self._keys.get(hash_of(credential)), credential)
        claims = self._tokens.read(credential)
        agent = await self._agents.get((claims.agent_id, claims.customer_id))
        return of_agent(agent, credential)

    def forget_key(self, key: AccessKey) -> None:
        """Look the key up again before it is believed once more."""
        self._keys.forget(key.token_hash)

    def forget_agent(self, agent_id: UUID, customer_id: UUID) -> None:
        """Look the agent up again before it is believed once more."""
        self._agents.forget((agent_id, customer_id))

    async def _load_key(self, token_hash: str) -> AccessKey:
        key = await self._accounts.usable_key(token_hash)
        if key is None:
            raise _refused()
        return key

    async def _load_agent(self, ids: tuple[UUID, UUID]) -> agent_pb.Agent:
        agent_id, customer_id = ids
        asking = Identity(IdentityKind.AGENT, agent_id, customer_id, Permission.AGENT, "")
        try:
            agent: agent_pb.Agent = await self._upstreams.call(
                Rpc("agent", "GetAgent"), agent_pb.GetAgentRequest(id=str(agent_id)), asking
            )
        except (NotFound, PermissionDenied):
            raise _refused() from None
        if agent.HasField("tm_delete"):
            raise _refused()
        return agent


def candidates(request: Request) -> Iterator[str]:
    """Every credential the request shows, in the documented order."""
    cookies, query = request.cookies, request.query_params
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    places = (
        cookies.get("token"),
        query.get("token"),
        bearer.strip() if scheme.lower() == "bearer" else None,
        cookies.get("accesskey"),
        query.get("accesskey"),
    )
    yield from (each for each in places if each)


def of_agent(agent: agent_pb.Agent, credential: str = "") -> Identity:
    """The identity of an agent that has logged in."""
    return Identity(
        IdentityKind.AGENT,
        UUID(agent.id),
        UUID(agent.customer_id),
        agent.permission,
        credential,
        agent.name,
        agent.detail,
        agent,
    )


def _of_key(key: AccessKey, credential: str) -> Identity:
    # Documented: a key acts as an administrator of its customer.
    return Identity(
        IdentityKind.ACCESS_KEY,
        key.id,
        key.customer_id,
        Permission.ADMIN,
        credential,
        key.name,
        key.detail,
    )


def _refused() -> Unauthenticated:
    return Unauthenticated(
        "the credential is not valid: unknown, expired or deleted", reason="INVALID_CREDENTIALS"
    )
