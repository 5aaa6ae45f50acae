"""Agents and tags: who takes calls, what an agent is doing, and which change follows which.

An agent's state is finer than the documented status: `reserved` shows as ringing and `wrapup` as busy.
States change only through the methods below, which also keep the occupancy totals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.common.address import Address
from services.common.credentials import password_fault, username_fault
from services.common.errors import FailedPrecondition, invalid
from services.common.limits import MAX_ADDRESSES, MAX_TAGS

AGENT_NOT_FOUND = "AGENT_NOT_FOUND"
AGENT_ALREADY_EXISTS = "AGENT_ALREADY_EXISTS"
INVALID_USERNAME_FORMAT = "INVALID_USERNAME_FORMAT"
INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
TAG_NOT_FOUND = "TAG_NOT_FOUND"

PERMISSION_AGENT = 16
PERMISSION_ADMIN = 32
PERMISSION_MASK = 0xF0
"""Bits a customer may give. Lower bits are the operator's own and would open other customers."""

RING_METHODS = ("ringall", "linear")
ADDRESS_TYPES = ("tel", "sip", "extension")

_MILLISECOND = timedelta(milliseconds=1)


class AgentState(StrEnum):
    """What an agent is doing."""

    AVAILABLE = "available"
    AWAY = "away"
    OFFLINE = "offline"
    RESERVED = "reserved"  # chosen for a caller; the phone does not ring yet
    RINGING = "ringing"
    BUSY = "busy"  # talks to a caller, or said so
    WRAPUP = "wrapup"


class AgentStatus(StrEnum):
    """What an agent is doing, in the documented words."""

    AVAILABLE = "available"
    AWAY = "away"
    BUSY = "busy"
    OFFLINE = "offline"
    RINGING = "ringing"


SETTABLE = (AgentStatus.AVAILABLE, AgentStatus.AWAY, AgentStatus.BUSY, AgentStatus.OFFLINE)
"""What a user may set; ringing is only ever seen."""

STATES_OF: dict[AgentStatus, tuple[AgentState, ...]] = {
    AgentStatus.AVAILABLE: (AgentState.AVAILABLE,),
    AgentStatus.AWAY: (AgentState.AWAY,),
    AgentStatus.BUSY: (AgentState.BUSY, AgentState.WRAPUP),
    AgentStatus.OFFLINE: (AgentState.OFFLINE,),
    AgentStatus.RINGING: (AgentState.RESERVED, AgentState.RINGING),
}
STATUS_OF = {state: status for status, states in STATES_OF.items() for state in states}


