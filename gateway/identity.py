"""Who sent a request, and what they may do. Bits are those of the documented permission set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntFlag, StrEnum
from uuid import UUID

from outbound.agent.v1 import agent_service_pb2 as agent_pb


class Permission(IntFlag):
    """Documented permission bits."""

    NONE = 0
    AGENT = 16
    ADMIN = 32
    MANAGER = 64


ANYONE = Permission.NONE
"""Every authenticated caller."""
STAFF = Permission.ADMIN | Permission.MANAGER
"""Administrators and managers of the customer."""


class IdentityKind(StrEnum):
    """What the caller showed."""

    AGENT = "agent"
    ACCESS_KEY = "accesskey"


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified caller. `credential` is what it showed, to be looked at again in long streams."""

    kind: IdentityKind
    id: UUID
    customer_id: UUID
    permissions: int
    credential: str
    name: str = ""
    detail: str = ""
    agent: agent_pb.Agent | None = None

    @property
    def agent_id(self) -> UUID | None:
        """Id of the agent; None for an access key."""
        return self.id if self.kind is IdentityKind.AGENT else None

    def may(self, wanted: Permission) -> bool:
        """Whether the caller has one of the bits, or none is wanted."""
        return not wanted or bool(self.permissions & wanted)

    @property
    def is_admin(self) -> bool:
        """Whether the caller administers its customer."""
        return self.may(Permission.ADMIN)


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer of the deployment."""

    id: UUID
    name: str
    detail: str
    email: str
    phone_number: str
    address: str
    tm_create: datetime
    tm_update: datetime | None
    tm_delete: datetime | None


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key without its secret. `tm_expire` is real time, the other times domain time."""

    id: UUID
    customer_id: UUID
    name: str
    detail: str
    token_prefix: str
    token_hash: str
    digest: str
    tm_expire: datetime
    tm_create: datetime
    tm_update: datetime | None
    tm_delete: datetime | None
    token: str = ""
