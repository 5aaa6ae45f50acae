"""Agents and queues against the running stack, also while its dialers are killed."""

from __future__ import annotations

import os
import random
import time

import pytest

from cli.client import Client
from tests.fixtures.stack import RunningStack
from tests.support.audit import audit
from tests.support.scenario import gather, make_scenario, run, wait_finished
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.xdist_group("own-stacks"), pytest.mark.timeout(300)]

SEED = int(os.environ.get("OUTBOUND_TEST_SEED") or time.time_ns() % 1_000_000)


def test_counts_of_campaign_and_queue_agree_after_dialers_were_killed(
    own_stack: RunningStack,
) -> None:
    chance = random.Random(SEED)
    with own_stack.client() as client:
        numbers = [f"+1555140{index:04d}" for index in range(700)]
        scenario = make_scenario(
            client,
            numbers,
            agents=25,
            service_level=50,
            # Three real seconds: on a busy machine everything takes its time.
            agent_wait_limit=60_000,
            abandonment_actions=[{"type": "talk", "option": {"text": "We call you again."}}],
        )
        run(client, scenario)
        stats = f"/campaigns/{scenario.campaign_id}/stats"
        for _ in range(4):
            _wait_for_answers(client, stats, chance.randrange(20, 50))
            holder = client.get(stats)["lease_holder"]
            own_stack.kill_and_await(holder or "dialer-1")
        wait_finished(client, scenario.campaign_id, seconds=200)
        evidence = gather(own_stack, client, scenario)
        queue = client.get(f"/queues/{scenario.queue_id}")
    findings = audit(evidence)
    assert findings == [], f"seed {SEED}: {len(findings)} findings: {findings[:10]}"
    counted = evidence.stats["attempts"]
    assert counted["connected_count"] == queue["total_serviced_count"] > 0
    assert 0 < counted["answer_to_agent_ms_p50"] <= counted["answer_to_agent_ms_max"]


def _wait_for_answers(client: Client, stats: str, more: int) -> None:
    """Return when so many more people than now have answered."""

    def answered() -> int:
        return int(client.get(stats)["attempts"]["answered_by_person_count"])

    goal = answered() + more
    wait_for(lambda: answered() >= goal, seconds=60, what=f"{goal} answers")
