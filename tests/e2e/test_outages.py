"""PostgreSQL or NATS away: 503 with the envelope, recovery without a restart, nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.stack.processes import http_health
from tests.fixtures.stack import RunningStack
from tests.support.audit import audit
from tests.support.scenario import gather, make_scenario, run, wait_finished
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.xdist_group("own-stacks"), pytest.mark.timeout(300)]


def test_postgres_away_gives_503_and_the_campaign_ends_once_it_is_back(
    own_stack: RunningStack,
) -> None:
    with own_stack.client() as client, own_stack.http() as http:
        numbers = [f"+1555170{index:04d}" for index in range(1_000)]
        scenario = make_scenario(client, numbers, tries=(2, 0, 0, 0, 0))
        pids = {name: pid for name, pid in own_stack.facts["pids"].items() if pid}
        run(client, scenario)
        wait_for(lambda: len(own_stack.network_calls()) > 100, what="100 calls")
        headers = {"Authorization": f"Bearer {own_stack.access_key}"}
        # Killed again and again while it comes back: from outside, a server that is away.
        for _ in range(5):
            killed = own_stack.kill("postgres")
            answer = http.get("/v1.0/outplans", headers=headers)
            assert answer.status_code in (200, 503)
            if answer.status_code == 503:
                assert answer.json()["error"]["status"] == "UNAVAILABLE"
                assert answer.json()["error"]["request_id"] == answer.headers["X-Request-Id"]
            own_stack.await_restart("postgres", killed)
        ended = wait_finished(client, scenario.campaign_id, seconds=200)
        assert ended["state"] == "finished"
        assert audit(gather(own_stack, client, scenario)) == []
        after = own_stack.facts["pids"]
    services = ("campaign", "outdial", "queue", "dialer-1", "dialer-2", "gateway", "simnet")
    assert {name: after[name] for name in services} == {name: pids[name] for name in services}


def test_watching_goes_on_when_the_gateway_is_started_again(
    own_stack: RunningStack, tmp_path: Path
) -> None:
    seen = tmp_path / "seen.ndjson"
    with own_stack.client() as client:
        scenario = make_scenario(client, [f"+1555172{index:04d}" for index in range(20)],
                                 end_handle="continue")  # fmt: skip
        campaign = scenario.campaign_id
        run(client, scenario)
        command = [sys.executable, "-m", "cli.main", "watch", campaign, "--json"]
        with seen.open("w") as output:
            watching = subprocess.Popen(
                [*command, "--url", own_stack.url, "--access-key", own_stack.access_key],
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
            )
        wait_for(seen.read_text, what="the first figures")
        own_stack.kill_and_await("gateway")
        wait_for(http_health(f"{own_stack.url}/health"), what="the gateway's health")
        client.put(f"/campaigns/{campaign}/status", {"status": "stop"})
        _, said = watching.communicate(timeout=60)
    assert watching.returncode == 1
    assert said.splitlines()[0] == "the stream of events ended; opening it again"
    assert json.loads(seen.read_text().splitlines()[-1])["status"] == "stop"


def test_nats_away_stops_nothing_and_every_event_arrives_later(own_stack: RunningStack) -> None:
    with own_stack.client() as client:
        numbers = [f"+1555171{index:04d}" for index in range(600)]
        scenario = make_scenario(client, numbers, tries=(2, 0, 0, 0, 0))
        pids = own_stack.facts["pids"]
        run(client, scenario)
        wait_for(lambda: len(own_stack.network_calls()) > 50, what="50 calls")
        frozen = pids["nats"]
        os.kill(frozen, signal.SIGSTOP)
        try:
            before = len(own_stack.network_calls())
            wait_for(
                lambda: len(own_stack.network_calls()) > before + 50,
                what="50 more calls without NATS",
            )
        finally:
            os.kill(frozen, signal.SIGCONT)
        assert wait_finished(client, scenario.campaign_id, seconds=200)["state"] == "finished"
        assert audit(gather(own_stack, client, scenario)) == []
