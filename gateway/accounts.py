"""Use cases of what the gateway owns: access keys, customers and direct hashes."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from gateway.auth import Authenticator
from gateway.credentials import PREFIX_LENGTH, derived_key, hash_of, new_key
from gateway.identity import AccessKey, Customer, Identity
from gateway.storage import Accounts
from services.common.clock import Clock, wall_seconds
from services.common.errors import (
    AlreadyExists,
    FailedPrecondition,
    NotFound,
)
from services.common.ownership import owned
from services.common.paging import Page

LEAST_EXPIRE: Final = 86_400
MOST_EXPIRE: Final = 100 * 365 * 86_400
"""Bounds of a key's life in seconds. An absolute epoch, which one known client sends, is within."""


@dataclass(frozen=True, slots=True)
class KeyPage:
    """A page of access keys."""

    accesskeys: list[AccessKey]
    next_page_token: str


class AccountService:
    """Manages keys, customers and hashes for an identity; permissions are the route's business."""

    def __init__(
        self, accounts: Accounts, authenticator: Authenticator, clock: Clock, secret: str
    ) -> None:
        self._accounts = accounts
        self._authenticator = authenticator
        self._clock = clock
        self._secret = secret

    async def create_key(
        self,
        identity: Identity,
        key_id: UUID,
        name: str,
        detail: str,
        expire: int,
        repeatable: bool,
    ) -> AccessKey:
        """A new key with its secret, which is shown only here.

        A `repeatable` request (one with an Idempotency-Key) gets the same secret again.
        """
        purpose = f"accesskey:{key_id}"
        token = derived_key(self._secret, purpose) if repeatable else new_key()
        made = new_access_key(
            key_id, identity.customer_id, name, detail, token, expire, self._clock.now()
        )
        stored = await self._accounts.add_key(made)
        if stored.customer_id != identity.customer_id or stored.digest != made.digest:
            raise AlreadyExists(
                "this Idempotency-Key was used for another request", accesskey_id=str(key_id)
            )
        return stored

    async def list_keys(self, identity: Identity, page: Page) -> KeyPage:
        """A page of the customer's keys."""
        return KeyPage(*await self._accounts.list_keys(identity.customer_id, page))

    async def get_key(self, identity: Identity, key_id: UUID) -> AccessKey:
        """One key, also a deleted one; NotFound, or PermissionDenied for another customer's."""
        return _owned(await self._accounts.key(key_id), identity, key_id)

    async def update_key(
        self, identity: Identity, key_id: UUID, changes: Mapping[str, str]
    ) -> AccessKey:
        """Change name or detail; FailedPrecondition for a deleted key."""
        key = await self.get_key(identity, key_id)
        if key.tm_delete is not None:
            raise FailedPrecondition(f"access key {key_id} is deleted", id=str(key_id))
        changed = await self._accounts.update_key(key_id, changes, self._clock.now())
        return _owned(changed, identity, key_id)

    async def delete_key(self, identity: Identity, key_id: UUID) -> AccessKey:
        """Delete the key; it is refused from now on."""
        await self.get_key(identity, key_id)
        deleted = _owned(
            await self._accounts.delete_key(key_id, self._clock.now()), identity, key_id
        )
        self._authenticator.forget_key(deleted)
        return deleted

    async def customer(self, identity: Identity) -> Customer:
        """The caller's customer."""
        return _known(await self._accounts.customer(identity.customer_id))

    async def update_customer(self, identity: Identity, changes: Mapping[str, str]) -> Customer:
        """Change the caller's customer."""
        return _known(
            await self._accounts.update_customer(identity.customer_id, changes, self._clock.now())
        )

    async def direct_hashes(self, ids: list[str]) -> dict[str, str]:
        """The direct hashes of those resources that have one."""
        if not ids:
            return {}
        found = await self._accounts.direct_hashes([UUID(each) for each in ids])
        return {str(resource_id): value for resource_id, value in found.items()}

    async def renew_direct_hash(self, identity: Identity, resource: str, resource_id: str) -> None:
        """Give a resource, whose owner has been checked, a new direct hash."""
        await self._accounts.set_direct_hash(
            resource,
            UUID(resource_id),
            identity.customer_id,
            secrets.token_hex(16),
            self._clock.now(),
        )


def new_access_key(
    key_id: UUID,
    customer_id: UUID,
    name: str,
    detail: str,
    token: str,
    expire: int,
    now: datetime,
) -> AccessKey:
    """A key to be stored. `expire` is its life in real seconds."""
    until = datetime.fromtimestamp(wall_seconds(), UTC) + timedelta(seconds=expire)
    digest = hashlib.sha256(f"{name}\0{detail}\0{expire}".encode()).hexdigest()
    return AccessKey(
        id=key_id,
        customer_id=customer_id,
        name=name,
        detail=detail,
        token_prefix=token[:PREFIX_LENGTH],
        token_hash=hash_of(token),
        digest=digest,
        tm_expire=until,
        tm_create=now,
        tm_update=None,
        tm_delete=None,
        token=token,
    )


def _owned(key: AccessKey | None, identity: Identity, key_id: UUID) -> AccessKey:
    return owned(key, "access key", key_id, identity.customer_id, reason="ACCESSKEY_NOT_FOUND")


def _known(customer: Customer | None) -> Customer:
    if customer is None:
        raise NotFound("the customer does not exist any more", reason="CUSTOMER_NOT_FOUND")
    return customer
