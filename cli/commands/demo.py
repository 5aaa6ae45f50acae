"""`outbound demo`: one whole campaign on a fresh stack, with a summary that must add up."""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from cli.client import Client
from cli.commands.running import Json, is_terminal, reports_errors
from cli.commands.up import parse_address, stop_on_signals
from cli.dashboard import Snapshot, refreshed, render, snapshot
from cli.errors import CommandError, ExitCode
from cli.sample import sample_csv
from cli.stack.ports import find_free_port, is_port_free
from cli.stack.stack import Stack, StackOptions
from services.common.clock import boot_seconds

# Agents who always take the call: one who does not is set away, and nobody is there to call back.
_PROFILE = Path(__file__).parents[1] / "demo_profile.json"
# Real time between two looks at the campaign.
_LOOK_SECONDS = 0.5
_LINE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Size and pace of the demonstration."""

    people: int
    agents: int
    time_scale: float


@reports_errors
def demo(
    people: Annotated[int, typer.Option(min=1, max=1_000_000, help="People to reach.")] = 2000,
    agents: Annotated[int, typer.Option(min=1, max=500, help="Simulated agents.")] = 20,
    time_scale: Annotated[float, typer.Option(help="Domain seconds in one real second.")] = 30.0,
    http: Annotated[str, typer.Option(help="Address of the gateway.")] = "127.0.0.1:8080",
    data_dir: Annotated[
        Path | None, typer.Option(help="Keep the data here; default: a folder removed at the end.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Start everything, import people, run a campaign to its end, check that the numbers add up."""
    host, port = parse_address(http)
    if http == "127.0.0.1:8080" and not is_port_free(host, port):
        port = find_free_port(host, range(8081, 8181))
    stopping = stop_on_signals()
    console = Console(stderr=True)
    with _folder(data_dir) as folder:
        options = StackOptions(
            data_dir=folder,
            http_host=host,
            http_port=port,
            time_scale=time_scale,
            network_profile=_PROFILE,
        )
        stack = Stack(options, lambda line: console.print(line, highlight=False))
        try:
            stack.start(stopping.is_set)
            keeper = _Keeper(stack, stopping)
            console.print(f"ready {stack.url} (time runs {time_scale:g} times as fast)")
            key = stack.secrets.bootstrap_values()["access_key"]
            with Client(stack.url, key) as client:
                plan = Plan(people, agents, time_scale)
                summary = _run(client, plan, console, keeper.look)
        finally:
            stack.stop()
    _report(summary, as_json)


class _Keeper:
    """Looks after the stack while the demonstration waits for it."""

    def __init__(self, stack: Stack, stopping: threading.Event) -> None:
        self._stack = stack
        self._stopping = stopping

    def look(self, seconds: float) -> None:
        """Watch the processes for that long; ends the command when asked to stop."""
        until = boot_seconds() + seconds
        while boot_seconds() < until:
            if self._stopping.is_set():
                raise CommandError("interrupted", ExitCode.FAILED)
            self._stack.watch()


def _run(
    client: Client, plan: Plan, console: Console, look: Callable[[float], None]
) -> dict[str, Any]:
    started = boot_seconds()
    campaign = _create(client, plan, console)
    client.put(f"/campaigns/{campaign}", {"status": "running"})
    last_line = started
    live = Live(console=console, auto_refresh=False) if is_terminal() else None
    with live or contextlib.nullcontext():
        now = snapshot(client, campaign)
        while True:
            now = refreshed(client, campaign, now)
            if live is not None:
                live.update(render(now), refresh=True)
            elif boot_seconds() - last_line >= _LINE_SECONDS:
                last_line = boot_seconds()
                console.print(now.line(), highlight=False)
            if now.state == "finished":
                break
            if now.status == "stop":
                raise CommandError(f"the campaign stopped before its end: {now.stop_detail}")
            look(_LOOK_SECONDS)
    return _summary(client, campaign, now, plan, boot_seconds() - started)


