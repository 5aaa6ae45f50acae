"""Leases between dialers that race for campaigns."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from services.campaign.campaigns.domain import Status
from services.campaign.campaigns.domain_leases import LEASE_SECONDS, HeldLease, Lease
from services.campaign.flows.domain import FlowChange
from services.common.actions import Action
from services.common.address import Address
from tests.integration.campaign.support import CUSTOMER, LIMITS, Plant, held

EXPIRE = "UPDATE campaign_states SET lease_expires_at = clock_timestamp() - interval '1 second'"


async def test_every_campaign_is_leased_to_exactly_one_of_many_dialers(plant: Plant) -> None:
    campaigns = {(await plant.running()).id for _ in range(12)}
    answers = await asyncio.gather(*(plant.lease(f"dialer-{n}", 5) for n in range(4)))
    counts = Counter(each for answer in answers for each in answer)
    # SKIP LOCKED may leave one for the next second; nobody gets more than it asked for.
    assert set(counts.values()) <= {1}
    assert all(len(answer) <= 5 for answer in answers)
    again = [await plant.lease(f"dialer-{n}", 5, _held(answers[n])) for n in range(4)]
    assert {each for answer in again for each in answer} == campaigns


async def test_a_renewed_lease_keeps_its_token_and_says_nothing_twice(plant: Plant) -> None:
    campaign = await plant.running()
    first = (await plant.lease())[campaign.id]
    assert first.is_new
    again = (await plant.lease(held=[held(first)]))[campaign.id]
    assert not again.is_new
    assert again.definition is None
    assert again.state.fencing_token == first.state.fencing_token
    assert 0 < again.state.expires_in_ms <= LEASE_SECONDS * 1000


async def test_a_lease_is_taken_over_only_when_it_has_expired(plant: Plant) -> None:
    campaign = await plant.running()
    first = (await plant.lease("dialer-1"))[campaign.id]
    assert await plant.lease("dialer-2") == {}
    await plant.execute(EXPIRE)
    second = (await plant.lease("dialer-2"))[campaign.id]
    assert second.is_new
    assert second.state.fencing_token > first.state.fencing_token
    # The old holder learns of it by its absence.
    assert await plant.lease("dialer-1", held=[held(first)]) == {}


async def test_an_expired_lease_nobody_took_is_renewed_under_its_token(plant: Plant) -> None:
    campaign = await plant.running()
    first = (await plant.lease())[campaign.id]
    await plant.execute(EXPIRE)
    again = (await plant.lease(held=[held(first)]))[campaign.id]
    assert again.state.fencing_token == first.state.fencing_token


async def test_a_lease_the_dialer_has_forgotten_is_given_anew(plant: Plant) -> None:
    campaign = await plant.running()
    first = (await plant.lease())[campaign.id]
    second = (await plant.lease())[campaign.id]
    assert second.is_new
    assert second.state.fencing_token > first.state.fencing_token


async def test_a_released_lease_is_free_at_once(plant: Plant) -> None:
    campaign = await plant.running()
    first = (await plant.lease("dialer-1"))[campaign.id]
    await plant.services.leases.release_leases("dialer-2", [held(first)])
    assert await plant.lease("dialer-2") == {}
    await plant.services.leases.release_leases("dialer-1", [held(first)])
    assert (await plant.lease("dialer-2"))[campaign.id].is_new


async def test_only_campaigns_in_run_or_stopping_are_leased(plant: Plant) -> None:
    await plant.campaign()
    stopping = await plant.running()
    opener = await plant.opener(stopping.id)
    await plant.open(opener, 1)
    await plant.stop(stopping.id)
    await plant.execute(EXPIRE)
    leases = await plant.lease("dialer-2")
    assert set(leases) == {stopping.id}
    assert leases[stopping.id].state.status is Status.STOPPING


async def test_two_dialers_never_renew_the_same_campaign(plant: Plant) -> None:
    campaign = await plant.running()
    for _ in range(5):
        await plant.execute(EXPIRE)
        answers = await asyncio.gather(*(plant.lease(f"dialer-{n}", 1) for n in range(4)))
        assert sum(campaign.id in answer for answer in answers) == 1


async def test_a_change_of_campaign_plan_or_flow_brings_the_definition_again(plant: Plant) -> None:
    flow = await plant.flow(Action("talk", {"text": "a"}))
    campaign = await plant.running(flow_id=flow.id)
    lease = (await plant.lease())[campaign.id]
    assert lease.definition is not None
    assert [each.option for each in lease.definition.actions] == [{"text": "a"}]

    await plant.change_flow(flow.id, Action("talk", {"text": "b"}))
    lease = (await plant.lease(held=[held(lease)]))[campaign.id]
    assert lease.definition is not None
    assert [each.option for each in lease.definition.actions] == [{"text": "b"}]

    assert campaign.outplan_id is not None
    await plant.change_outplan(campaign.outplan_id, try_interval=1)
    lease = (await plant.lease(held=[held(lease)]))[campaign.id]
    assert lease.definition is not None
    assert lease.definition.plan.try_interval_ms == 1

    await plant.update(campaign.id, service_level=50)
    lease = (await plant.lease(held=[held(lease)]))[campaign.id]
    assert lease.definition is not None
    assert lease.definition.campaign.service_level == 50
    assert (await plant.lease(held=[held(lease)]))[campaign.id].definition is None


async def test_the_longest_conversation_is_one_setting_for_dialers_and_deadlines(
    plant: Plant,
) -> None:
    campaign = await plant.running()
    lease = (await plant.lease())[campaign.id]
    assert lease.definition is not None
    assert lease.definition.max_conversation_ms == 3_600_000
    limits = replace(LIMITS, max_conversation_ms=90_000)
    restarted = replace(plant, services=plant.wired(limits))
    # Who holds the lease hears of the change.
    lease = (await restarted.lease(held=[held(lease)]))[campaign.id]
    assert lease.definition is not None
    assert lease.definition.max_conversation_ms == 90_000
    assert (await restarted.lease(held=[held(lease)]))[campaign.id].definition is None
    opener = await restarted.opener(campaign.id)
    (call_id,) = await restarted.open(opener)
    await restarted.report(restarted.answered(call_id))
    (found,) = await restarted.services.campaigncalls.list_open_campaigncalls(
        campaign.id, opener.fencing_token
    )
    assert found.call.tm_answer is not None
    assert found.call.deadline == found.call.tm_answer + timedelta(seconds=120)


async def test_what_follows_a_flow_comes_with_it_but_not_with_actions(plant: Plant) -> None:
    last = await plant.flow(Action("answer"))
    flow = await plant.flow(Action("talk", {"text": "a"}))
    change = FlowChange(sets_on_complete=True, on_complete_flow_id=last.id)
    flow = await plant.services.flows.update_flow(CUSTOMER, flow.id, change)
    by_flow = await plant.running(flow_id=flow.id)
    by_actions = await plant.running(flow_id=flow.id, actions=(Action("answer"),))
    leases = await plant.lease()
    first, second = leases[by_flow.id].definition, leases[by_actions.id].definition
    assert first is not None
    assert second is not None
    assert first.on_complete_flow_id == last.id
    assert second.on_complete_flow_id is None


async def test_the_plan_comes_with_every_default_filled_in(plant: Plant) -> None:
    plan = await plant.outplan(dial_timeout=0, source=Address("tel", "+15550001"))
    plain = await plant.running(outplan_id=plan.id)
    queued = await plant.running(
        outplan_id=plan.id, queue_id=plant.queues.add(), source=Address("tel", "+15550002")
    )
    leases = await plant.lease()
    first, second = leases[plain.id].definition, leases[queued.id].definition
    assert first is not None
    assert second is not None
    assert first.plan.dial_timeout_ms == 60_000
    assert first.plan.calls_per_second == LIMITS.calls_per_second
    assert first.plan.max_concurrent == LIMITS.max_concurrent
    assert first.plan.source == Address("tel", "+15550001")
    # Agents set the pace of a campaign with a queue.
    assert second.plan.calls_per_second > LIMITS.calls_per_second
    assert second.plan.source == Address("tel", "+15550002")
    assert [each.type for each in second.actions] == ["queue_join"]


def _held(leases: dict[UUID, Lease]) -> list[HeldLease]:
    return [held(each) for each in leases.values()]
