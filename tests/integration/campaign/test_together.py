"""Everything at once: the locks of all use cases taken together, and what must hold afterwards."""

from __future__ import annotations

import asyncio
import random
from uuid import UUID

from services.campaign.campaigncalls.domain_opening import Opener, Verdict
from services.campaign.campaigns.domain import Status
from services.campaign.campaigns.domain_leases import HeldLease
from tests.integration.campaign.support import Plant, attempts, held

_COUNTS = """
SELECT bool_and(s.open_count = c.open AND s.attempt_count = c.all_calls
  AND s.success_count + s.fail_count = c.done)
FROM campaign_states s JOIN (
  SELECT campaign_id, count(*) FILTER (WHERE status <> 'done') AS open, count(*) AS all_calls,
    count(*) FILTER (WHERE status = 'done') AS done
  FROM campaigncalls GROUP BY campaign_id
) c ON c.campaign_id = s.id
"""


async def test_all_use_cases_race_without_deadlock_or_loss(plant: Plant) -> None:
    chance = random.Random(1)
    campaigns = [(await plant.running()).id for _ in range(3)]
    openers = {each: await plant.opener(each) for each in campaigns}
    opened: list[UUID] = []
    is_over = asyncio.Event()

    async def dial(campaign_id: UUID) -> None:
        while not is_over.is_set():
            asked = attempts(chance.randrange(1, 10))
            answer = await plant.try_open(openers[campaign_id], asked)
            opened.extend(key for key, verdict, _ in answer.verdicts if verdict is Verdict.OPENED)

    async def report() -> None:
        for _ in range(12):
            some = chance.sample(opened, min(len(opened), 20))
            chance.shuffle(some)
            await plant.report(*(plant.answered(each) for each in some[:10]))
            await plant.end(*some[5:], reason="busy")
        is_over.set()

    async def start_and_stop() -> None:
        while not is_over.is_set():
            chosen = chance.choice(campaigns)
            await plant.stop(chosen)
            await plant.run(chosen)

    async def lease() -> None:
        known: list[HeldLease] = []
        while not is_over.is_set():
            leases = await plant.lease("dialer-1", 10, known)
            known = [held(each) for each in leases.values()]
            for key, each in leases.items():
                state = each.state
                openers[key] = Opener("dialer-1", key, state.run_number, state.fencing_token)

    async def resolve_and_sweep() -> None:
        while not is_over.is_set():
            ids = [each.id for each in attempts(3)] + opened[-3:]
            await plant.services.campaigncalls.resolve_attempts(ids)
            await plant.services.campaigncalls.sweep()

    async def edit() -> None:
        while not is_over.is_set():
            await plant.update(chance.choice(campaigns), name=str(chance.random()))

    async with asyncio.timeout(60):
        await asyncio.gather(
            *map(dial, campaigns),
            *(report() for _ in range(3)),
            start_and_stop(),
            lease(),
            resolve_and_sweep(),
            edit(),
        )
    assert await plant.scalar(_COUNTS)
    assert await plant.scalar("SELECT count(*) FROM campaigncalls") == len(opened)
    await all_of_it_ends(plant, campaigns, opened)


async def all_of_it_ends(plant: Plant, campaigns: list[UUID], opened: list[UUID]) -> None:
    await plant.end(*opened)
    for campaign_id in campaigns:
        assert (await plant.stop(campaign_id)).status is Status.STOP
    done = [about for name, about, _ in await plant.events() if name == "campaigncall.done"]
    assert sorted(done) == sorted(opened)