@dataclass(frozen=True, slots=True)
class Agent:
    """A person who takes calls and logs in.

    `queuecall_id` is the caller the agent is reserved for, rung for or talks to, and stays until the
    dialer says that the agent's phone is free again, also when that caller has been kicked meanwhile.
    The totals count domain time up to `tm_state`; reserved and ringing count for none of them.
    """

    id: UUID
    customer_id: UUID
    username: str
    name: str
    detail: str
    ring_method: str
    permission: int
    tag_ids: tuple[UUID, ...]
    addresses: tuple[Address, ...]
    state: AgentState
    next_status: str  # "" means available
    tm_state: datetime
    idle_since: datetime
    queuecall_id: UUID | None
    wrapup_until: datetime | None
    busy_ms_total: int
    available_ms_total: int
    wrapup_ms_total: int
    revision: int
    tm_create: datetime
    tm_update: datetime | None = None
    tm_delete: datetime | None = None

    @property
    def status(self) -> AgentStatus:
        """The documented word for the state."""
        return STATUS_OF[self.state]

    @property
    def is_admin(self) -> bool:
        """Whether the agent may administer its customer."""
        return bool(self.permission & PERMISSION_ADMIN)

    @property
    def is_on_call(self) -> bool:
        """Whether a caller holds the agent: reserved, ringing or talking."""
        return self.queuecall_id is not None

    def set_status(self, status: AgentStatus, at: datetime) -> Agent:
        """The agent after a user set its status.

        On a call the status waits for the call and its wrap-up to end; `available` in wrap-up ends
        that at once. Setting what already holds changes nothing.
        """
        if self.is_on_call or (
            self.state is AgentState.WRAPUP and status is not AgentStatus.AVAILABLE
        ):
            next_status = "" if status is AgentStatus.AVAILABLE else str(status)
            return self if next_status == self.next_status else self.edited(at, next_status)
        state = AgentState(status)
        if state is self.state:
            return self
        return self._moved(state, at, next_status="")

    def reserve(self, queuecall_id: UUID, at: datetime) -> Agent:
        """The available agent, chosen for a caller."""
        return self._moved(AgentState.RESERVED, at, queuecall_id=queuecall_id)

    def ring(self, at: datetime) -> Agent:
        """The reserved agent, whose phone rings now."""
        return self._moved(AgentState.RINGING, at, queuecall_id=self.queuecall_id)

    def talk(self, queuecall_id: UUID, at: datetime) -> Agent:
        """The agent, joined with the caller."""
        return self._moved(AgentState.BUSY, at, queuecall_id=queuecall_id)

    def miss(self, at: datetime) -> Agent:
        """The agent who did not answer: away, unless another status was waiting."""
        return self._moved(AgentState(self.next_status or AgentState.AWAY), at, next_status="")

    def release(self, at: datetime, *, keeps_place: bool) -> Agent:
        """The agent whose reservation ended without a conversation.

        `keeps_place`: the agent has been idle all the while and stays first in line.
        """
        idle_since = self.idle_since if keeps_place else max(at, self.tm_state)
        return replace(self._settled(at), idle_since=idle_since)

    def hang_up(self, at: datetime, wrapup_ms: int) -> Agent:
        """The agent after a conversation, in wrap-up if there is any."""
        if wrapup_ms <= 0:
            return self._settled(at)
        until = max(at, self.tm_state) + timedelta(milliseconds=wrapup_ms)
        return self._moved(AgentState.WRAPUP, at, wrapup_until=until)

    def end_wrapup(self, at: datetime) -> Agent:
        """The agent after wrap-up."""
        return self._settled(at)

    def edited(self, at: datetime, next_status: str) -> Agent:
        """The agent with another status waiting for the end of its call."""
        return replace(self, next_status=next_status, revision=self.revision + 1, tm_update=at)

    def deleted(self, at: datetime) -> Agent:
        """The agent, gone: offline for good."""
        gone = self._moved(AgentState.OFFLINE, at, next_status="")
        return replace(gone, tm_delete=at)

    def _settled(self, at: datetime) -> Agent:
        """Idle again, in the status that was waiting."""
        return self._moved(AgentState(self.next_status or "available"), at, next_status="")

    def _moved(
        self,
        state: AgentState,
        at: datetime,
        *,
        queuecall_id: UUID | None = None,
        wrapup_until: datetime | None = None,
        next_status: str | None = None,
    ) -> Agent:
        # Reports come from other processes and may be late: time spent is never counted twice.
        at = max(at, self.tm_state)
        spent = (at - self.tm_state) // _MILLISECOND
        is_talking = self.state is AgentState.BUSY and self.queuecall_id is not None
        was = self.state
        return replace(
            self,
            state=state,
            tm_state=at,
            idle_since=at if state is AgentState.AVAILABLE else self.idle_since,
            queuecall_id=queuecall_id,
            wrapup_until=wrapup_until,
            next_status=self.next_status if next_status is None else next_status,
            busy_ms_total=self.busy_ms_total + (spent if is_talking else 0),
            available_ms_total=self.available_ms_total
            + (spent if was is AgentState.AVAILABLE else 0),
            wrapup_ms_total=self.wrapup_ms_total + (spent if was is AgentState.WRAPUP else 0),
            revision=self.revision + 1,
            tm_update=at,
        )


