"""Pacing to agents and speed without agents, against the running stack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cli.client import Client
from cli.errors import CommandError
from tests.fixtures.stack import RunningStack
from tests.support.audit import audit
from tests.support.scenario import Scenario, gather, make_scenario, run, wait_finished
from tests.support.waiting import wait_for

pytestmark = pytest.mark.xdist_group("stack")

AGENTS = 20


@pytest.fixture
def client(stack: RunningStack) -> Iterator[Client]:
    with stack.client() as own:
        yield own


def decisions(events: Any) -> list[dict[str, Any]]:
    """The pacer's decisions with a known number of agents."""
    return [
        each["data"]
        for each in events
        if each["resource"] == "pacing" and "available_count" in each["data"]
    ]


def ringing_at_most(stack: RunningStack, scenario: Scenario, client: Client) -> int:
    """The most phones that rang at once, by the network's own ledger."""
    numbers = {
        target["destination_0"]["target"]
        for target in client.pages(f"/outdials/{scenario.outdial_id}/targets")
    }
    moments = []
    for call in stack.network_calls().values():
        if call.number in numbers:
            moments.append((call.tm_start, 1))
            moments.append((call.tm_answer or call.tm_end, -1))
    most = now = 0
    for _, step in sorted(moments):
        now += step
        most = max(most, now)
    return most


def test_14_level_100_never_has_more_pending_than_available_agents(
    stack: RunningStack, client: Client
) -> None:
    numbers = [f"+1555140{index:04d}" for index in range(400)]
    scenario = make_scenario(client, numbers, agents=AGENTS, actions=[])
    run(client, scenario)
    wait_finished(client, scenario.campaign_id, seconds=110)
    evidence = gather(stack, client, scenario)
    assert audit(evidence) == []
    assert 0 < ringing_at_most(stack, scenario, client) <= AGENTS
    seen = decisions(evidence.events)
    assert seen
    assert {each["service_level"] for each in seen} == {100}
    stats = evidence.stats["attempts"]
    # These people wait as long as it takes, however slow this machine is: each gets an agent.
    assert stats["connected_count"] == stats["success_count"] > 0
    assert stats["abandoned_count"] == 0


@pytest.mark.parametrize(("level", "most"), [(50, 20), (200, 5)])
def test_14_level_50_doubles_and_200_halves(
    stack: RunningStack, client: Client, level: int, most: int
) -> None:
    numbers = [f"+19999{level:03d}{index:03d}" for index in range(40)]
    scenario = make_scenario(
        client, numbers, agents=10, service_level=level, dial_timeout_ms=600_000
    )
    run(client, scenario)

    def dialing() -> int:
        stats = client.get(f"/campaigns/{scenario.campaign_id}/stats")
        return int(stats["attempts"]["dialing_count"])

    wait_for(lambda: dialing() == most, what=f"{most} ringing phones")
    client.put(f"/campaigns/{scenario.campaign_id}/status", {"status": "stop"})
    wait_finished(client, scenario.campaign_id)
    assert ringing_at_most(stack, scenario, client) == most


def test_14_level_0_is_refused(client: Client) -> None:
    with pytest.raises(CommandError, match=r"service_level.*1.*1000.*HTTP 400"):
        client.post("/campaigns", {"name": "zero", "service_level": 0})


def test_14_without_a_queue_max_concurrent_is_the_limit(
    stack: RunningStack, client: Client
) -> None:
    numbers = [f"+1555144{index:04d}" for index in range(120)]
    scenario = make_scenario(client, numbers, max_concurrent=7)
    run(client, scenario)
    wait_finished(client, scenario.campaign_id, seconds=110)
    assert ringing_at_most(stack, scenario, client) <= 7
    assert audit(gather(stack, client, scenario)) == []


@pytest.mark.timeout(300)
def test_15_a_list_of_100000_dials_far_faster_than_two_a_second(
    stack: RunningStack, client: Client
) -> None:
    numbers = [f"+155515{index:06d}" for index in range(100_000)]
    scenario = make_scenario(client, numbers, max_concurrent=5_000)
    run(client, scenario)

    def attempts() -> int:
        stats = client.get(f"/campaigns/{scenario.campaign_id}/stats")
        return int(stats["attempts"]["attempt_count"])

    wait_for(lambda: attempts() > 1_000, what="1,000 attempts")
    wait_for(lambda: attempts() > 4_000, seconds=30, what="3,000 more within 30 s: 100 a second")
    client.put(f"/campaigns/{scenario.campaign_id}/status", {"status": "stop"})
    wait_finished(client, scenario.campaign_id)
