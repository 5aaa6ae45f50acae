"""From lease to report: batches, retries, and the end of a run."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from services.common.errors import FailedPrecondition, InvalidArgument
from services.common.ids import new_id
from services.dialer.conversations.effects import Effect
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.domain.campaigns import ReportKind, Verdict
from services.dialer.ports import Batch
from services.dialer.telephony import Answered, AnsweredBy, HangupReason, LinkChanged
from tests.unit.dialer.conftest import Stages
from tests.unit.dialer.stage import Stage

NUMBERS = [f"+1999000{n:04}" for n in range(20)]


async def test_every_due_target_is_claimed_opened_and_placed(stage: Stages) -> None:
    async with stage(NUMBERS) as s:
        assert len(s.calls) == 20
        assert set(s.calls) == set(s.campaigns.opened)
        first = s.telephony.placements[0]
        assert first.ring_timeout_ms == 30_000
        assert first.source is not None
        assert first.source.target == "+15550000000"
        assert first.place_before is not None
        assert first.place_before <= s.clock.boottime() + 5.0


async def test_an_answered_call_is_reported_talked_to_and_hung_up(stage: Stages) -> None:
    async with stage(NUMBERS[:1]) as s:
        (call,) = s.calls
        await s.answer(call)
        assert s.telephony.commands[0] == ("say", call, "step-1", "hello")
        await s.played(call, "step-1")
        assert s.telephony.of(call) == ["say", "hangup"]
        await s.end(call)

        kinds = [report.kind for report in s.campaigns.of(call)]
        assert kinds == [ReportKind.ANSWERED, ReportKind.ENDED]
        assert s.endings()[0].hangup_reason == "normal"
        assert s.records.told(call) == ["progressing", "hangup"]
        assert s.records.flow_events()[-1] == ("updated", True)
        assert s.telephony.settled_ids == [call]


async def test_an_unanswered_attempt_leaves_no_call(stage: Stages) -> None:
    async with stage(NUMBERS[:1]) as s:
        await s.end(s.calls[0], HangupReason.BUSY)
        assert [each.hangup_reason for each in s.endings()] == ["busy"]
        assert not s.records.call_rows
        assert not s.records.flow_rows


async def test_a_machine_is_hung_up_and_counts_as_amd(stage: Stages) -> None:
    async with stage(NUMBERS[:1]) as s:
        (call,) = s.calls
        await s.answer(call, AnsweredBy.MACHINE)
        assert s.telephony.of(call) == ["hangup"]
        await s.end(call)
        assert s.endings()[0].hangup_reason == "amd"
        assert s.endings()[0].tm_answer is not None
        assert not s.records.flow_rows


async def test_driver_events_that_come_twice_change_nothing(stage: Stages) -> None:
    async with stage(NUMBERS[:1]) as s:
        (call,) = s.calls
        await s.answer(call)
        await s.answer(call)
        await s.end(call)
        await s.end(call, HangupReason.BUSY)
        assert [report.kind for report in s.campaigns.of(call)] == [
            ReportKind.ANSWERED,
            ReportKind.ENDED,
        ]
        assert s.telephony.of(call).count("say") == 1


async def test_the_run_ends_when_nothing_is_left_and_nothing_is_open(stage: Stages) -> None:
    async with stage(NUMBERS[:1]) as s:
        await s.settle(2.0)
        assert not s.campaigns.finishes
        await s.end(s.calls[0], HangupReason.NOANSWER)
        await s.settle(2.0)
        assert not s.campaigns.finishes, "the target is not settled yet"
        s.targets.progressing = 0
        await s.settle(2.0)
        assert len(s.campaigns.finishes) == 1


async def test_a_run_with_a_job_that_reopens_targets_does_not_end(stage: Stages) -> None:
    def reopening(s: Stage) -> None:
        s.targets.is_reopening = True

    async with stage(prepare=reopening) as s:
        await s.settle(3.0)
        assert not s.campaigns.finishes
        s.targets.is_reopening = False
        await s.settle(1.0)
        assert len(s.campaigns.finishes) == 1


async def test_a_run_without_available_agents_ends_too(stage: Stages) -> None:
    async with stage(queue_id=new_id(), agents=0) as s:
        await s.settle(3.0)
        assert len(s.campaigns.finishes) == 1
        assert "claim" not in s.targets.faults.calls


async def test_a_run_whose_list_is_gone_ends_with_the_reason(stage: Stages) -> None:
    def gone(s: Stage) -> None:
        s.targets.faults.fail("claim", error=FailedPrecondition("outdial 7 was deleted"))

    async with stage(NUMBERS, continues=True, prepare=gone) as s:
        await s.settle(3.0)
        assert s.campaigns.finish_errors == ["outdial 7 was deleted"]
        assert not s.calls


async def test_end_handle_continue_waits_for_new_targets(stage: Stages) -> None:
    async with stage(continues=True) as s:
        await s.settle(3.0)
        assert not s.campaigns.finishes
        s.targets.idle.append(NUMBERS[0])
        s.system.targets_changed({s.definition.campaign.outdial_id})
        await s.settle()
        assert len(s.calls) == 1


async def test_new_targets_are_found_when_the_hint_is_lost(stage: Stages) -> None:
    async with stage(continues=True) as s:
        s.targets.idle.append(NUMBERS[0])
        await s.settle(6.0)
        assert len(s.calls) == 1


async def test_a_retry_is_dialed_when_it_is_due_and_not_asked_for_all_the_time(
    stage: Stages,
) -> None:
    def waiting(s: Stage) -> None:
        s.targets.next_due = s.clock.now() + timedelta(minutes=10)

    async with stage(prepare=waiting) as s:
        await s.settle(4.0)
        asked = len(s.targets.limits)
        assert asked <= 2
        s.targets.next_due = None
        s.targets.idle.append(NUMBERS[0])
        await s.clock.advance(600)
        await s.settle()
        assert len(s.calls) == 1


async def test_the_rate_holds_in_domain_time(stage: Stages) -> None:
    async with stage(NUMBERS, calls_per_second=2.0) as s:
        assert len(s.calls) == 1
        for expected in (3, 5, 7):
            await s.clock.advance(0.5)
            await s.clock.advance(0.5)
            assert len(s.calls) == expected


async def test_max_concurrent_counts_everything_in_flight(stage: Stages) -> None:
    async with stage(NUMBERS, max_concurrent=5) as s:
        assert len(s.calls) == 5
        await s.answer(s.calls[0])
        assert len(s.calls) == 5
        await s.end(s.calls[0])
        assert len(s.calls) == 6


async def test_an_open_whose_answer_was_lost_is_repeated_and_placed_once(stage: Stages) -> None:
    def lossy(s: Stage) -> None:
        s.campaigns.faults.fail("open", after_effect=True)

    async with stage(NUMBERS[:3], prepare=lossy) as s:
        assert len(s.campaigns.open_tokens) == 2
        assert len(s.calls) == 3
        assert len(set(s.calls)) == 3
        # The time to place runs from the first asking.
        assert {each.place_before for each in s.telephony.placements} == {
            min(each.place_before or 0 for each in s.telephony.placements)
        }


async def test_an_open_answered_too_late_is_not_placed_and_given_back(stage: Stages) -> None:
    holder: list[object] = []

    def slow(s: Stage) -> None:
        holder.append(s.campaigns.faults.hold("open"))

    async with stage(NUMBERS[:2], prepare=slow) as s:
        await s.settle(6.0)
        holder[0].set()  # type: ignore[attr-defined]
        await s.settle()
        assert not s.calls
        assert {each.hangup_detail for each in s.endings()} == {"not_placed"}
        assert all(each.is_refunded for each in s.endings())


async def test_refused_openings_are_given_back(stage: Stages) -> None:
    def refusing(s: Stage) -> None:
        s.campaigns.verdict = Verdict.REFUSED

    async with stage(NUMBERS[:2], prepare=refusing) as s:
        assert not s.calls
        assert len(s.targets.released) == 2


async def test_dead_openings_are_forgotten(stage: Stages) -> None:
    def tombstoned(s: Stage) -> None:
        s.campaigns.verdict = Verdict.DEAD

    async with stage(NUMBERS[:2], prepare=tombstoned) as s:
        assert not s.calls
        assert not s.targets.released
        assert not s.campaigns.reports


async def test_a_claim_whose_answer_was_lost_is_asked_for_again_by_its_id(stage: Stages) -> None:
    def lossy(s: Stage) -> None:
        s.targets.faults.fail("claim", after_effect=True)

    async with stage(NUMBERS[:3], prepare=lossy) as s:
        await s.settle(1.0)
        assert len(s.calls) == 3
        first_answers = [claim for claim in s.targets.claims.values() if claim.targets]
        assert len(first_answers) == 1


async def test_reports_wait_for_a_campaign_service_that_is_down(stage: Stages) -> None:
    async with stage(NUMBERS[:2]) as s:
        s.campaigns.faults.down.add("report")
        await s.answer(s.calls[0])
        await s.end(s.calls[0])
        await s.end(s.calls[1], HangupReason.BUSY)
        assert not s.campaigns.reports
        assert not s.telephony.settled_ids
        s.campaigns.faults.down.clear()
        await s.settle(3.0)
        assert [report.kind for report in s.campaigns.of(s.calls[0])] == [
            ReportKind.ANSWERED,
            ReportKind.ENDED,
        ]
        assert len(s.endings()) == 2


async def test_one_report_nobody_accepts_holds_up_no_other(stage: Stages) -> None:
    async with stage(NUMBERS[:3]) as s:
        for _ in range(2):
            s.campaigns.faults.fail("report", error=InvalidArgument("bad"))
        for call in list(s.calls):
            await s.end(call, HangupReason.BUSY)
        await s.settle(1.0)
        assert len(s.endings()) >= 1


async def test_without_a_link_to_the_network_nothing_is_claimed(stage: Stages) -> None:
    def cut(s: Stage) -> None:
        s.telephony.connected = False

    async with stage(NUMBERS[:1], prepare=cut) as s:
        await s.settle(2.0)
        assert "claim" not in s.targets.faults.calls
        s.telephony.connected = True
        s.telephony.tell(LinkChanged(connected=True))
        await s.settle()
        assert len(s.calls) == 1


async def test_pacing_is_told_once_a_second_at_most(stage: Stages) -> None:
    async with stage(NUMBERS, calls_per_second=1.0) as s:
        for _ in range(5):
            await s.clock.advance(1.0)
            await s.settle(0.2)
        told = s.records.pacings()
        assert 1 <= len(told) <= 3
        assert told[0].bound == "calls_per_second"
        assert told[0].started >= 1


async def test_a_row_that_cannot_be_stored_holds_up_no_other(stage: Stages) -> None:
    async with stage(NUMBERS[:5]) as s:
        poison = s.calls[2]
        save = s.records.save

        async def choking(batch: Batch) -> None:
            if any(call.id == poison for call in batch.calls):
                raise ValueError("cannot be stored")
            await save(batch)

        s.records.save = choking  # type: ignore[method-assign]
        for call in s.calls:
            s.telephony.tell(Answered(call, s.clock.now(), AnsweredBy.HUMAN))
        await s.settle(1.0)
        assert set(s.records.call_rows) == set(s.calls) - {poison}
        assert len(s.records.flow_rows) == 5


async def test_a_bug_met_by_one_call_ends_only_that_call(
    stage: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(run: FlowRun, now: datetime) -> list[Effect]:
        raise RuntimeError("boom")

    monkeypatch.setattr("services.dialer.conversations.interpreter.advance", broken)
    async with stage(NUMBERS[:2]) as s:
        first, second = s.calls
        await s.answer(first)
        assert s.telephony.of(first) == ["hangup"]
        await s.end(second, HangupReason.BUSY)
        assert len(s.endings()) == 1


async def test_no_target_is_claimed_for_which_no_trunk_has_room(stage: Stages) -> None:
    def full(made: Stage) -> None:
        made.telephony.room = 0

    async with stage(NUMBERS[:6], prepare=full) as s:
        await s.settle(2.0)
        assert s.calls == []
        assert len(s.targets.idle) == 6
        s.telephony.room = None
        # Nobody tells when there is room again: it is looked for.
        await s.settle(0.5)
        assert len(s.calls) == 6
