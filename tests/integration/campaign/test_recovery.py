"""What happens to attempts nobody speaks for: resolved by outdial, or swept at their deadline."""

from __future__ import annotations

import asyncio
from uuid import UUID

from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb

from services.campaign.campaigncalls.domain import Campaigncall, Result
from services.campaign.campaigncalls.domain_opening import Verdict
from services.campaign.campaigncalls.service import SWEEP_SECONDS
from services.campaign.campaigns.domain import State, Status
from services.common.ids import new_id
from tests.integration.campaign.support import CUSTOMER, Plant, attempts

# Of a plan with 30 s of ringing: see test_attempts.
DEADLINE_SECONDS = 45


async def call(plant: Plant, call_id: UUID) -> Campaigncall:
    return await plant.services.campaigncalls.get_campaigncall(CUSTOMER, call_id)


async def test_an_attempt_never_opened_is_dead_to_a_late_open(plant: Plant) -> None:
    opener = await plant.opener((await plant.running()).id)
    asked = attempts(1)
    (resolution,) = await plant.services.campaigncalls.resolve_attempts([asked[0].id])
    assert not resolution.is_known
    opened = await plant.try_open(opener, asked)
    assert [verdict for _, verdict, _ in opened.verdicts] == [Verdict.DEAD]
    assert await plant.scalar("SELECT open_count FROM campaign_states") == 0


async def test_attempts_are_resolved_in_the_order_asked(plant: Plant) -> None:
    opener = await plant.opener((await plant.running()).id)
    busy, ringing = await plant.open(opener, 2)
    await plant.end(busy, reason="busy")
    unknown = new_id()
    found = await plant.services.campaigncalls.resolve_attempts([ringing, unknown, busy])
    assert [each.id for each in found] == [ringing, unknown, busy]
    assert [each.is_known for each in found] == [True, False, True]
    assert found[0].settlement is None
    settlement = found[2].settlement
    assert settlement is not None
    assert settlement.call.result is Result.FAIL
    assert settlement.plan.max_try_counts == (3, 0, 0, 0, 0)


async def test_of_open_and_resolve_in_a_race_exactly_one_is_right(plant: Plant) -> None:
    opener = await plant.opener((await plant.running()).id)
    for _ in range(20):
        asked = attempts(4)
        ids = [each.id for each in asked]
        opened, resolved = await asyncio.gather(
            plant.try_open(opener, asked), plant.services.campaigncalls.resolve_attempts(ids)
        )
        for (_, verdict, _), resolution in zip(opened.verdicts, resolved, strict=True):
            assert (verdict is Verdict.OPENED) == resolution.is_known
    rows = await plant.scalar("SELECT count(*) FROM campaigncalls JOIN tombstones USING (id)")
    assert rows == 0


async def test_an_old_tombstone_is_forgotten(plant: Plant) -> None:
    await plant.services.campaigncalls.resolve_attempts([new_id(), new_id()])
    assert await plant.services.campaigncalls.purge() == 0
    await plant.execute("UPDATE tombstones SET created_at = created_at - interval '2 days'")
    assert await plant.services.campaigncalls.purge() == 2


async def test_the_sweeper_leaves_the_holder_its_time(plant: Plant) -> None:
    opener = await plant.opener((await plant.running()).id)
    await plant.open(opener, 1)
    await plant.clock.advance(DEADLINE_SECONDS + SWEEP_SECONDS)
    assert await plant.services.campaigncalls.sweep() == 0
    await plant.clock.advance(0.001)
    assert await plant.services.campaigncalls.sweep() == 1


async def test_a_lost_attempt_fails_and_its_try_counts(plant: Plant) -> None:
    opener = await plant.opener((await plant.running()).id)
    (call_id,) = await plant.open(opener)
    await plant.clock.advance(DEADLINE_SECONDS + SWEEP_SECONDS + 1)
    await plant.services.campaigncalls.sweep()
    lost = await call(plant, call_id)
    assert (lost.result, lost.hangup_reason, lost.hangup_detail) == (Result.FAIL, "failed", "lost")
    assert not lost.is_refunded
    assert lost.tm_end == plant.clock.now()
    settlement = (await plant.settlement(call_id)).settlement
    assert not settlement.is_final


async def test_a_lost_conversation_is_a_success(plant: Plant) -> None:
    opener = await plant.opener((await plant.running()).id)
    (call_id,) = await plant.open(opener)
    await plant.report(plant.answered(call_id))
    await plant.clock.advance(DEADLINE_SECONDS + SWEEP_SECONDS + 1)
    assert await plant.services.campaigncalls.sweep() == 0
    await plant.clock.advance(3600)
    await plant.services.campaigncalls.sweep()
    lost = await call(plant, call_id)
    assert (lost.result, lost.hangup_detail) == (Result.SUCCESS, "lost_after_answer")
    settlement = (await plant.settlement(call_id)).settlement
    assert settlement.is_final
    assert settlement.result == campaign_pb.Campaigncall.RESULT_SUCCESS
    stats = await plant.services.campaigns.get_campaign_stats(CUSTOMER, opener.campaign_id)
    # When it really ended is not known.
    assert stats.talk_ms == 0


async def test_stopping_ends_without_any_dialer(plant: Plant) -> None:
    campaign = await plant.running()
    await plant.open(await plant.opener(campaign.id), 5)
    assert (await plant.stop(campaign.id)).status is Status.STOPPING
    await plant.clock.advance(DEADLINE_SECONDS + SWEEP_SECONDS + 1)
    # Replicas sweep at the same time; each attempt is closed once.
    counts = await asyncio.gather(*(plant.services.campaigncalls.sweep() for _ in range(4)))
    assert sum(counts) == 5
    stopped = await plant.get(campaign.id)
    assert (stopped.status, stopped.run.state) == (Status.STOP, State.STOP)
    assert (await plant.event_names(campaign.id)).count("campaign.status_stop") == 1


async def test_sweeper_and_reports_in_a_race_close_each_attempt_once(plant: Plant) -> None:
    opener = await plant.opener((await plant.running()).id)
    calls = await plant.open(opener, 30)
    await plant.clock.advance(DEADLINE_SECONDS + SWEEP_SECONDS + 1)
    await asyncio.gather(
        plant.services.campaigncalls.sweep(),
        *(plant.end(*calls[n : n + 10], reason="busy") for n in (20, 10, 0)),
        plant.services.campaigncalls.sweep(),
    )
    assert await plant.scalar("SELECT open_count FROM campaign_states") == 0
    assert await plant.scalar("SELECT fail_count FROM campaign_states") == 30
    done = [name for name, _, _ in await plant.events() if name == "campaigncall.done"]
    assert len(done) == 30
