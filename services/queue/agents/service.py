"""Use cases of agents: create, read, change, delete, log in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.common.clock import Clock
from services.common.creation import same_or_taken
from services.common.credentials import username_fault
from services.common.errors import (
    AlreadyExists,
    FailedPrecondition,
    Unauthenticated,
)
from services.common.ids import new_id
from services.common.ownership import owned
from services.common.paging import Page, cut
from services.common.texts import check_texts
from services.queue.agents import domain
from services.queue.agents.domain import Agent, AgentChange, AgentState, AgentStatus, NewAgent
from services.queue.agents.ports import AgentsTransaction, BeginAgents, Passwords
from services.queue.agents.service_tags import require_tags


class AgentService:
    """Agents of the customer that each call names."""

    def __init__(self, *, begin: BeginAgents, clock: Clock, passwords: Passwords) -> None:
        self._begin = begin
        self._clock = clock
        self._passwords = passwords

    async def create_agent(self, customer_id: UUID, new: NewAgent) -> Agent:
        """A new agent, offline. Repeating it with the same id and body gives the same agent.

        Raises InvalidArgument, and AlreadyExists for a taken username, address or id.
        """
        agent = _built(customer_id, new, self._clock.now())
        domain.check_password(new.password)
        password_hash = await self._passwords.hash(new.password)
        async with self._begin() as tx:
            # With the password as it was first hashed: the digest itself must not help to guess it.
            if not await tx.agents.insert(agent, password_hash, f"{new.digest}:{password_hash}"):
                digest = await self._repeated_digest(tx, agent.id, new)
                return await _same_or_taken(tx, agent, digest)
            await require_tags(tx.tags, customer_id, agent.tag_ids)
            tx.events.agent("created", agent)
            return agent

    async def get_agent(self, customer_id: UUID, agent_id: UUID) -> Agent:
        """The agent, also a deleted one."""
        async with self._begin() as tx:
            return _owned(customer_id, agent_id, await tx.agents.get(agent_id))

    async def list_agents(
        self,
        customer_id: UUID,
        page: Page,
        tag_ids: tuple[UUID, ...] = (),
        status: AgentStatus | None = None,
    ) -> tuple[list[Agent], str]:
        """One page of those not deleted, and the next page's token."""
        states = () if status is None else domain.STATES_OF[status]
        async with self._begin() as tx:
            return cut(await tx.agents.list_page(customer_id, page, tag_ids, states), page)

    async def update_agent(self, customer_id: UUID, agent_id: UUID, change: AgentChange) -> Agent:
        """The agent with the members that are present changed.

        A status set while the agent is on a call is remembered as next_status. Raises
        FailedPrecondition for a deleted agent and for the demotion of the last admin.
        """
        change = _checked(change)
        password_hash = None
        if change.password is not None:
            password_hash = await self._passwords.hash(change.password)
        async with self._begin() as tx:
            if change.permission is not None:
                await tx.agents.hold_admins(customer_id)
            if change.tag_ids is not None:
                # Before the agent: the deletion of a tag locks in this order too.
                await require_tags(tx.tags, customer_id, change.tag_ids)
            agent = await _locked(tx, customer_id, agent_id)
            now = self._clock.now()
            changed = change.applied(agent, now)
            if agent.is_admin and not changed.is_admin:
                await _require_other_admin(tx, agent)
            if changed is not agent:
                await tx.agents.save_profile(changed, password_hash)
                tx.events.agent("updated", changed)
            changed = await _set_status(tx, changed, change.status, now)
        return changed

    async def delete_agent(self, customer_id: UUID, agent_id: UUID) -> Agent:
        """The agent, now deleted; deleting it again changes nothing.

        Raises FailedPrecondition for the last admin and while the agent is on a call.
        """
        async with self._begin() as tx:
            await tx.agents.hold_admins(customer_id)
            agent = _owned(customer_id, agent_id, await tx.agents.lock(agent_id))
            if agent.tm_delete is not None:
                return agent
            if agent.is_on_call:
                raise FailedPrecondition(
                    f"agent {agent_id} is {agent.state}; delete it when the call has ended",
                    agent_id=str(agent_id),
                    state=str(agent.state),
                )
            if agent.is_admin:
                await _require_other_admin(tx, agent)
            gone = agent.deleted(self._clock.now())
            await tx.agents.save_states([gone])
            await tx.agents.save_profile(gone, None)
            tx.events.agent("deleted", gone)
        return gone

    async def verify_password(self, username: str, password: str) -> Agent:
        """The agent who logs in; Unauthenticated INVALID_CREDENTIALS without saying what is wrong."""
        found = None
        if not username_fault(username):
            async with self._begin() as tx:
                found = await tx.agents.credentials(username)
        is_right = await self._passwords.matches(
            password, None if found is None else found.password_hash
        )
        if found is None or not is_right:
            raise Unauthenticated(
                "unknown username or wrong password", reason=domain.INVALID_CREDENTIALS
            )
        return found.agent

    async def _repeated_digest(self, tx: AgentsTransaction, agent_id: UUID, new: NewAgent) -> str:
        """What the agent was added with if this request made it; else something different."""
        _, _, first_hash = (await tx.agents.digest(agent_id) or "").partition(":")
        if first_hash and await self._passwords.matches(new.password, first_hash):
            return f"{new.digest}:{first_hash}"
        # Also what is kept of agents added before passwords were compared.
        return new.digest


