"""Grants: campaigns that share agents never see more than there are."""

from __future__ import annotations

import asyncio
from uuid import UUID

from services.common.ids import new_id
from services.queue.agents.domain import AgentStatus
from services.queue.queues.domain_queuecalls import ReportKind
from services.queue.queues.service_capacity import Capacity
from tests.integration.queue.world import World


def granted(capacities: list[Capacity]) -> list[int]:
    return [each.available_count for each in capacities]


async def test_only_available_agents_with_a_phone_count(world: World) -> None:
    queue, campaign = await world.queue(), new_id()
    await world.available(2)
    for status in (AgentStatus.AWAY, AgentStatus.BUSY, None):
        await world.agent(status)
    await world.agent(AgentStatus.AVAILABLE, addresses=())
    [answer] = await world.capacity((queue, campaign))
    assert (answer.available_count, answer.queue_available_count) == (2, 2)
    assert answer.staffed_count == 5  # all but the one offline


async def test_reserved_ringing_talking_and_wrapping_up_agents_do_not_count(world: World) -> None:
    queue, campaign = await world.queue(wrapup_time=1_000), new_id()
    [agent] = await world.available()
    caller = await world.join(queue)
    seen = []
    await world.assign(caller)
    seen += granted(await world.capacity((queue, campaign)))
    for kind in (ReportKind.RINGING, ReportKind.CONNECTED, ReportKind.ENDED):
        await world.report(caller, kind, agent_id=agent)
        seen += granted(await world.capacity((queue, campaign)))
    await world.clock.advance(1)
    await world.sweep()
    seen += granted(await world.capacity((queue, campaign)))
    assert seen == [0, 0, 0, 0, 1]


async def test_campaigns_share_equally(world: World) -> None:
    queue, first, second = await world.queue(), new_id(), new_id()
    await world.available(10)
    assert granted(await world.capacity((queue, first), (queue, second))) == [5, 5]


async def test_a_newcomer_gets_what_the_others_give_back(world: World) -> None:
    queue, first, second = await world.queue(), new_id(), new_id()
    await world.available(10)
    assert granted(await world.capacity((queue, first))) == [10]
    # The first was told ten and may be dialing for all of them.
    assert granted(await world.capacity((queue, second))) == [0]
    assert granted(await world.capacity((queue, first))) == [5]
    assert granted(await world.capacity((queue, second))) == [5]


async def test_a_campaign_that_stops_asking_loses_its_agents(world: World) -> None:
    queue, first, second = await world.queue(), new_id(), new_id()
    await world.available(4)
    await world.capacity((queue, first), (queue, second))
    await world.let_grants_lapse()
    assert granted(await world.capacity((queue, second))) == [4]


async def test_an_agent_of_several_queues_is_counted_once(world: World) -> None:
    red, blue = await world.tag("red"), await world.tag("blue")
    reds, blues = await world.queue(tag_ids=(red,)), await world.queue(tag_ids=(blue,))
    await world.available(6, tag_ids=(red, blue))
    await world.available(1, tag_ids=(red,))
    answers = await world.capacity((reds, new_id()), (blues, new_id()))
    assert sorted(granted(answers)) == [3, 4]
    assert [each.queue_available_count for each in answers] == [7, 6]


async def test_agents_only_one_campaign_can_use_go_to_it(world: World) -> None:
    red, blue = await world.tag("red"), await world.tag("blue")
    reds, everybody = await world.queue(tag_ids=(red,)), await world.queue()
    await world.available(4, tag_ids=(blue,))
    await world.available(4, tag_ids=(red,))
    assert granted(await world.capacity((reds, new_id()), (everybody, new_id()))) == [4, 4]


async def test_a_caller_past_its_wait_limit_is_nobody_to_keep_an_agent_for(world: World) -> None:
    queue, campaign = await world.queue(wait_timeout=5_000), new_id()
    await world.available(2)
    await world.join(queue, campaign_id=new_id())
    assert granted(await world.capacity((queue, campaign))) == [1]
    await world.clock.advance(6)
    assert granted(await world.capacity((queue, campaign))) == [2]


async def test_customers_do_not_share(world: World) -> None:
    queue, campaign = await world.queue(), new_id()
    await world.available(2)
    world.customer_id = new_id()
    other = await world.queue()
    await world.available(3)
    answers = await world.capacity((queue, campaign), (other, campaign), (new_id(), campaign))
    assert granted(answers) == [2, 3, 0]


async def test_dialers_asking_at_once_never_see_more_than_the_agents(world: World) -> None:
    queue = await world.queue()
    await world.available(7)
    campaigns = [new_id() for _ in range(5)]
    latest: dict[UUID, int] = {}

    async def ask(campaign: UUID) -> None:
        [answer] = await world.capacity((queue, campaign))
        latest[campaign] = answer.available_count

    for _ in range(10):
        await asyncio.gather(*(ask(campaign) for campaign in campaigns))
        [row] = await world.sql(
            "SELECT count(*) FROM agents WHERE granted_until > now()"
            " AND granted_campaign_id IS NOT NULL"
        )
        assert row[0] <= 7
    # Everybody has asked after everybody else by now: the sum of what they were told is real.
    assert sum(latest.values()) <= 7
    assert all(count in (0, 1, 2) for count in latest.values())


async def test_a_caller_takes_its_own_campaigns_agent_first(world: World) -> None:
    queue, own, other = await world.queue(), new_id(), new_id()
    first, second = await world.available(2)
    await world.capacity((queue, own), (queue, other))
    rows = await world.sql("SELECT id, granted_campaign_id FROM agents")
    holder = {campaign: agent for agent, campaign in rows}
    assert set(holder) == {own, other}
    caller, following = await world.join(queue, 2, campaign_id=own)
    # The second caller does not get the agent that the other campaign dials for.
    assert await world.pairs(caller, following) == {caller: holder[own]}
    await world.let_grants_lapse()
    assert await world.pairs(following) == {following: holder[other]}
    assert set(holder.values()) == {first, second}


async def test_waiting_callers_of_a_campaign_that_stopped_asking_get_a_share(world: World) -> None:
    queue, stopped, running = await world.queue(), new_id(), new_id()
    callers = await world.join(queue, 2, campaign_id=stopped)
    await world.available(6)
    assert granted(await world.capacity((queue, running))) == [4]
    assert len(await world.pairs(*callers)) == 2


async def test_a_reserved_agent_loses_its_grant(world: World) -> None:
    queue, campaign = await world.queue(), new_id()
    await world.available()
    await world.capacity((queue, campaign))
    caller = await world.join(queue, campaign_id=campaign)
    await world.assign(caller)
    [row] = await world.sql("SELECT granted_campaign_id, granted_until FROM agents")
    assert tuple(row) == (None, None)


async def test_asking_again_soon_writes_nothing(world: World) -> None:
    queue, campaign = await world.queue(), new_id()
    await world.available(3)
    await world.capacity((queue, campaign))
    versions = await world.sql("SELECT id, xmin FROM agents ORDER BY id")
    assert granted(await world.capacity((queue, campaign))) == [3]
    assert await world.sql("SELECT id, xmin FROM agents ORDER BY id") == versions
