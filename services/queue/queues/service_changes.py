"""Collects what happens to callers and agents in one transaction, and writes it in few statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.common.metrics import counter, histogram
from services.queue.agents.domain import Agent
from services.queue.queues.domain import Tally
from services.queue.queues.domain_queuecalls import EVENT_OF, Queuecall, QueuecallStatus, Step
from services.queue.queues.ports import QueuesTransaction

_moves = counter("queuecalls", "Queuecalls that reached a status", ("status",))
_waited = histogram(
    "queuecall_wait_seconds",
    "Domain time callers waited until served or gone",
    ("outcome",),
    (0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600),
)
_became = counter("agents_became", "Agents that reached a state", ("state",))


class Changes:
    """The callers and agents of a transaction, as they were locked and as they have become.

    Facts are applied one after another: each sees what the ones before it did.
    """

    def __init__(self, calls: dict[UUID, Queuecall], agents: list[Agent]) -> None:
        self._calls = dict(calls)
        self._agents = {each.id: each for each in agents}
        self._holders = {each.queuecall_id: each.id for each in agents if each.queuecall_id}
        self._saved_calls: dict[UUID, Queuecall] = {}
        self._saved_agents: dict[UUID, Agent] = {}
        self._resting: set[UUID] = set()
        self._tallies: dict[UUID, Tally] = {}
        self._events: list[tuple[str, Queuecall | Agent]] = []

    def call(self, queuecall_id: UUID) -> Queuecall | None:
        """The queuecall as it is by now."""
        return self._calls.get(queuecall_id)

    def agent(self, agent_id: UUID | None) -> Agent | None:
        """The agent as it is by now."""
        return None if agent_id is None else self._agents.get(agent_id)

    def holder(self, queuecall_id: UUID) -> Agent | None:
        """The agent who belongs to the queuecall by now."""
        return self.agent(self._holders.get(queuecall_id))

    def know(self, calls: Mapping[UUID, Queuecall], agents: Mapping[UUID, Agent]) -> None:
        """Add some that were locked later."""
        self._calls.update(calls)
        self._agents.update(agents)

    def apply(self, step: Step) -> None:
        """Take a step over."""
        if step.agent is not None and step.must_rest:
            self._resting.add(step.agent.id)
        if step.call is not None:
            self._take_call(step.call)
        if step.agent is not None:
            self._take_agent(step.agent)

    def joined(self, call: Queuecall) -> None:
        """A new caller, who is stored already: only to be counted and told of."""
        created = replace(call, status=QueuecallStatus.INITIATING, revision=1)
        self._events += [("created", created), (EVENT_OF[call.status], call)]
        tally = self._tallies.get(call.queue_id, Tally())
        self._tallies[call.queue_id] = replace(tally, incoming=tally.incoming + 1)
        _moves.labels(str(call.status)).inc()

    def chose(self, queue_id: UUID, agent_id: UUID) -> None:
        """Remember whom the queue chose last."""
        tally = self._tallies.get(queue_id, Tally())
        self._tallies[queue_id] = replace(tally, last_agent_id=agent_id)

    def due(self) -> Iterator[datetime]:
        """The domain instants at which something follows from what was written."""
        for agent in self._saved_agents.values():
            if agent.wrapup_until is not None:
                yield agent.wrapup_until
        for call in self._saved_calls.values():
            deadline = {
                QueuecallStatus.WAITING: call.wait_deadline,
                QueuecallStatus.SERVICE: call.service_deadline,
            }.get(call.status)
            if deadline is not None:
                yield deadline

    async def write(self, tx: QueuesTransaction) -> None:
        """Write everything that changed, with its events; counters last, see Queues."""
        await tx.queuecalls.save(list(self._saved_calls.values()))
        await tx.roster.save_states(list(self._saved_agents.values()), self._resting)
        for event, subject in self._events:
            if isinstance(subject, Agent):
                tx.events.agent(event, subject)
            else:
                tx.events.queuecall(event, subject)
        await tx.queues.add_to_counters(self._tallies)
        self._measure()

    def _take_call(self, call: Queuecall) -> None:
        before = self._calls[call.id]
        self._calls[call.id] = self._saved_calls[call.id] = call
        self._events.append((EVENT_OF[call.status], call))
        tally = self._tallies.get(call.queue_id, Tally())
        if before.status is QueuecallStatus.ABANDONED:
            # Served after all: what was counted for it is taken back.
            gone_ms = tally.waited_ms - before.duration_waiting
            tally = replace(tally, abandoned=tally.abandoned - 1, waited_ms=gone_ms)
        waited_ms = tally.waited_ms + call.duration_waiting
        if call.status is QueuecallStatus.SERVICE:
            tally = replace(tally, serviced=tally.serviced + 1, waited_ms=waited_ms)
        elif call.status is QueuecallStatus.ABANDONED:
            tally = replace(tally, abandoned=tally.abandoned + 1, waited_ms=waited_ms)
        self._tallies[call.queue_id] = tally

    def _take_agent(self, agent: Agent) -> None:
        before = self._agents[agent.id]
        if before.queuecall_id is not None:
            self._holders.pop(before.queuecall_id, None)
        if agent.queuecall_id is not None:
            self._holders[agent.queuecall_id] = agent.id
        self._agents[agent.id] = self._saved_agents[agent.id] = agent
        # The documented statuses change exactly when the availability or the status shown does.
        if before.status is not agent.status:
            self._events.append(("status_updated", agent))

    def _measure(self) -> None:
        for call in self._saved_calls.values():
            _moves.labels(str(call.status)).inc()
            if call.status in (QueuecallStatus.SERVICE, QueuecallStatus.ABANDONED):
                _waited.labels(str(call.status)).observe(call.duration_waiting / 1000)
        for agent in self._saved_agents.values():
            _became.labels(str(agent.state)).inc()
