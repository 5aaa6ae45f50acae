"""How available agents are shared among the campaigns that ask for them. Pure.

An agent may serve several queues, and a queue several campaigns. Each agent is granted to one
campaign at a time, so that two campaigns never dial for the same agent.
"""

from __future__ import annotations

import heapq
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.queue.queues.domain import is_served_by


@dataclass(frozen=True, slots=True)
class Ask:
    """One campaign's question for agents of a queue."""

    queue_id: UUID
    campaign_id: UUID


@dataclass(frozen=True, slots=True)
class Asked:
    """A queue that a campaign asked for."""

    queue_id: UUID
    customer_id: UUID
    tag_ids: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class FreeAgent:
    """An available agent. A grant is `fading` when less than half of its life is left."""

    id: UUID
    granted_to: UUID | None
    is_fading: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The agents of one customer who have the same tags and therefore serve the same queues."""

    customer_id: UUID
    tag_ids: frozenset[UUID]
    staffed_count: int  # not offline
    free: tuple[FreeAgent, ...]


@dataclass(frozen=True, slots=True)
class Demand:
    """A campaign that wants agents of a queue; at most `most` of them, None for any number."""

    campaign_id: UUID
    customer_id: UUID
    tag_ids: frozenset[UUID]
    most: int | None = None


@dataclass(slots=True)
class Grants:
    """What to do. `writes`: agent -> campaign, None to take a grant away. `kept`: nothing to write."""

    writes: dict[UUID, UUID | None] = field(default_factory=dict)
    kept: dict[UUID, UUID] = field(default_factory=dict)


def share(
    groups: Sequence[Group], demands: Sequence[Demand], asking: Collection[UUID], turn: int
) -> Grants:
    """Equal shares for all campaigns that want agents, granted to those asking now.

    A live grant of a campaign that is not asking now is left alone: it was told that number and
    may be dialing by it. What is over goes by turns: `turn` changes every few seconds.
    """
    counts: Counter[UUID] = Counter()
    for group in groups:
        counts.update(
            each.granted_to
            for each in group.free
            if each.granted_to is not None and each.granted_to not in asking
        )
    limits = _limits(demands)
    grants = Grants()
    wanted = [
        (group, sorted({each.campaign_id for each in demands if is_served_by(each, group)}))
        for group in groups
    ]
    # Agents whom few can use first, so that those who can use others as well take others.
    for group, campaigns in sorted(wanted, key=lambda each: len(each[1])):
        pool = [each for each in group.free if each.granted_to is None or each.granted_to in asking]
        quotas = _quotas(len(pool), campaigns, counts, limits, turn)
        _hand_out(pool, quotas, asking, grants)
    return grants


def _limits(demands: Iterable[Demand]) -> dict[UUID, int]:
    """How many agents a campaign takes at most; those without a limit are left out."""
    limits: dict[UUID, int] = {}
    unlimited = {each.campaign_id for each in demands if each.most is None}
    for each in demands:
        if each.most is not None and each.campaign_id not in unlimited:
            limits[each.campaign_id] = limits.get(each.campaign_id, 0) + each.most
    return limits


def _quotas(
    agents: int,
    campaigns: Sequence[UUID],
    counts: Counter[UUID],
    limits: Mapping[UUID, int],
    turn: int,
) -> Counter[UUID]:
    """Fill up whoever has fewest, agent by agent; `counts` grows with it."""
    quotas: Counter[UUID] = Counter()
    heap = [(counts[each], _turn_of(each, turn), each) for each in campaigns]
    heapq.heapify(heap)
    while agents and heap:
        count, order, campaign = heapq.heappop(heap)
        if count >= limits.get(campaign, count + 1):
            continue
        quotas[campaign] += 1
        counts[campaign] += 1
        agents -= 1
        heapq.heappush(heap, (count + 1, order, campaign))
    return quotas


def _turn_of(campaign_id: UUID, turn: int) -> int:
    """A different order of the campaigns every turn, and the same one in every process."""
    return zlib.crc32(campaign_id.bytes + turn.to_bytes(8, "big", signed=True))


def _hand_out(
    pool: Sequence[FreeAgent], quotas: Counter[UUID], asking: Collection[UUID], grants: Grants
) -> None:
    """Turn quotas into grants, changing as few as possible."""
    left = Counter({each: count for each, count in quotas.items() if each in asking})
    rest = []
    for agent in pool:
        holder = agent.granted_to
        if holder is None or not left[holder]:
            rest.append(agent)
            continue
        left[holder] -= 1
        if agent.is_fading:
            grants.writes[agent.id] = holder
        else:
            grants.kept[agent.id] = holder
    takers = left.elements()
    for agent in rest:
        # Without a taker the agent waits, ungranted, for a campaign that asks later.
        taker = next(takers, None)
        if taker is not None or agent.granted_to is not None:
            grants.writes[agent.id] = taker
