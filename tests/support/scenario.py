"""Builds campaigns through the public API and gathers the evidence when they are over."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.client import Client
from tests.fixtures.stack import RunningStack
from tests.support.audit import Evidence, Plan
from tests.support.waiting import wait_for

SOURCE = "+15550000000"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A campaign with everything it needs, not started."""

    campaign_id: str
    outdial_id: str
    outplan_id: str
    queue_id: str
    agent_ids: tuple[str, ...]
    plan: Plan


def make_scenario(
    client: Client,
    numbers: Iterable[str],
    *,
    tries: Sequence[int] = (1, 0, 0, 0, 0),
    try_interval_ms: int = 1_000,
    dial_timeout_ms: int = 12_000,
    agents: int = 0,
    service_level: int = 100,
    end_handle: str = "stop",
    calls_per_second: float | None = 1_000.0,
    max_concurrent: int | None = 2_000,
    actions: Sequence[Mapping[str, Any]] = ({"type": "talk", "option": {"text": "Hello."}},),
    agent_wait_limit: int = 600_000,
    **campaign: Any,
) -> Scenario:
    """Make outdial, outplan, perhaps a queue with available agents, and a campaign."""
    word = uuid.uuid4().hex[:12]
    outdial = client.post("/outdials", {"name": word})["id"]
    add_targets(client, outdial, numbers)
    plan: dict[str, Any] = {
        "name": word,
        "source": SOURCE,
        "dial_timeout": dial_timeout_ms,
        "try_interval": try_interval_ms,
        **{f"max_try_count_{slot}": count for slot, count in enumerate(tries)},
    }
    if calls_per_second is not None:
        plan["calls_per_second"] = calls_per_second
    if max_concurrent is not None:
        plan["max_concurrent"] = max_concurrent
    outplan = client.post("/outplans", plan)["id"]
    queue, agent_ids = make_team(client, word, agents) if agents else ("", ())
    body: dict[str, Any] = {
        "name": word,
        "type": "call",
        "service_level": service_level,
        "end_handle": end_handle,
        "actions": list(actions),
        "outplan_id": outplan,
        "outdial_id": outdial,
        # Domain time runs fast here: two seconds of it are shorter than any ringing.
        "agent_wait_limit": agent_wait_limit,
        **campaign,
    }
    if queue:
        body["queue_id"] = queue
    made = client.post("/campaigns", body)
    counts = (tries[0], tries[1], tries[2], tries[3], tries[4])
    return Scenario(made["id"], outdial, outplan, queue, agent_ids, Plan(counts))


def add_targets(client: Client, outdial_id: str, numbers: Iterable[str]) -> None:
    """Import one target a number."""
    lines = "".join(f"{number}\n" for number in numbers)
    if lines:
        client.upload(
            f"/outdials/{outdial_id}/targets/import",
            [b"phone\n" + lines.encode()],
            kind="text/csv",
            key=uuid.uuid4().hex,
        )


def make_team(client: Client, word: str, agents: int) -> tuple[str, tuple[str, ...]]:
    """A queue served by its own agents, all available."""
    tag = client.post("/tags", {"name": word})["id"]
    queue = client.post("/queues", {"name": word, "tag_ids": [tag], "wrapup_time": 1_000})["id"]
    ids = []
    for number in range(agents):
        agent = client.post(
            "/agents",
            {
                "username": f"agent{number}@{word}.local",
                "password": f"{word}-{number}",
                "name": f"agent {number}",
                "tag_ids": [tag],
                "addresses": [{"type": "sip", "target": f"agent{number}@{word}.local"}],
            },
        )["id"]
        client.put(f"/agents/{agent}/status", {"status": "available"})
        ids.append(agent)
    return queue, tuple(ids)


def run(client: Client, scenario: Scenario) -> None:
    """Start the campaign."""
    client.put(f"/campaigns/{scenario.campaign_id}/status", {"status": "run"})


def wait_finished(client: Client, campaign_id: str, *, seconds: float = 60.0) -> dict[str, Any]:
    """The campaign once it is in status stop."""

    def stopped() -> dict[str, Any] | None:
        campaign = client.get(f"/campaigns/{campaign_id}")
        return campaign if campaign["status"] == "stop" else None

    found: dict[str, Any] = wait_for(stopped, seconds=seconds, what=f"the end of {campaign_id}")
    return found


def gather(
    stack: RunningStack, client: Client, scenario: Scenario, *, with_events: bool = True
) -> Evidence:
    """Everything known about a campaign that is over."""
    attempts = list(client.pages(f"/campaigns/{scenario.campaign_id}/campaigncalls"))
    targets = list(client.pages(f"/outdials/{scenario.outdial_id}/targets"))
    numbers = {
        target[f"destination_{slot}"]["target"]
        for target in targets
        for slot in range(5)
        if target[f"destination_{slot}"]
    }
    network = {
        call_id: call for call_id, call in stack.network_calls().items() if call.number in numbers
    }
    return Evidence(
        plan=scenario.plan,
        campaign=client.get(f"/campaigns/{scenario.campaign_id}"),
        stats=client.get(f"/campaigns/{scenario.campaign_id}/stats"),
        campaigncalls=attempts,
        targets=targets,
        network=network,
        queuecalls=settled_queuecalls(client, scenario.campaign_id),
        events=stored_events(stack, scenario.campaign_id) if with_events else None,
    )


def settled_queuecalls(client: Client, campaign_id: str) -> list[dict[str, Any]]:
    """The campaign's queuecalls once none is live.

    The queue gives a caller up whose dialer died before it had told the end: after a real minute.
    """
    own: list[dict[str, Any]] = []

    def are_over() -> bool:
        own[:] = [
            each for each in client.pages("/queuecalls") if each["campaign_id"] == campaign_id
        ]
        return all(each["status"] in ("done", "abandoned") for each in own)

    wait_for(are_over, seconds=80, what="the end of all queuecalls")
    return own


def stored_events(stack: RunningStack, campaign_id: str) -> list[dict[str, Any]]:
    """Every event of the campaign that the stream keeps, by the command a user would run."""
    command = [sys.executable, "-m", "cli.main", "events", "--data-dir", str(stack.data_dir)]
    command += ["--all", "--no-follow", "--campaign", campaign_id]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return [json.loads(line) for line in done.stdout.splitlines()]