@dataclass(frozen=True, slots=True)
class NewAgent:
    """The body of a create request. Without an id one is made; `permission` None means agent."""

    username: str
    password: str
    id: UUID | None = None
    digest: str = ""
    name: str = ""
    detail: str = ""
    ring_method: str = ""
    permission: int | None = None
    tag_ids: tuple[UUID, ...] = ()
    addresses: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentChange:
    """What an update sets; None leaves a member as it is."""

    name: str | None = None
    detail: str | None = None
    ring_method: str | None = None
    permission: int | None = None
    tag_ids: tuple[UUID, ...] | None = None
    addresses: tuple[Address, ...] | None = None
    status: AgentStatus | None = None
    password: str | None = None

    def applied(self, agent: Agent, at: datetime) -> Agent:
        """The agent with the new profile; the same object when nothing differs.

        The status is not part of the profile: it is set by `Agent.set_status`.
        """
        changed = replace(
            agent,
            name=agent.name if self.name is None else self.name,
            detail=agent.detail if self.detail is None else self.detail,
            ring_method=agent.ring_method if self.ring_method is None else self.ring_method,
            permission=agent.permission if self.permission is None else self.permission,
            tag_ids=agent.tag_ids if self.tag_ids is None else self.tag_ids,
            addresses=agent.addresses if self.addresses is None else self.addresses,
        )
        if changed == agent and self.password is None:
            return agent
        return replace(changed, revision=agent.revision + 1, tm_update=at)


@dataclass(frozen=True, slots=True)
class NewTag:
    """The body of a create request. Without an id one is made."""

    id: UUID | None = None
    digest: str = ""
    name: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Tag:
    """Groups agents into queues."""

    id: UUID
    customer_id: UUID
    name: str
    detail: str
    tm_create: datetime
    tm_update: datetime | None = None
    tm_delete: datetime | None = None


def check_username(username: str) -> str:
    """The username, if it is shaped like an e-mail address."""
    if fault := username_fault(username):
        raise invalid("username", username, fault, reason=INVALID_USERNAME_FORMAT)
    return username


def check_password(password: str) -> str:
    """The password, if its length is accepted. The error does not repeat it."""
    if fault := password_fault(password):
        raise invalid("password", f"{len(password)} characters long", fault)
    return password


def check_ring_method(method: str) -> str:
    """The ring method, `ringall` when empty."""
    if method and method not in RING_METHODS:
        raise invalid("ring_method", method, " or ".join(RING_METHODS))
    return method or RING_METHODS[0]


def check_permission(permission: int) -> int:
    """The permission bits, if a customer may give them."""
    if permission & ~PERMISSION_MASK:
        raise invalid(
            "permission", permission, "a sum of 16 (agent), 32 (admin), 64 (manager), or 0"
        )
    return permission


def check_status(status: str) -> AgentStatus:
    """A status that a user may set."""
    if status not in SETTABLE:
        raise invalid("status", status, ", ".join(SETTABLE))
    return AgentStatus(status)


def distinct_tags(tag_ids: tuple[UUID, ...]) -> tuple[UUID, ...]:
    """Each tag once, in order; InvalidArgument for too many."""
    if len(tag_ids) > MAX_TAGS:
        raise invalid("tag_ids", f"{len(tag_ids)} long", f"at most {MAX_TAGS} tags")
    return tuple(dict.fromkeys(tag_ids))


def check_addresses(addresses: tuple[Address, ...]) -> tuple[Address, ...]:
    """The addresses, if an agent's phone can have them and none is repeated."""
    if len(addresses) > MAX_ADDRESSES:
        raise invalid("addresses", f"{len(addresses)} long", f"at most {MAX_ADDRESSES} addresses")
    seen: set[tuple[str, str]] = set()
    for index, address in enumerate(addresses):
        if address.type not in ADDRESS_TYPES:
            raise invalid(f"addresses[{index}].type", address.type, ", ".join(ADDRESS_TYPES))
        key = (address.type, address.target)
        if key in seen:
            raise invalid(f"addresses[{index}].target", address.target, "each address once")
        seen.add(key)
    return addresses


def last_admin(agent: Agent) -> FailedPrecondition:
    """The error for taking away the last admin of a customer."""
    return FailedPrecondition(
        f"agent {agent.id} is the last admin of its customer; make another agent admin first",
        agent_id=str(agent.id),
    )
