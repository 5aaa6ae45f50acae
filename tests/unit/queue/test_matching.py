"""Which caller gets which agent."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.common.ids import new_id
from services.queue.queues.domain import RoutingMethod
from services.queue.queues.domain_matching import Caller, Candidate, Pair, Routing, match
from tests.unit.queue.factories import CUSTOMER, START

QUEUE, CAMPAIGN = new_id(), new_id()
PLAIN = Routing(CUSTOMER, RoutingMethod.DEFAULT, frozenset(), None)


def callers(count: int, **members: object) -> list[Caller]:
    plain = [
        Caller(new_id(), QUEUE, CAMPAIGN, START + timedelta(seconds=number))
        for number in range(count)
    ]
    return [replace(each, **members) for each in plain]  # type: ignore[arg-type]


def candidates(count: int, **members: object) -> list[Candidate]:
    plain = [
        Candidate(new_id(), CUSTOMER, frozenset(), START + timedelta(seconds=number), None)
        for number in range(count)
    ]
    return [replace(each, **members) for each in plain]  # type: ignore[arg-type]


def matched(
    waiting: list[Caller], free: list[Candidate], routing: Routing = PLAIN
) -> dict[UUID, UUID]:
    pairs: list[Pair] = match(waiting, free, {QUEUE: routing}, random.Random(1))
    return {pair.caller.queuecall_id: pair.agent_id for pair in pairs}


def test_the_oldest_caller_gets_the_agent_idle_longest() -> None:
    waiting, free = callers(3), candidates(2)
    expected = dict(
        zip([each.queuecall_id for each in waiting], [a.agent_id for a in free], strict=False)
    )
    assert matched(waiting[::-1], free[::-1]) == expected


def test_a_caller_nobody_can_serve_does_not_hold_up_the_others() -> None:
    red = new_id()
    hopeless = callers(1, campaign_id=new_id(), tm=START - timedelta(seconds=9))
    waiting = callers(1)
    free = candidates(1, granted_to=CAMPAIGN, tag_ids=frozenset([red]))
    pairs = matched(hopeless + waiting, free, replace(PLAIN, tag_ids=frozenset([red])))
    assert pairs == {waiting[0].queuecall_id: free[0].agent_id}


def test_an_own_grant_comes_before_longer_idleness() -> None:
    waiting = callers(1)
    idle = candidates(1, idle_since=START - timedelta(hours=1))
    own = candidates(1, granted_to=CAMPAIGN)
    assert matched(waiting, idle + own) == {waiting[0].queuecall_id: own[0].agent_id}


def test_callers_without_a_campaign_take_only_ungranted_agents() -> None:
    waiting = callers(1, campaign_id=None)
    assert matched(waiting, candidates(1, granted_to=CAMPAIGN)) == {}
    assert len(matched(waiting, candidates(1))) == 1


def test_round_robin_starts_behind_the_last_one_and_goes_around() -> None:
    free = sorted(candidates(3), key=lambda each: each.agent_id)
    routing = replace(PLAIN, method=RoutingMethod.ROUND_ROBIN, last_agent_id=free[1].agent_id)
    chosen = list(matched(callers(3), free, routing).values())
    assert chosen == [free[2].agent_id, free[0].agent_id, free[1].agent_id]


def test_random_chooses_anybody() -> None:
    free = candidates(5)
    routing = replace(PLAIN, method=RoutingMethod.RANDOM)
    chance = random.Random(1)
    found = {
        pair.agent_id
        for _ in range(100)
        for pair in match(callers(1), free, {QUEUE: routing}, chance)
    }
    assert found == {each.agent_id for each in free}


@given(st.integers(0, 12), st.integers(0, 12), st.lists(st.sampled_from([0, 1, 2]), max_size=12))
def test_no_agent_is_given_twice_and_none_is_left_idle(
    waiting: int, free: int, grants: list[int]
) -> None:
    holders = [None, CAMPAIGN, new_id()]
    agents = [
        replace(agent, granted_to=holders[grant])
        for agent, grant in zip(candidates(free), [*grants, *[0] * 12], strict=False)
    ]
    pairs = matched(callers(waiting), agents)
    usable = sum(each.granted_to in (None, CAMPAIGN) for each in agents)
    assert len(set(pairs.values())) == len(pairs) == min(waiting, usable)
