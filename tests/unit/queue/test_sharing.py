"""How agents are shared among campaigns."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.common.ids import new_id
from services.queue.queues.domain_sharing import Demand, FreeAgent, Grants, Group, share
from tests.unit.queue.factories import CUSTOMER

ANY: frozenset[UUID] = frozenset()
FIRST, SECOND, THIRD = new_id(), new_id(), new_id()


def group(
    count: int, *, granted_to: UUID | None = None, tags: frozenset[UUID] = ANY, fading: bool = True
) -> Group:
    free = tuple(FreeAgent(new_id(), granted_to, fading) for _ in range(count))
    return Group(CUSTOMER, tags, count, free)


def joined(*groups: Group) -> Group:
    free = tuple(agent for each in groups for agent in each.free)
    return Group(CUSTOMER, ANY, len(free), free)


def demand(campaign: UUID, tags: frozenset[UUID] = ANY, most: int | None = None) -> Demand:
    return Demand(campaign, CUSTOMER, tags, most)


def counts(grants: Grants) -> Counter[UUID]:
    held = Counter(grants.kept.values())
    held.update(each for each in grants.writes.values() if each is not None)
    return held


def test_equal_shares() -> None:
    grants = share([group(6)], [demand(FIRST), demand(SECOND)], {FIRST, SECOND}, 0)
    assert counts(grants) == {FIRST: 3, SECOND: 3}


def test_what_is_over_goes_by_turns() -> None:
    demands, asking = [demand(FIRST), demand(SECOND)], {FIRST, SECOND}
    winners = {
        counts(share([group(1)], demands, asking, turn)).most_common()[0][0] for turn in range(20)
    }
    assert winners == asking


def test_a_live_grant_of_somebody_not_asking_now_stays() -> None:
    groups = [group(4, granted_to=FIRST)]
    grants = share(groups, [demand(FIRST), demand(SECOND)], {SECOND}, 0)
    assert grants == Grants()


def test_shares_are_left_free_for_those_who_ask_later() -> None:
    grants = share([group(4, granted_to=FIRST)], [demand(FIRST), demand(SECOND)], {FIRST}, 0)
    assert counts(grants) == {FIRST: 2}
    assert list(grants.writes.values()).count(None) == 2


def test_fresh_grants_are_not_written_again() -> None:
    grants = share([group(3, granted_to=FIRST, fading=False)], [demand(FIRST)], {FIRST}, 0)
    assert (len(grants.kept), grants.writes) == (3, {})


def test_waiting_callers_claim_no_more_agents_than_they_are() -> None:
    grants = share([group(9)], [demand(FIRST), demand(SECOND, most=2)], {FIRST}, 0)
    assert counts(grants) == {FIRST: 7}


def test_agents_that_few_can_use_are_given_out_first() -> None:
    red, blue = frozenset([new_id()]), frozenset([new_id()])
    groups = [group(4, tags=red | blue), group(4, tags=red)]
    grants = share(groups, [demand(FIRST, red), demand(SECOND, blue)], {FIRST, SECOND}, 0)
    assert counts(grants) == {FIRST: 4, SECOND: 4}


def test_other_customers_agents_are_never_granted() -> None:
    foreign = Group(new_id(), ANY, 3, group(3).free)
    assert share([foreign], [demand(FIRST)], {FIRST}, 0) == Grants()


@given(
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 9),
    st.sets(st.sampled_from([FIRST, SECOND, THIRD]), min_size=1),
    st.integers(0, 5),
)
def test_no_agent_is_promised_twice_and_shares_differ_by_one_at_most(
    free: int, first: int, second: int, asking: set[UUID], turn: int
) -> None:
    everything = joined(
        group(free), group(first, granted_to=FIRST), group(second, granted_to=SECOND, fading=False)
    )
    demands = [demand(each) for each in (FIRST, SECOND, THIRD)]
    grants = share([everything], demands, asking, turn)
    # Nothing is taken from those who were told a number and do not ask now.
    untouched = {
        agent.id
        for agent in everything.free
        if agent.granted_to is not None and agent.granted_to not in asking
    }
    assert untouched.isdisjoint(grants.writes.keys() | grants.kept.keys())
    held = counts(grants)
    assert set(held) <= asking
    assert held.total() + len(untouched) <= len(everything.free)
    if asking == {FIRST, SECOND, THIRD}:
        shares = [held[each] for each in asking]
        assert sum(shares) == len(everything.free)
        assert max(shares) - min(shares) <= 1
