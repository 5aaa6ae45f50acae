"""What an agent is doing: which change follows which, and what it adds to the totals."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.common.errors import InvalidArgument
from services.common.ids import new_id
from services.queue.agents.domain import (
    STATES_OF,
    AgentState,
    AgentStatus,
    check_password,
    check_permission,
    check_status,
    check_username,
)
from tests.unit.queue.factories import START, make_agent

LATER = START + timedelta(seconds=10)


def test_every_state_shows_as_one_documented_status() -> None:
    shown = [state for states in STATES_OF.values() for state in states]
    assert sorted(shown) == sorted(AgentState)
    assert make_agent(AgentState.RESERVED).status is AgentStatus.RINGING
    assert make_agent(AgentState.WRAPUP).status is AgentStatus.BUSY


@pytest.mark.parametrize("status", ["available", "away", "busy", "offline"])
def test_an_idle_agent_takes_any_status_at_once(status: str) -> None:
    agent = make_agent(AgentState.AWAY).set_status(AgentStatus(status), LATER)
    assert agent.state == status


@pytest.mark.parametrize("state", [AgentState.RESERVED, AgentState.RINGING, AgentState.BUSY])
def test_a_status_set_on_a_call_waits(state: AgentState) -> None:
    agent = make_agent(state, queuecall_id=new_id())
    waiting = agent.set_status(AgentStatus.AWAY, LATER)
    assert (waiting.state, waiting.next_status, waiting.tm_state) == (state, "away", START)
    assert waiting.set_status(AgentStatus.AWAY, LATER) is waiting
    assert waiting.set_status(AgentStatus.AVAILABLE, LATER).next_status == ""


def test_only_available_ends_a_wrapup() -> None:
    agent = make_agent(AgentState.WRAPUP, wrapup_until=LATER)
    assert agent.set_status(AgentStatus.AVAILABLE, LATER).state is AgentState.AVAILABLE
    waiting = agent.set_status(AgentStatus.AWAY, LATER)
    assert (waiting.state, waiting.next_status) == (AgentState.WRAPUP, "away")
    assert waiting.end_wrapup(LATER).state is AgentState.AWAY


def test_a_missed_call_makes_away_unless_another_status_waits() -> None:
    agent = make_agent(AgentState.RINGING, queuecall_id=new_id())
    assert agent.miss(LATER).state is AgentState.AWAY
    offline = agent.set_status(AgentStatus.OFFLINE, LATER).miss(LATER)
    assert (offline.state, offline.next_status, offline.queuecall_id) == ("offline", "", None)


def test_without_wrapup_time_an_agent_is_available_at_once() -> None:
    agent = make_agent(AgentState.BUSY, queuecall_id=new_id())
    assert agent.hang_up(LATER, 0).state is AgentState.AVAILABLE


def test_reports_out_of_order_count_no_time_twice() -> None:
    agent = make_agent().reserve(new_id(), LATER)
    talking = agent.talk(new_id(), START)  # an older time than the one known
    assert talking.tm_state == LATER
    wrapping = talking.hang_up(LATER + timedelta(seconds=5), 3_000)
    assert (wrapping.available_ms_total, wrapping.busy_ms_total) == (10_000, 5_000)
    assert wrapping.wrapup_until == LATER + timedelta(seconds=8)


def test_an_agent_that_was_idle_all_the_while_keeps_its_place() -> None:
    reserved = make_agent().reserve(new_id(), LATER)
    assert reserved.release(LATER, keeps_place=True).idle_since == START
    assert reserved.release(LATER, keeps_place=False).idle_since == LATER


@pytest.mark.parametrize("username", ["a@b", "kim.lee+x@example.co.uk", "ü@example.com"])
def test_usernames_shaped_like_an_email_address_are_accepted(username: str) -> None:
    assert check_username(username) == username


@pytest.mark.parametrize("username", ["", "kim", "@b", "a@", "a b@c", "a@b@c", "x" * 255 + "@b"])
def test_other_usernames_are_refused(username: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_username(username)
    assert caught.value.reason == "INVALID_USERNAME_FORMAT"


def test_a_refused_password_is_not_repeated() -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_password("secret!")
    assert "secret" not in str(caught.value)


def test_customers_cannot_give_operators_permissions() -> None:
    assert check_permission(16 | 32 | 64) == 112
    for permission in (1, 15, 33, 256, 65535, 2**64 - 1):
        with pytest.raises(InvalidArgument):
            check_permission(permission)


@pytest.mark.parametrize("status", ["ringing", "", "Available", "reserved"])
def test_only_documented_statuses_can_be_set(status: str) -> None:
    with pytest.raises(InvalidArgument):
        check_status(status)
