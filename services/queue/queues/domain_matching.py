"""Which caller gets which agent. Pure: rows in, pairs out."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.queue.queues.domain import RoutingMethod, is_served_by


@dataclass(frozen=True, slots=True)
class Caller:
    """One who waits."""

    queuecall_id: UUID
    queue_id: UUID
    campaign_id: UUID | None
    tm: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent who could be reserved. `granted_to` holds a live grant's campaign."""

    agent_id: UUID
    customer_id: UUID
    tag_ids: frozenset[UUID]
    idle_since: datetime
    granted_to: UUID | None


@dataclass(frozen=True, slots=True)
class Routing:
    """How a queue chooses. `last_agent_id` is whom it chose last, for round robin."""

    customer_id: UUID
    method: RoutingMethod
    tag_ids: frozenset[UUID]
    last_agent_id: UUID | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A caller and the agent chosen for it."""

    caller: Caller
    agent_id: UUID


def match(
    callers: Iterable[Caller],
    candidates: Sequence[Candidate],
    routings: Mapping[UUID, Routing],
    chance: random.Random,
) -> list[Pair]:
    """Give each caller, oldest first, one agent that is left.

    An agent granted to the caller's campaign is preferred to one granted to nobody; one granted to
    another campaign is not taken: that campaign is dialing for it right now.
    """
    free = sorted(candidates, key=lambda each: (each.idle_since, each.agent_id))
    last = {queue_id: routing.last_agent_id for queue_id, routing in routings.items()}
    hopeless: set[tuple[UUID, UUID | None]] = set()
    pairs = []
    for caller in sorted(callers, key=lambda each: (each.tm, each.queuecall_id)):
        kind = (caller.queue_id, caller.campaign_id)
        routing = routings.get(caller.queue_id)
        if routing is None or kind in hopeless:
            continue
        eligible = _eligible(free, routing, caller.campaign_id)
        if not eligible:
            # Agents only become fewer here, so nobody behind this caller fares better.
            hopeless.add(kind)
            continue
        chosen = _choose(eligible, routing.method, last[caller.queue_id], chance)
        last[caller.queue_id] = chosen.agent_id
        free.remove(chosen)
        pairs.append(Pair(caller, chosen.agent_id))
    return pairs


def _eligible(
    free: Sequence[Candidate], routing: Routing, campaign_id: UUID | None
) -> list[Candidate]:
    able = [each for each in free if is_served_by(routing, each)]
    granted = [each for each in able if each.granted_to and each.granted_to == campaign_id]
    return granted or [each for each in able if each.granted_to is None]


def _choose(
    eligible: Sequence[Candidate],
    method: RoutingMethod,
    last_agent_id: UUID | None,
    chance: random.Random,
) -> Candidate:
    """One of them; they are given with the longest idle first."""
    if method is RoutingMethod.RANDOM:
        return chance.choice(eligible)
    if method is RoutingMethod.ROUND_ROBIN:
        circle = sorted(eligible, key=lambda each: each.agent_id)
        after = (each for each in circle if last_agent_id and each.agent_id > last_agent_id)
        return next(after, circle[0])
    return eligible[0]
