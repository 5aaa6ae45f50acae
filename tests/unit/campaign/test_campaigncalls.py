"""How attempts move, and what becomes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from services.campaign.campaigncalls.domain import (
    HANGUP_REASONS,
    Advance,
    CallStatus,
    Campaigncall,
    Counts,
    Report,
    ReportKind,
    Result,
    RetryPlan,
    advance,
    count,
    dialing_deadline,
    documented_reason,
    lost,
    settlement,
)
from services.common.address import Address
from services.common.ids import new_id

OPENED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANSWER = OPENED + timedelta(seconds=20)
END = OPENED + timedelta(seconds=80)
NOW = OPENED + timedelta(seconds=90)
LONGEST = timedelta(minutes=20)
PLAN = RetryPlan(1000, (3, 0, 0, 0, 0))


def make_call(**members: Any) -> Campaigncall:
    values: dict[str, Any] = {
        "id": new_id(),
        "customer_id": new_id(),
        "campaign_id": new_id(),
        "outplan_id": new_id(),
        "outdial_id": new_id(),
        "outdial_target_id": new_id(),
        "queue_id": None,
        "flow_id": None,
        "activeflow_id": new_id(),
        "source": None,
        "destination": Address("tel", "+15550001"),
        "destination_index": 0,
        "try_count": 1,
        "run_number": 1,
        "dialer_id": "dialer-1",
        "deadline": OPENED + timedelta(seconds=45),
        "tm_create": OPENED,
    }
    return Campaigncall(**(values | members))


def answered(call: Campaigncall) -> Report:
    return Report(call.id, ReportKind.ANSWERED, ANSWER)


def ended(call: Campaigncall, reason: str = "normal", **members: Any) -> Report:
    return Report(call.id, ReportKind.ENDED, END, hangup_reason=reason, **members)


def after(call: Campaigncall, *reports: Report) -> Advance:
    return advance(call, reports, NOW, LONGEST)


@pytest.mark.parametrize("reason", HANGUP_REASONS)
@pytest.mark.parametrize("is_answered", [False, True])
def test_only_a_normal_end_after_an_answer_is_a_success(reason: str, is_answered: bool) -> None:
    call = make_call()
    reports = [answered(call)] if is_answered else []
    done = after(call, *reports, ended(call, reason)).call
    expected = Result.SUCCESS if is_answered and reason == "normal" else Result.FAIL
    assert (done.status, done.result, done.hangup_reason) == (CallStatus.DONE, expected, reason)


def test_somebody_spoken_to_until_the_time_limit_is_not_called_again() -> None:
    call = make_call()
    done = after(call, answered(call), ended(call, "timeout")).call
    assert done.result is Result.FAIL
    assert settlement(done, PLAN).is_final
    unanswered = after(call, ended(call, "timeout")).call
    assert not settlement(unanswered, PLAN).is_final


def test_a_success_is_final_and_a_fail_is_not() -> None:
    call = make_call()
    assert settlement(after(call, answered(call), ended(call)).call, PLAN).is_final
    assert not settlement(after(call, ended(call, "busy")).call, PLAN).is_final


def test_a_try_is_given_back_only_if_nobody_answered() -> None:
    call = make_call()
    assert after(call, ended(call, "cancel", is_refunded=True)).call.is_refunded
    spoken = after(call, answered(call), ended(call, "cancel", is_refunded=True)).call
    assert not spoken.is_refunded


def test_abandoned_needs_an_answer_and_no_agent() -> None:
    call = make_call()
    connected = Report(call.id, ReportKind.CONNECTED, ANSWER)
    assert after(call, answered(call), ended(call, is_abandoned=True)).call.is_abandoned
    assert not after(call, connected, ended(call, is_abandoned=True)).call.is_abandoned
    assert not after(call, ended(call, "noanswer", is_abandoned=True)).call.is_abandoned


def test_too_long_a_wait_is_abandoned_also_when_an_agent_comes_later() -> None:
    call = make_call()
    late = Report(call.id, ReportKind.ABANDONED, ANSWER + timedelta(seconds=2))
    agent = Report(
        call.id, ReportKind.CONNECTED, ANSWER + timedelta(seconds=3), answer_to_agent_ms=3_000
    )
    changed = after(call, answered(call), late, agent, ended(call))
    done = changed.call
    assert (done.is_abandoned, done.tm_abandon) == (True, late.tm)
    assert (done.tm_connect, done.answer_to_agent) == (agent.tm, 3_000)
    assert changed.abandoned is not None
    counts = Counts()
    count(changed, counts)
    assert (counts.persons, counts.abandoned, counts.connected) == (1, 1, 1)
    assert (counts.waits.total_ms, counts.waits.longest_ms) == (3_000, 3_000)


def test_of_abandonment_and_connection_the_earlier_one_holds() -> None:
    call = make_call()
    agent = Report(call.id, ReportKind.CONNECTED, ANSWER + timedelta(seconds=1))
    late = Report(call.id, ReportKind.ABANDONED, ANSWER + timedelta(seconds=2))
    assert not after(call, answered(call), agent, late).call.is_abandoned
    # Told again after a take-over, in the other order.
    early = Report(call.id, ReportKind.ABANDONED, ANSWER + timedelta(milliseconds=500))
    assert after(call, answered(call), agent, early).call.tm_abandon == early.tm


def test_a_person_who_leaves_without_an_agent_is_abandoned_at_the_end() -> None:
    call = make_call()
    done = after(call, answered(call), ended(call, is_abandoned=True)).call
    assert done.tm_abandon == done.tm_end == END


def test_an_agent_without_a_measure_is_measured_from_the_answer() -> None:
    call = make_call()
    agent = Report(call.id, ReportKind.CONNECTED, ANSWER + timedelta(seconds=4))
    assert after(call, answered(call), agent).call.answer_to_agent == 4_000


def test_a_machine_is_nobody_who_could_be_abandoned() -> None:
    call = make_call()
    late = Report(call.id, ReportKind.ABANDONED, ANSWER + timedelta(seconds=2))
    found = ended(call, is_machine=True, is_abandoned=True)
    changed = after(call, answered(call), late)
    counts = Counts()
    count(changed, counts)
    assert (counts.persons, counts.abandoned) == (1, 1)
    # Found out at the end, what was counted is taken back.
    last = after(changed.call, found)
    count(last, counts)
    assert (counts.persons, counts.abandoned) == (0, 0)
    assert (last.call.is_machine, last.call.is_abandoned, last.call.tm_abandon) == (
        True,
        False,
        None,
    )
    heard = Report(call.id, ReportKind.ANSWERED, ANSWER, is_machine=True)
    assert not after(call, heard, late).call.is_abandoned
    assert after(call, answered(call), ended(call, "amd")).call.is_machine


def test_an_answer_moves_the_deadline_past_the_longest_conversation() -> None:
    call = make_call()
    moved = after(call, answered(call)).call
    assert moved.status is CallStatus.PROGRESSING
    assert moved.deadline == ANSWER + LONGEST + timedelta(seconds=30)


def test_reports_in_any_order_never_move_an_attempt_backward() -> None:
    call = make_call()
    facts = [
        answered(call),
        Report(call.id, ReportKind.CONNECTED, ANSWER + timedelta(seconds=5)),
        ended(call, tm_answer=ANSWER),
    ]
    for order in permutations(facts + facts[:1]):
        state, seen = call, [call.status]
        for report in order:
            state = after(state, report).call
            seen.append(state.status)
        ranks = [list(CallStatus).index(each) for each in seen]
        assert ranks == sorted(ranks)
        assert state.status is CallStatus.DONE
        assert state.result is Result.SUCCESS


def test_nothing_changes_what_is_done() -> None:
    call = make_call()
    done = after(call, ended(call, "busy")).call
    for report in (answered(call), ended(call), ended(call, "cancel", is_refunded=True)):
        change = after(done, report)
        assert change.call == done
        assert not change.is_change


def test_each_step_has_its_own_revision_and_content() -> None:
    call = make_call()
    change = after(call, answered(call), ended(call))
    assert change.answered is not None
    assert change.ended is not None
    assert (change.answered.revision, change.ended.revision) == (2, 3)
    assert change.answered.status is CallStatus.PROGRESSING
    assert change.call == change.ended


def test_counts_are_the_difference_a_batch_makes() -> None:
    call, other = make_call(), make_call()
    counts = Counts()
    count(after(call, answered(call)), counts)
    assert (counts.answered, counts.progressing, counts.ended) == (1, 1, 0)
    progressing = after(call, answered(call)).call
    count(after(progressing, ended(call)), counts)
    count(after(other, ended(other, "cancel", is_refunded=True)), counts)
    assert (counts.progressing, counts.ended, counts.success, counts.fail) == (0, 2, 1, 1)
    assert (counts.placed, counts.refunded, counts.talk_ms) == (-1, 1, 60_000)
    assert counts.hangup_reasons == {"normal": 1, "cancel": 1}


def test_a_lost_attempt_fails_without_refund_and_a_lost_conversation_succeeds() -> None:
    call = make_call()
    unanswered = after(call, lost(call, NOW)).call
    assert (unanswered.result, unanswered.hangup_detail) == (Result.FAIL, "lost")
    assert not unanswered.is_refunded
    talking = after(call, answered(call)).call
    spoken = after(talking, lost(talking, NOW)).call
    assert (spoken.result, spoken.hangup_detail) == (Result.SUCCESS, "lost_after_answer")
    assert spoken.hangup_reason == "normal"


@pytest.mark.parametrize(
    ("word", "reason", "detail"),
    [
        ("no_answer", "noanswer", ""),
        ("canceled", "cancel", ""),
        ("busy", "busy", ""),
        ("martians", "failed", "martians"),
        ("", "failed", ""),
    ],
)
def test_other_spellings_and_unknown_reasons(word: str, reason: str, detail: str) -> None:
    call = make_call()
    done = after(call, ended(call, word)).call
    assert (done.hangup_reason, done.hangup_detail) == (reason, detail)
    assert documented_reason(word) == reason


def test_the_time_to_place_is_real_so_it_grows_with_the_scale() -> None:
    assert dialing_deadline(OPENED, 1.0, 30_000) == OPENED + timedelta(seconds=45)
    assert dialing_deadline(OPENED, 60.0, 30_000) == OPENED + timedelta(seconds=340)