def _create(client: Client, plan: Plan, console: Console) -> str:
    """An outdial with people, a plan, a queue with agents who are ready, and the campaign."""
    outdial = client.post("/outdials", {"name": "demo list", "detail": f"{plan.people} people"})
    result = client.upload(
        f"/outdials/{outdial['id']}/targets/import",
        sample_csv(plan.people),
        kind="text/csv",
        key="demo",
    )
    console.print(
        f"imported {result['accepted_count']} people, {result['rejected_count']} rows rejected"
    )
    outplan = client.post(
        "/outplans",
        {
            "name": "demo plan",
            "source": "+15550000000",
            "dial_timeout": 4_000,
            "try_interval": 20_000,
            "max_try_count_0": 3,
            "max_try_count_1": 2,
        },
    )
    tag = client.post("/tags", {"name": "demo"})
    queue = client.post(
        "/queues",
        {
            "name": "demo team",
            "routing_method": "longest_idle",
            "tag_ids": [tag["id"]],
            "wrapup_time": 2_000,
        },
    )
    for number in range(1, plan.agents + 1):
        agent = client.post(
            "/agents",
            {
                "username": f"agent{number}@demo.local",
                "password": f"demo-agent-{number}",
                "name": f"Agent {number}",
                "tag_ids": [tag["id"]],
                "addresses": [{"type": "sip", "target": f"agent{number}@demo.local"}],
            },
        )
        client.put(f"/agents/{agent['id']}/status", {"status": "available"})
    campaign = client.post(
        "/campaigns",
        {
            "name": "demo campaign",
            "service_level": 100,
            "end_handle": "stop",
            "outdial_id": outdial["id"],
            "outplan_id": outplan["id"],
            "queue_id": queue["id"],
            "agent_wait_limit": 60_000,  # here two seconds are too short to ring anybody
            "actions": [{"type": "talk", "option": {"text": "Hello.", "language": "en-US"}}],
        },
    )
    return str(campaign["id"])


def _summary(
    client: Client, campaign: str, end: Snapshot, plan: Plan, seconds: float
) -> dict[str, Any]:
    """Count once more from the objects themselves and compare with the live counters."""
    calls = list(client.pages(f"/campaigns/{campaign}/campaigncalls"))
    outcomes: dict[str, int] = {}
    for call in calls:
        outcomes[call["hangup_reason"]] = outcomes.get(call["hangup_reason"], 0) + 1
    agents = [agent for agent in client.pages("/agents") if agent["username"].startswith("agent")]
    busy = sum(agent["busy_ms_total"] for agent in agents)
    wrapup = sum(agent["wrapup_ms_total"] for agent in agents)
    idle = sum(agent["available_ms_total"] for agent in agents)
    staffed = busy + wrapup + idle
    checks = {
        "targets = reached + exhausted": end.targets == end.reached + end.exhausted,
        "targets = people imported": end.targets == plan.people,
        "attempts = campaigncalls": end.attempts == len(calls),
        "attempts by outcome add up": end.attempts == sum(end.outcomes.values()),
        "outcomes = campaigncalls by reason": end.outcomes == outcomes,
        "nothing in flight": end.dialing == 0 and end.talking == 0,
    }
    return {
        "campaign_id": campaign,
        "targets": end.targets,
        "reached": end.reached,
        "exhausted": end.exhausted,
        "attempts": end.attempts,
        "outcomes": dict(sorted(outcomes.items())),
        "connected": end.connected,
        "abandoned": end.abandoned,
        "occupancy": round((busy + wrapup) / staffed, 3) if staffed else 0.0,
        "talk_minutes": round(busy / 60_000, 1),
        "seconds": round(seconds, 1),
        "checks": checks,
    }


def _report(summary: dict[str, Any], as_json: bool) -> None:
    bad = [name for name, holds in summary["checks"].items() if not holds]
    if as_json:
        typer.echo(json.dumps(summary))
    else:
        table = Table(title="Campaign finished", show_header=False)
        table.add_row("targets", f"{summary['targets']:,}")
        table.add_row("= reached", f"{summary['reached']:,}")
        table.add_row("+ exhausted", f"{summary['exhausted']:,}")
        table.add_row("attempts", f"{summary['attempts']:,}")
        for reason, count in summary["outcomes"].items():
            table.add_row(f"  {reason}", f"{count:,}")
        table.add_row("connected to an agent", f"{summary['connected']:,}")
        table.add_row("abandoned", f"{summary['abandoned']:,}")
        table.add_row("agent occupancy", f"{summary['occupancy']:.0%}")
        table.add_row("real seconds", f"{summary['seconds']:.0f}")
        Console().print(table)
        for name in summary["checks"]:
            typer.echo(f"{'FAULT' if name in bad else 'ok   '} {name}")
    if bad:
        raise CommandError(f"the numbers do not add up: {'; '.join(bad)}")


@contextlib.contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    if wanted is not None:
        yield wanted
        return
    with tempfile.TemporaryDirectory(prefix="outbound-demo-", ignore_cleanup_errors=True) as path:
        # Let PostgreSQL's user pass, or root's data would be kept elsewhere and left behind.
        Path(path).chmod(0o711)
        yield Path(path)
