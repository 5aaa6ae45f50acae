"""AssignAgents: reserves agents for callers, and tells a dialer the news of its queuecalls."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.common.clock import Clock
from services.queue.agents.domain import Agent, AgentState
from services.queue.queues.domain import RoutingMethod
from services.queue.queues.domain_matching import Candidate, Pair, match
from services.queue.queues.domain_queuecalls import (
    Assignment,
    EndReason,
    Held,
    Queuecall,
    QueuecallStatus,
    Step,
)
from services.queue.queues.ports import BeginQueues, DueTimes, QueuesTransaction
from services.queue.queues.service_changes import Changes

CALLERS_AT_ONCE = 500
"""Callers looked at in one call; those behind them wait for the next, as they would anyway."""
_ROUNDS = 3


@dataclass(slots=True)
class News:
    """What a dialer learns. An end without a reason: the queuecall is unknown, or over long since."""

    assignments: list[Assignment] = field(default_factory=list)
    ends: dict[UUID, EndReason | None] = field(default_factory=dict)
    lost_ids: list[UUID] = field(default_factory=list)


class AssigningService:
    """Reserves exactly one agent for each caller, oldest caller first."""

    def __init__(
        self, *, begin: BeginQueues, clock: Clock, due: DueTimes, chance: random.Random
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._due = due
        self._chance = chance

    async def assign_agents(
        self,
        dialer_id: str,
        waiting_ids: Collection[UUID],
        connecting_ids: Collection[UUID] = (),
        service_ids: Collection[UUID] = (),
    ) -> News:
        """Renew what the dialer holds, reserve agents for its waiting callers, and tell the news.

        Callers of other dialers who have waited longer in the same queues come first: their
        reservations are found by their own dialers.
        """
        waiting = set(waiting_ids)
        held_ids = waiting | {*connecting_ids, *service_ids}
        if not held_ids:
            return News()
        async with self._begin() as tx:
            held = await tx.queuecalls.renew(dialer_id, held_ids)
            reserved = [
                each.call.id
                for each in held.values()
                if each.call.status is QueuecallStatus.CONNECTING
            ]
            if reserved:
                await tx.roster.renew(reserved)
            news = _news(held, held_ids, waiting)
            news.assignments = await tx.queuecalls.assignments(waiting.intersection(reserved))
        hopeful = [
            each.call
            for queuecall_id, each in held.items()
            if queuecall_id in waiting
            and each.call.status is QueuecallStatus.WAITING
            and each.may_assign
        ]
        if hopeful:
            # A transaction of its own: waiting for the customers while holding rows would make
            # others skip those rows, and with them the oldest callers.
            news.assignments += await self._assign(hopeful)
        return news

    async def _assign(self, hopeful: Sequence[Queuecall]) -> list[Assignment]:
        asked_for = {call.id for call in hopeful}
        queue_ids = {call.queue_id for call in hopeful}
        customers = {call.customer_id for call in hopeful}
        async with self._begin() as tx:
            await tx.capacities.hold(customers)
            candidates = await tx.roster.candidates(customers)
            changes = None
            if candidates:
                changes = await self._reserve(tx, queue_ids, asked_for, candidates)
            # Read again rather than remembered: another dialer may have been faster for some.
            assignments = await tx.queuecalls.assignments(asked_for)
        if changes is not None:
            self._due.note(changes.due())
        return assignments

    async def _reserve(
        self,
        tx: QueuesTransaction,
        queue_ids: Collection[UUID],
        asked_for: Collection[UUID],
        candidates: Sequence[Candidate],
    ) -> Changes:
        now = self._clock.now()
        callers = await tx.queuecalls.waiting(queue_ids, asked_for, now, CALLERS_AT_ONCE)
        routings = await tx.queues.routings(queue_ids)
        made = Changes({}, [])
        steps: list[tuple[Pair, Step]] = []
        for _ in range(_ROUNDS):
            pairs = match(callers, candidates, routings, self._chance)
            if not pairs:
                break
            calls = await tx.queuecalls.try_lock(_callers(pairs))
            agents = await tx.roster.try_lock(_agents(pairs))
            for pair in pairs:
                step = _reservation(
                    calls.get(pair.caller.queuecall_id), agents.get(pair.agent_id), now
                )
                if step is not None:
                    steps.append((pair, step))
            made.know(calls, agents)
            # Somebody else has the rest in hand at this moment: match what is left once more.
            taken = {pair.agent_id for pair in pairs}
            done = {pair.caller.queuecall_id for pair, _ in steps}
            gone = {each for each in _callers(pairs) if not _waits(calls.get(each))}
            candidates = [each for each in candidates if each.agent_id not in taken]
            callers = [each for each in callers if each.queuecall_id not in done | gone]
        for pair, step in steps:
            made.apply(step)
            if routings[pair.caller.queue_id].method is RoutingMethod.ROUND_ROBIN:
                made.chose(pair.caller.queue_id, pair.agent_id)
        await made.write(tx)
        return made


def _news(held: Mapping[UUID, Held], held_ids: Iterable[UUID], waiting: Collection[UUID]) -> News:
    news = News()
    for queuecall_id in held_ids:
        found = held.get(queuecall_id)
        if found is None:
            news.ends[queuecall_id] = None
        elif not found.call.is_live:
            news.ends[queuecall_id] = EndReason(found.call.end_reason)
        elif found.call.status is QueuecallStatus.WAITING and queuecall_id not in waiting:
            news.lost_ids.append(queuecall_id)
    return news


def _waits(call: Queuecall | None) -> bool:
    return call is not None and call.status is QueuecallStatus.WAITING


def _reservation(call: Queuecall | None, agent: Agent | None, now: datetime) -> Step | None:
    """The two brought together, unless one of them has found something else meanwhile."""
    if call is None or agent is None or not _waits(call):
        return None
    if agent.state is not AgentState.AVAILABLE or agent.tm_delete is not None:
        return None
    return Step(call.offered(agent.id, now), agent.reserve(call.id, now))


def _callers(pairs: Iterable[Pair]) -> list[UUID]:
    return [pair.caller.queuecall_id for pair in pairs]


def _agents(pairs: Iterable[Pair]) -> list[UUID]:
    return [pair.agent_id for pair in pairs]