def _built(customer_id: UUID, new: NewAgent, now: datetime) -> Agent:
    check_texts(name=new.name, detail=new.detail)
    permission = domain.PERMISSION_AGENT if new.permission is None else new.permission
    return Agent(
        id=new.id or new_id(),
        customer_id=customer_id,
        username=domain.check_username(new.username),
        name=new.name,
        detail=new.detail,
        ring_method=domain.check_ring_method(new.ring_method),
        permission=domain.check_permission(permission),
        tag_ids=domain.distinct_tags(new.tag_ids),
        addresses=domain.check_addresses(new.addresses),
        state=AgentState.OFFLINE,
        next_status="",
        tm_state=now,
        idle_since=now,
        queuecall_id=None,
        wrapup_until=None,
        busy_ms_total=0,
        available_ms_total=0,
        wrapup_ms_total=0,
        revision=1,
        tm_create=now,
    )


async def _same_or_taken(tx: AgentsTransaction, wanted: Agent, digest: str) -> Agent:
    if await tx.agents.get(wanted.id) is None:
        raise AlreadyExists(
            f"the username {wanted.username!r} is taken; choose another one",
            reason=domain.AGENT_ALREADY_EXISTS,
            username=wanted.username,
        )
    reason = domain.AGENT_ALREADY_EXISTS
    return await same_or_taken(tx.agents, wanted, digest, "agent", reason=reason)


def _checked(change: AgentChange) -> AgentChange:
    check_texts(name=change.name, detail=change.detail)
    if change.permission is not None:
        domain.check_permission(change.permission)
    if change.addresses is not None:
        domain.check_addresses(change.addresses)
    if change.password is not None:
        domain.check_password(change.password)
    if change.tag_ids is not None:
        change = replace(change, tag_ids=domain.distinct_tags(change.tag_ids))
    if change.ring_method is not None:
        change = replace(change, ring_method=domain.check_ring_method(change.ring_method))
    return change


def _owned(customer_id: UUID, agent_id: UUID, agent: Agent | None) -> Agent:
    return owned(agent, "agent", agent_id, customer_id, reason=domain.AGENT_NOT_FOUND)


async def _locked(tx: AgentsTransaction, customer_id: UUID, agent_id: UUID) -> Agent:
    agent = _owned(customer_id, agent_id, await tx.agents.lock(agent_id))
    if agent.tm_delete is not None:
        raise FailedPrecondition(f"agent {agent_id} is deleted", agent_id=str(agent_id))
    return agent


async def _require_other_admin(tx: AgentsTransaction, agent: Agent) -> None:
    if await tx.agents.count_admins(agent.customer_id) <= 1:
        raise domain.last_admin(agent)


async def _set_status(
    tx: AgentsTransaction, agent: Agent, status: AgentStatus | None, now: datetime
) -> Agent:
    changed = agent if status is None else agent.set_status(status, now)
    if changed is not agent:
        await tx.agents.save_states([changed])
        # A status change has only its own name; a status that waits changes no status.
        tx.events.agent(
            "status_updated" if changed.status is not agent.status else "updated", changed
        )
    return changed
