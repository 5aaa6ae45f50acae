"""The core, audited: 10,000 targets, two dialers, processes killed at random, nothing doubled or lost."""

from __future__ import annotations

import os
import random
import time

import pytest

from tests.fixtures.stack import RunningStack
from tests.support.audit import audit
from tests.support.scenario import gather, make_scenario, run, wait_finished
from tests.support.waiting import wait_for

TARGETS = 10_000
VICTIMS = ("dialer-1", "dialer-2", "campaign", "outdial", "queue", "nats", "postgres")
SEED = int(os.environ.get("OUTBOUND_TEST_SEED") or time.time_ns() % 1_000_000)


@pytest.mark.timeout(600)
@pytest.mark.xdist_group("ten-thousand")
def test_10_ten_thousand_targets_survive_random_kills(own_stack: RunningStack) -> None:
    chance = random.Random(SEED)
    with own_stack.client() as client:
        numbers = [f"+1555{index:07d}" for index in range(TARGETS)]
        scenario = make_scenario(client, numbers, tries=(3, 0, 0, 0, 0), try_interval_ms=5_000)
        started = time.monotonic()
        run(client, scenario)
        for victim in VICTIMS:
            _wait_for_progress(own_stack, chance.randrange(300, 900))
            own_stack.kill_and_await(victim)
        campaign = wait_finished(client, scenario.campaign_id, seconds=400)
        seconds = time.monotonic() - started
        evidence = gather(own_stack, client, scenario)
    findings = audit(evidence)
    rate = len(evidence.campaigncalls) / seconds
    print(f"seed {SEED}: {len(evidence.campaigncalls)} attempts in {seconds:.0f} s, {rate:.0f}/s")
    assert findings == [], f"seed {SEED}: {len(findings)} findings: {findings[:10]}"
    assert (campaign["state"], campaign["stop_reason"]) == ("finished", "finished")


def _wait_for_progress(stack: RunningStack, calls: int) -> None:
    """Return when the network has started that many calls more than now."""
    goal = stack.ledger.read_bytes().count(b'"event":"ring"') + calls
    wait_for(
        lambda: stack.ledger.read_bytes().count(b'"event":"ring"') >= goal,
        seconds=120,
        what=f"{goal} calls",
    )
