"""Direct hashes of queues, agents and flows: kept by the gateway, shown on the services' objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.identity import STAFF, Permission
from gateway.members import Json, Member, Shape, computed
from gateway.resources.common import Build, doing, rpc
from gateway.routes import Call, Handler, Route
from gateway.timeforms import TimeForm


class Hashed:
    """A service's message with its direct hash; everything else is the message's own."""

    __slots__ = ("_message", "direct_hash")

    def __init__(self, message: Any, direct_hash: str) -> None:
        self._message = message
        self.direct_hash = direct_hash

    def __getattr__(self, name: str) -> Any:
        return getattr(self._message, name)


@dataclass(frozen=True, slots=True)
class HashedPage:
    """A page of such messages."""

    items: list[Hashed]
    next_page_token: str


def _read(message: Any, form: TimeForm) -> Json:
    return message.direct_hash


DIRECT_HASH = Member(
    "direct_hash", computed({"type": "string"}, _read), "For direct links; empty until made."
)


def with_hash(service: str, method: str, build: Build) -> Handler:
    """A handler that asks one method and adds the hash to the object it returns."""
    ask = rpc(service, method, build)

    async def handle(call: Call) -> Hashed:
        return await hashed(call, await ask(call))

    return handle


async def hashed(call: Call, message: Any) -> Hashed:
    """The object with its hash."""
    known = await call.parts.accounts.direct_hashes([message.id])
    return Hashed(message, known.get(message.id, ""))


def with_hashes(service: str, method: str, build: Build, attribute: str) -> Handler:
    """The same for a list: one lookup for the whole page."""
    ask = rpc(service, method, build)

    async def handle(call: Call) -> HashedPage:
        page = await ask(call)
        found = getattr(page, attribute)
        known = await call.parts.accounts.direct_hashes([each.id for each in found])
        return HashedPage(
            [Hashed(each, known.get(each.id, "")) for each in found], page.next_page_token
        )

    return handle


def renewal(
    tag: str, path: str, resource: str, get: Handler, shape: Shape, permission: Permission = STAFF
) -> Route:
    """The row of making a new hash, in both documented spellings."""

    async def handle(call: Call) -> Any:
        # Reading first leaves it to the service whether the caller owns the object.
        found = await get(call)
        await call.parts.accounts.renew_direct_hash(call.caller, resource, found.id)
        return await get(call)

    return doing(
        tag,
        f"{path}/direct-hash-regenerate",
        f"Make a new direct hash for this {resource}",
        handle,
        shape,
        permission=permission,
        aliases=(f"{path}/direct_hash_regenerate",),
    )
