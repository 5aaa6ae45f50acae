"""What the campaign service's storage promises to its use cases, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from services.campaign.campaigncalls.domain import (
    CallStatus,
    Campaigncall,
    Counts,
    Report,
    ReportKind,
    advance,
)
from services.campaign.campaigncalls.domain_opening import Opener
from services.campaign.campaigns import domain
from services.campaign.campaigns.domain import Campaign, Run, Status, StopMode, StopReason
from services.campaign.campaigns.domain_leases import HeldLease
from services.common.actions import FINISH, Action
from services.common.address import Address
from services.common.db import violated_constraint
from services.common.ids import new_id
from services.common.paging import Cursor, Page
from tests.fixtures.postgres import DatabaseFactory
from tests.integration.campaign.support import CUSTOMER, START, Plant, draft, make_plant

LATER = START + timedelta(seconds=5)
AWKWARD = 'quote " backslash \\ brace {} comma , newline \n ☎'


@pytest.fixture
async def plant(database: DatabaseFactory) -> AsyncIterator[Plant]:
    async with make_plant(database("campaign")) as made:
        yield made


def make_campaign(**members: Any) -> Campaign:
    return domain.create(draft(**members), new_id(), CUSTOMER, START)


def make_call(campaign: Campaign, **members: Any) -> Campaigncall:
    assert campaign.outplan_id is not None
    assert campaign.outdial_id is not None
    values: dict[str, Any] = {
        "id": new_id(),
        "customer_id": campaign.customer_id,
        "campaign_id": campaign.id,
        "outplan_id": campaign.outplan_id,
        "outdial_id": campaign.outdial_id,
        "outdial_target_id": new_id(),
        "queue_id": new_id(),
        "flow_id": new_id(),
        "activeflow_id": new_id(),
        "source": Address("tel", "+15550001", name=AWKWARD),
        "destination": Address("sip", "a@b", AWKWARD, AWKWARD, AWKWARD),
        "destination_index": 4,
        "try_count": 100,
        "run_number": 2**40,
        "dialer_id": "dialer-1",
        "deadline": LATER,
        "tm_create": START,
    }
    return Campaigncall(**(values | members))


async def test_a_campaign_is_kept_as_it_is(plant: Plant) -> None:
    campaign = make_campaign(
        name=AWKWARD,
        detail=AWKWARD,
        service_level=1000,
        actions=(Action("talk", {"text": AWKWARD, "n": 1.25}, id=new_id(), next_id=FINISH),),
        flow_id=new_id(),
        outplan_id=new_id(),
        outdial_id=new_id(),
        queue_id=new_id(),
        next_campaign_id=new_id(),
        source=Address("tel", "+15550001"),
        agent_wait_limit=3_600_000,
        abandonment_actions=(Action("talk", {"text": AWKWARD}),),
    )
    async with plant.begin() as tx:
        assert await tx.campaigns.insert(campaign, "digest")
        assert await tx.campaigns.get(campaign.id) == campaign
        assert await tx.campaigns.digest(campaign.id) == "digest"
        assert not await tx.campaigns.insert(campaign, "other")
    changed = replace(
        campaign,
        name="",
        actions=(),
        source=None,
        queue_id=None,
        agent_wait_limit=0,
        abandonment_actions=(),
        revision=9,
        tm_update=LATER,
        tm_delete=LATER,
        run=Run(
            Status.STOP,
            3,
            stop_reason=StopReason.ERROR,
            stop_detail=AWKWARD,
            placed_count=7,
            idle_chain=(new_id(), new_id()),
            tm_start=START,
            tm_end=LATER,
        ),
    )
    async with plant.begin() as tx:
        await tx.campaigns.save(changed)
        assert await tx.campaigns.lock(campaign.id) == changed


async def test_a_lock_shows_what_the_holder_before_wrote(plant: Plant) -> None:
    campaign = await plant.campaign()
    first_has_lock, second_asks = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with plant.begin() as tx:
            locked = await tx.campaigns.lock(campaign.id)
            assert locked is not None
            first_has_lock.set()
            await second_asks.wait()
            run = replace(locked.run, status=Status.RUN, number=1)
            await tx.campaigns.save(replace(locked, name="changed", revision=2, run=run))

    async def second() -> Campaign | None:
        await first_has_lock.wait()
        async with plant.begin() as tx:
            second_asks.set()
            return await tx.campaigns.lock(campaign.id)

    _, seen = await asyncio.gather(first(), second())
    assert seen is not None
    # Both the definition and the run, although only the latter's row is locked.
    assert (seen.name, seen.status, seen.revision) == ("changed", Status.RUN, 2)


async def test_an_attempt_is_kept_as_it_is(plant: Plant) -> None:
    campaign = await plant.running()
    call = make_call(campaign)
    async with plant.begin() as tx:
        assert await tx.campaigncalls.insert([call], 5, 5.0) == {call.id}
        assert await tx.campaigncalls.get(call.id) == call
    report = Report(
        call.id,
        ReportKind.ENDED,
        LATER,
        AWKWARD,
        AWKWARD,
        tm_answer=START,
        variables={AWKWARD: AWKWARD, "": "x"},
        digits="12#",
    )
    done = advance(call, [report], LATER, timedelta(hours=1)).call
    async with plant.begin() as tx:
        (locked,) = await tx.campaigncalls.lock([call.id])
        assert locked == call
        changed = replace(
            done,
            tm_connect=LATER,
            tm_delete=LATER,
            tm_abandon=LATER,
            is_abandoned=True,
            answer_to_agent=2**40,
            is_machine=True,
        )
        await tx.campaigncalls.save([changed])
        assert await tx.campaigncalls.find([new_id(), call.id]) == [changed]


async def test_a_known_or_tombstoned_id_is_not_inserted(plant: Plant) -> None:
    campaign = await plant.running()
    known, dead, fresh = (make_call(campaign) for _ in range(3))
    async with plant.begin() as tx:
        await tx.campaigncalls.insert([known], 5, 5.0)
        await tx.campaigncalls.tombstone_unknown([known.id, dead.id])
        assert await tx.campaigncalls.tombstoned([known.id, dead.id, fresh.id]) == {dead.id}
        ids = await tx.campaigncalls.insert([known, dead, fresh], 6, 5.0)
        assert ids == {fresh.id}
        present = await tx.campaigncalls.present([known.id, dead.id, fresh.id])
        assert {key: each.fencing_token for key, each in present.items()} == {
            known.id: 5,
            fresh.id: 6,
        }
        assert present[known.id].status is CallStatus.DIALING


async def test_counts_are_added_and_tell_which_stop_is_complete(plant: Plant) -> None:
    ids = [(await plant.running()).id for _ in range(3)]
    async with plant.begin() as tx:
        opened = {each: Counts(opened=2, placed=2) for each in ids}
        assert await tx.campaigncalls.add_counts(opened, START) == set()
    for campaign_id in ids[:2]:
        await plant.stop(campaign_id, StopMode.DRAIN)
    async with plant.begin() as tx:
        ended = {
            each: Counts(ended=count, fail=count, hangup_reasons={"busy": count})
            for each, count in zip(ids, (2, 1, 2), strict=True)
        }
        # Of the two that are stopping, one still has an attempt in flight.
        assert await tx.campaigncalls.add_counts(ended, LATER) == {ids[0]}
        stats = await tx.campaigns.stats(ids[0])
        assert stats is not None
        assert (stats.attempt_count, stats.fail_count) == (2, 2)
        assert stats.hangup_reason_counts["busy"] == 2
        assert stats.campaign.run.tm_start == START
        # The campaign may not stay as it is with nothing in flight.
        for campaign_id in ids[:1]:
            campaign = await tx.campaigns.lock(campaign_id)
            assert campaign is not None
            stopped = replace(campaign.run, status=Status.STOP, stop_mode=StopMode.NONE)
            await tx.campaigns.save(replace(campaign, run=stopped))


async def test_overdue_attempts_locked_by_another_are_passed_over(plant: Plant) -> None:
    campaign = await plant.running()
    calls = [make_call(campaign, deadline=START + timedelta(seconds=n)) for n in range(4)]
    async with plant.begin() as tx:
        for call in calls:
            await tx.campaigncalls.insert([call], 1, 5.0)
    async with plant.begin() as one, plant.begin() as two:
        before = START + timedelta(seconds=3)
        first = await one.campaigncalls.lock_overdue(before, 2)
        second = await two.campaigncalls.lock_overdue(before, 2)
    assert [each.id for each in first] == [each.id for each in calls[:2]]
    # The fourth is not overdue.
    assert [each.id for each in second] == [calls[2].id]


async def test_a_grant_holds_off_stop_and_tombstones(plant: Plant) -> None:
    campaign = await plant.running()
    opener = await plant.opener(campaign.id)
    async with plant.begin() as tx:
        grant = await tx.campaigncalls.grant(opener)
        assert grant is not None
        assert (grant.outdial_id, grant.dial_timeout_ms) == (campaign.outdial_id, 30_000)
        blocked = [
            asyncio.create_task(plant.stop(campaign.id)),
            asyncio.create_task(plant.services.campaigncalls.resolve_attempts([new_id()])),
        ]
        done, _ = await asyncio.wait(blocked, timeout=0.3)
        assert not done
    await asyncio.gather(*blocked)
    async with plant.begin() as tx:
        assert await tx.campaigncalls.grant(opener) is None
        assert await tx.campaigncalls.grant(Opener("dialer-1", new_id(), 1, 1)) is None


@pytest.mark.parametrize("tie", [False, True])
async def test_pages_end_and_begin_at_the_cursor(plant: Plant, tie: bool) -> None:
    campaign = await plant.running()
    step = timedelta(0) if tie else timedelta(microseconds=1)
    calls = [make_call(campaign, tm_create=START + n * step) for n in range(5)]
    async with plant.begin() as tx:
        await tx.campaigncalls.insert(calls, 1, 5.0)
        calls.sort(key=lambda each: (each.tm_create, each.id), reverse=True)
        newest = [each.id for each in calls]
        page = await tx.campaigncalls.list(CUSTOMER, None, Page(2))
        assert [each.id for each in page] == newest[:3]
        cursor = Cursor(calls[1].tm_create, newest[1])
        page = await tx.campaigncalls.list(CUSTOMER, campaign.id, Page(2, cursor))
        assert [each.id for each in page] == newest[2:5]
        # Without an id the cursor means the instant itself: everything before it.
        page = await tx.campaigncalls.list(CUSTOMER, campaign.id, Page(9, Cursor(START)))
        assert page == []


async def test_a_lease_is_renewed_only_by_holder_and_token(plant: Plant) -> None:
    campaign = await plant.running()
    async with plant.begin() as tx:
        assert await tx.leases.take("a", {campaign.id}, 5) == set()
        assert await tx.leases.take("a", set(), 5) == {campaign.id}
        (state,) = await tx.leases.states({campaign.id})
        right = HeldLease(campaign.id, state.fencing_token)
        wrong = HeldLease(campaign.id, state.fencing_token - 1)
        assert await tx.leases.renew("b", [right]) == set()
        assert await tx.leases.renew("a", [wrong, HeldLease(new_id(), 1)]) == set()
        assert await tx.leases.renew("a", [right]) == {campaign.id}


async def test_bindings_come_due_once_and_are_held_off(plant: Plant) -> None:
    outdial_id, campaign_id = new_id(), new_id()
    async with plant.begin() as tx:
        await tx.bindings.note(CUSTOMER, outdial_id, campaign_id, 60.0)
        assert await tx.bindings.due(10) == []
        await tx.bindings.note(CUSTOMER, outdial_id, campaign_id, 0.0)
        assert await tx.bindings.due(10) == [(CUSTOMER, outdial_id, campaign_id)]
        assert await tx.bindings.due(10) == []


@pytest.mark.parametrize(
    ("sql", "constraint"),
    [
        ("UPDATE campaign_states SET status = 'stop', open_count = 1", "stopped_is_empty"),
        ("UPDATE campaign_states SET progressing_count = 1", "counts_agree"),
        ("UPDATE campaign_states SET status = 'paused'", "status_known"),
        ("UPDATE campaigns SET service_level = 0", "service_level_range"),
        ("UPDATE campaigns SET next_campaign_id = id", "next_is_another"),
        ("UPDATE outplans SET max_try_counts = '{1,2,3}'", "max_try_counts_range"),
        ("UPDATE outplans SET max_try_counts = '{1,2,3,4,101}'", "max_try_counts_range"),
    ],
)
async def test_the_database_refuses_what_the_rules_never_write(
    plant: Plant, sql: str, constraint: str
) -> None:
    await plant.campaign()
    with pytest.raises(IntegrityError) as caught:
        await plant.execute(sql)
    name = violated_constraint(caught.value)
    assert name is not None
    assert name.endswith(constraint)
