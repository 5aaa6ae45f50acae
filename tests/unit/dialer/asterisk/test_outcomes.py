"""The table of outcomes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.dialer.drivers.asterisk.outcomes import EndFacts, outcome
from services.dialer.telephony import HangupReason, HungUpBy

REFUSED = EndFacts(is_answered=False, cause=0, was_left=True, has_word=True, placed_ms=500)
ANSWERED = EndFacts(is_answered=True, cause=16, talked_ms=9_000, max_ms=60_000)


def said(facts: EndFacts) -> tuple[str, str]:
    reason, detail, _ = outcome(facts)
    return reason.value, detail


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (486, ("busy", "")),
        (600, ("busy", "")),
        (480, ("noanswer", "")),
        (408, ("noanswer", "")),
        (403, ("noanswer", "rejected")),
        (603, ("noanswer", "rejected")),
        (607, ("noanswer", "rejected")),
        (608, ("noanswer", "rejected")),
        (404, ("failed", "invalid")),
        (604, ("failed", "invalid")),
        (410, ("failed", "invalid")),
        (484, ("failed", "invalid")),
        (503, ("failed", "congestion")),
        (513, ("failed", "congestion")),
        (500, ("failed", "network_fault")),
        (502, ("failed", "network_fault")),
        (504, ("failed", "network_fault")),
        (302, ("failed", "redirected")),
        (488, ("failed", "sip_488")),
        (606, ("failed", "sip_606")),
        (499, ("failed", "sip_499")),
    ],
)
def test_sip_statuses(status: int, expected: tuple[str, str]) -> None:
    assert said(replace(REFUSED, tech_cause=status)) == expected


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (1, ("failed", "invalid")),
        (17, ("busy", "")),
        (19, ("noanswer", "")),
        (21, ("noanswer", "rejected")),
        (34, ("failed", "congestion")),
        (38, ("failed", "network_fault")),
        (0, ("failed", "cause_0")),
        (99, ("failed", "cause_99")),
    ],
)
def test_causes_count_where_there_is_no_status(cause: int, expected: tuple[str, str]) -> None:
    assert said(replace(REFUSED, cause=cause)) == expected


@pytest.mark.parametrize("cause", [0, 16, 17, 38, 127])
def test_what_was_answered_is_normal_whatever_the_cause(cause: int) -> None:
    assert outcome(replace(ANSWERED, cause=cause, was_left=True)) == (
        HangupReason.NORMAL,
        "",
        HungUpBy.REMOTE,
    )
    assert outcome(replace(ANSWERED, cause=cause, end_wish="hangup"))[2] is HungUpBy.LOCAL


def test_the_longest_duration_is_told_from_a_hangup() -> None:
    over = replace(ANSWERED, talked_ms=59_900)
    assert said(over) == ("timeout", "max_duration")
    assert said(replace(over, was_left=True)) == ("normal", "")


def test_our_own_timer_depends_on_whether_the_network_said_anything() -> None:
    timer = replace(REFUSED, was_left=False, was_cut=True, cause=19, tech_cause=480)
    assert said(timer) == ("noanswer", "")
    assert said(replace(timer, has_word=False)) == ("dialout", "")


def test_what_we_wanted_is_canceled() -> None:
    for wish in ("cancel", "hangup"):
        facts = replace(REFUSED, end_wish=wish, was_cut=True, cause=19, tech_cause=480)
        assert outcome(facts) == (HangupReason.CANCEL, "canceled", HungUpBy.LOCAL)


def test_a_silent_trunk_is_told_from_a_callee_who_timed_out() -> None:
    silent = replace(REFUSED, has_word=False, tech_cause=408, placed_ms=32_000)
    assert said(silent) == ("failed", "no_response")
    assert said(replace(silent, placed_ms=12_000)) == ("noanswer", "")
    assert said(replace(silent, has_word=True)) == ("noanswer", "")
