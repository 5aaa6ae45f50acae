"""Opening and reporting attempts, with real concurrency."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb

from services.campaign.campaigncalls.convert import reports_from_proto
from services.campaign.campaigncalls.domain import (
    HANGUP_REASONS,
    CallStatus,
    Campaigncall,
    Report,
    ReportKind,
    Result,
)
from services.campaign.campaigncalls.domain_opening import Opened, Verdict
from services.campaign.campaigns.domain import Status
from services.common.convert import timestamp_from_proto, timestamp_to_proto
from services.common.errors import FailedPrecondition
from services.common.ids import new_id
from tests.integration.campaign.support import CUSTOMER, START, Plant, attempts


async def call(plant: Plant, call_id: UUID) -> Campaigncall:
    return await plant.services.campaigncalls.get_campaigncall(CUSTOMER, call_id)


def words(opened: Opened) -> list[Verdict]:
    return [verdict for _, verdict, _ in opened.verdicts]


async def test_an_opened_attempt_says_where_it_comes_from(plant: Plant) -> None:
    campaign = await plant.running()
    opener = await plant.opener(campaign.id)
    (call_id,) = await plant.open(opener)
    opened = await call(plant, call_id)
    assert opened.status is CallStatus.DIALING
    assert (opened.campaign_id, opened.outplan_id) == (campaign.id, campaign.outplan_id)
    # Place window 5 s, ring time 30 s, margin 10 s.
    assert opened.deadline == START + timedelta(seconds=45)
    assert await plant.event_names(call_id) == ["campaigncall.created"]


@pytest.mark.parametrize(
    "stale",
    [
        {"run_number": 2},
        {"fencing_token": 99},
        {"dialer_id": "dialer-2"},
        {"campaign_id": new_id()},
    ],
)
async def test_nothing_is_opened_without_the_present_lease(
    plant: Plant, stale: dict[str, Any]
) -> None:
    campaign = await plant.running()
    opener = await plant.opener(campaign.id)
    opened = await plant.try_open(replace(opener, **stale), attempts(2))
    assert words(opened) == [Verdict.REFUSED] * 2
    assert await plant.scalar("SELECT count(*) FROM campaigncalls") == 0


async def test_the_same_request_again_opens_nothing_and_gives_the_same_answer(
    plant: Plant,
) -> None:
    opener = await plant.opener((await plant.running()).id)
    asked = attempts(5)
    answers = await asyncio.gather(*(plant.try_open(opener, asked) for _ in range(4)))
    assert len({tuple(each.verdicts) for each in answers}) == 1
    assert words(answers[0]) == [Verdict.OPENED] * 5
    assert await plant.scalar("SELECT open_count FROM campaign_states") == 5
    # Time to place goes on from the first opening.
    await plant.execute("UPDATE campaigncalls SET place_before = place_before - interval '3 s'")
    assert (await plant.try_open(opener, asked)).place_within_ms <= 2000


async def test_an_attempt_that_has_moved_on_is_dead_to_a_repeated_open(plant: Plant) -> None:
    opener = await plant.opener((await plant.running()).id)
    asked = attempts(2)
    await plant.try_open(opener, asked)
    await plant.report(plant.answered(asked[0].id), plant.ended(asked[1].id, "busy"))
    assert words(await plant.try_open(opener, asked)) == [Verdict.DEAD] * 2


async def test_a_repeated_open_after_a_stop_leaves_no_time_to_place(plant: Plant) -> None:
    campaign = await plant.running()
    opener = await plant.opener(campaign.id)
    asked = attempts(1)
    await plant.try_open(opener, asked)
    await plant.stop(campaign.id)
    opened = await plant.try_open(opener, [*asked, *attempts(1)])
    assert words(opened) == [Verdict.OPENED, Verdict.REFUSED]
    assert opened.place_within_ms == 0


async def test_no_attempt_is_opened_after_stop_has_returned(plant: Plant) -> None:
    campaign = await plant.running()
    opener = await plant.opener(campaign.id)
    stopped_count: list[int] = []
    some_open = asyncio.Event()

    async def open_until_refused() -> None:
        while Verdict.OPENED in words(await plant.try_open(opener, attempts(3))):
            some_open.set()

    async def stop() -> None:
        await some_open.wait()
        await plant.stop(campaign.id)
        stopped_count.append(await plant.scalar("SELECT count(*) FROM campaigncalls"))

    await asyncio.gather(*(open_until_refused() for _ in range(4)), stop())
    assert await plant.scalar("SELECT count(*) FROM campaigncalls") == stopped_count[0]
    assert await plant.scalar("SELECT open_count FROM campaign_states") == stopped_count[0]
    assert (await plant.get(campaign.id)).status is Status.STOPPING


async def test_a_repeated_end_changes_nothing(plant: Plant) -> None:
    opener = await plant.opener((await plant.running()).id)
    (call_id,) = await plant.open(opener)
    await plant.report(plant.answered(call_id))
    await asyncio.gather(*(plant.end(call_id) for _ in range(6)))
    done = await call(plant, call_id)
    await plant.report(plant.ended(call_id, "busy"), plant.answered(call_id))
    assert await call(plant, call_id) == done
    assert (await plant.event_names(call_id)).count("campaigncall.done") == 1
    assert await plant.scalar("SELECT open_count FROM campaign_states") == 0
    assert await plant.scalar("SELECT success_count + fail_count FROM campaign_states") == 1


async def test_an_end_carries_the_answer_whose_report_was_lost(plant: Plant) -> None:
    opener = await plant.opener((await plant.running()).id)
    (call_id,) = await plant.open(opener)
    answered_at = plant.clock.now()
    await plant.clock.advance(60)
    await plant.report(plant.ended(call_id, tm_answer=answered_at))
    # The late answer does not bring it back.
    await plant.report(plant.answered(call_id))
    done = await call(plant, call_id)
    assert (done.status, done.result) == (CallStatus.DONE, Result.SUCCESS)
    assert done.tm_answer == answered_at
    assert await plant.event_names(call_id) == [
        "campaigncall.created",
        "campaigncall.progressing",
        "campaigncall.done",
    ]


async def test_an_agent_on_an_attempt_not_known_to_be_answered_implies_the_answer(
    plant: Plant,
) -> None:
    opener = await plant.opener((await plant.running()).id)
    (call_id,) = await plant.open(opener)
    await plant.report(plant.connected(call_id))
    connected = await call(plant, call_id)
    assert connected.status is CallStatus.PROGRESSING
    assert connected.tm_connect == connected.tm_answer


async def test_unknown_attempts_are_named(plant: Plant) -> None:
    opener = await plant.opener((await plant.running()).id)
    (call_id,) = await plant.open(opener)
    stranger = new_id()
    assert await plant.report(plant.answered(stranger), plant.answered(call_id)) == [stranger]


async def test_a_settlement_tells_outdial_all_it_needs(plant: Plant) -> None:
    plan = await plant.outplan(try_interval=7000, max_try_counts={0: 2, 3: 1})
    campaign = await plant.running(outplan_id=plan.id)
    (call_id,) = await plant.open(await plant.opener(campaign.id))
    # A change of the plan applies to what is settled after it.
    await plant.change_outplan(plan.id, try_interval=9000)
    await plant.clock.advance(12)
    await plant.end(call_id, reason="no_answer")
    settlement = (await plant.settlement(call_id)).settlement
    assert settlement.campaigncall_id == str(call_id)
    assert settlement.outdial_id == str(campaign.outdial_id)
    assert settlement.result == campaign_pb.Campaigncall.RESULT_FAIL
    assert settlement.try_interval_ms == 9000
    assert list(settlement.max_try_counts) == [2, 0, 0, 1, 0]
    assert timestamp_from_proto(settlement.tm_end) == START + timedelta(seconds=12)
    assert not settlement.is_final
    assert not settlement.is_refunded


async def test_reports_of_many_campaigns_race_without_deadlock_or_loss(plant: Plant) -> None:
    campaigns = [await plant.running() for _ in range(4)]
    calls: list[UUID] = []
    for campaign in campaigns:
        calls += await plant.open(await plant.opener(campaign.id), 15)
    shuffler = random.Random(7)

    async def report_in_some_order(order: list[UUID]) -> None:
        for start in range(0, len(order), 20):
            await plant.end(*order[start : start + 20], reason="busy")

    orders = [shuffler.sample(calls, len(calls)) for _ in range(5)]
    await asyncio.gather(*map(report_in_some_order, orders))
    counts = await plant.scalar(
        "SELECT array_agg(ARRAY[open_count, fail_count]) FROM campaign_states"
    )
    assert counts == [[0, 15]] * 4


async def test_counters_equal_a_count_of_the_rows_after_any_sequence(plant: Plant) -> None:
    chance = random.Random(20260302)
    opener = await plant.opener((await plant.running(queue_id=plant.queues.add())).id)
    calls: list[UUID] = []

    def some_report() -> Report:
        chosen = chance.choice(calls)
        kind = chance.choice(list(ReportKind))
        tm = START + timedelta(seconds=chance.randrange(100))
        return Report(
            chosen,
            kind,
            tm,
            hangup_reason=chance.choice(HANGUP_REASONS),
            is_refunded=chance.random() < 0.3,
            is_abandoned=chance.random() < 0.3,
            tm_answer=START if chance.random() < 0.2 else None,
            answer_to_agent_ms=chance.randrange(900_000) if chance.random() < 0.7 else None,
            is_machine=chance.random() < 0.3,
        )

    for _ in range(12):
        calls += await plant.open(opener, 8)
        batches = [[some_report() for _ in range(15)] for _ in range(4)]
        await asyncio.gather(*(plant.report(*batch) for batch in batches))

    stats = await plant.services.campaigns.get_campaign_stats(CUSTOMER, opener.campaign_id)
    assert stats.attempt_count == len(calls)
    for counted, condition in (
        (stats.dialing_count, "status = 'dialing'"),
        (stats.progressing_count, "status = 'progressing'"),
        (stats.done_count, "status = 'done'"),
        (stats.success_count, "result = 'success'"),
        (stats.fail_count, "result = 'fail'"),
        (stats.answered_count, "tm_answer IS NOT NULL"),
        (stats.connected_count, "tm_connect IS NOT NULL"),
        (stats.abandoned_count, "is_abandoned"),
        (stats.person_count, "tm_answer IS NOT NULL AND NOT is_machine"),
        (sum(stats.waits.counts), "tm_connect IS NOT NULL"),
        (stats.refunded_count, "is_refunded"),
    ):
        rows = await plant.scalar(f"SELECT count(*) FROM campaigncalls WHERE {condition}")
        assert counted == rows, condition
    for reason, counted in stats.hangup_reason_counts.items():
        sql = "SELECT count(*) FROM campaigncalls WHERE hangup_reason = :reason"
        assert counted == await plant.scalar(sql, reason=reason), reason


async def test_waits_are_counted_by_deltas(plant: Plant) -> None:
    opener = await plant.opener((await plant.running(queue_id=plant.queues.add())).id)
    waits = [100, 1_000, 1_900, 2_100, 40_000]
    calls = await plant.open(opener, len(waits) + 1)
    for call_id, waited in zip(calls, waits, strict=False):
        connected = replace(plant.connected(call_id), answer_to_agent_ms=waited)
        await plant.report(plant.answered(call_id), connected)
        # Told again, by a dialer that took over: counted once.
        await plant.report(connected)
    late = Report(calls[-1], ReportKind.ABANDONED, START + timedelta(seconds=2))
    await plant.report(plant.answered(calls[-1]), late)
    await plant.report(late)
    stats = await plant.services.campaigns.get_campaign_stats(CUSTOMER, opener.campaign_id)
    assert (stats.person_count, stats.connected_count, stats.abandoned_count) == (6, 5, 1)
    assert stats.abandoned_rate == pytest.approx(1 / 6)
    assert (stats.waits.average_ms, stats.waits.longest_ms) == (9_020, 40_000)
    assert 1_587 <= stats.waits.percentile_ms(50) <= 2_000
    names = await plant.event_names(calls[-1])
    assert names[1:] == ["campaigncall.progressing", "campaigncall.abandoned"]


async def test_open_attempts_are_listed_for_the_holder_only(plant: Plant) -> None:
    campaign = await plant.running()
    opener = await plant.opener(campaign.id)
    first, second, ended = await plant.open(opener, 3)
    await plant.report(plant.answered(second), plant.ended(ended, "busy"))
    found = await plant.services.campaigncalls.list_open_campaigncalls(
        campaign.id, opener.fencing_token
    )
    assert [each.call.id for each in found] == [first, second]
    assert all(0 < each.place_within_ms <= 5000 for each in found)
    with pytest.raises(FailedPrecondition) as caught:
        await plant.services.campaigncalls.list_open_campaigncalls(
            campaign.id, opener.fencing_token - 1
        )
    assert caught.value.reason == "LEASE_LOST"


async def test_only_a_done_attempt_can_be_deleted(plant: Plant) -> None:
    opener = await plant.opener((await plant.running()).id)
    (call_id,) = await plant.open(opener)
    with pytest.raises(FailedPrecondition):
        await plant.services.campaigncalls.delete_campaigncall(CUSTOMER, call_id)
    await plant.end(call_id)
    deleted = await plant.services.campaigncalls.delete_campaigncall(CUSTOMER, call_id)
    assert deleted.tm_delete is not None
    again = await plant.services.campaigncalls.delete_campaigncall(CUSTOMER, call_id)
    assert again == deleted
    assert (await plant.event_names(call_id)).count("campaigncall.deleted") == 1


async def test_what_a_flow_has_found_out_is_kept_with_its_attempt(plant: Plant) -> None:
    campaign = await plant.running()
    told, silent = await plant.open(await plant.opener(campaign.id), 2)
    answered = plant.answered(told)
    # Only the end tells of them.
    await plant.report(replace(answered, variables={"early": "x"}, digits="9"))
    assert (await call(plant, told)).variables == {}
    await plant.end(told, variables={"mood": "good"}, digits="12", tm_answer=START)
    await plant.end(silent, reason="busy")
    await plant.end(told, variables={"late": "x"}, digits="3")
    kept = await call(plant, told)
    assert (kept.variables, kept.digits) == ({"mood": "good"}, "12")
    other = await call(plant, silent)
    assert (other.variables, other.digits) == ({}, "")
    done = (await plant.settlement(told)).campaigncall
    assert (dict(done.variables), done.digits) == ({"mood": "good"}, "12")


def test_more_variables_than_there_is_room_for_do_not_keep_an_attempt_open() -> None:
    many = {f"n{number:03}": "x" for number in range(150)}
    large = {"a": "x" * 30_000, "b": "y" * 30_000, "c": "z\x00"}

    def read(variables: dict[str, str], digits: str = "") -> Report:
        message = campaign_pb.CampaigncallReport(
            id=str(new_id()),
            kind=campaign_pb.CampaigncallReport.KIND_ENDED,
            tm=timestamp_to_proto(START),
            variables=variables,
            digits=digits,
        )
        return reports_from_proto([message])[0]

    assert len(read(many).variables) == 100
    assert list(read(large).variables) == ["a"]
    assert read({"c": "z\x00"}).variables == {"c": "z"}
    assert len(read({}, "1" * 500).digits) == 100
