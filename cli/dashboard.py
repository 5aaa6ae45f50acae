"""One campaign at a glance: the numbers, and how they look in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cli.client import Client
from services.common.clock import boot_seconds

# The attempts of so many real seconds make the rate that is shown.
_RATE_SECONDS = 5.0
# Every agent is counted; beyond that many the dashboard leaves the team out.
_MOST_AGENTS = 500


@dataclass(frozen=True, slots=True)
class Pacing:
    """The latest decision of the pacer."""

    bound: str = ""
    started: int = 0
    available: int | None = None
    dialing: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known about a campaign at one moment."""

    name: str = ""
    status: str = ""
    state: str = ""
    stop_reason: str = ""
    stop_detail: str = ""
    targets: int = 0
    idle: int = 0
    progressing: int = 0
    reached: int = 0
    exhausted: int = 0
    attempts: int = 0
    dialing: int = 0
    talking: int = 0
    connected: int = 0
    abandoned: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    agents: Mapping[str, int] = field(default_factory=dict)
    pacing: Pacing = field(default_factory=Pacing)
    history: tuple[tuple[float, int], ...] = ()
    queue_id: str = ""

    @property
    def rate(self) -> float:
        """Attempts a real second over the last seconds."""
        if len(self.history) < 2:
            return 0.0
        (first, before), (last, now) = self.history[0], self.history[-1]
        return (now - before) / max(last - first, 1e-6)

    def after(self, name: str, data: Mapping[str, Any]) -> Snapshot:
        """The snapshot after a server-sent event."""
        if name == "stats":
            return self.with_stats(data)
        if name == "pacing":
            return replace(self, pacing=_pacing(data))
        return self

    def with_stats(self, stats: Mapping[str, Any]) -> Snapshot:
        """The snapshot with the counters of `GET /campaigns/{id}/stats`."""
        calls, targets = stats["attempts"], stats["targets"]
        now = boot_seconds()
        kept = [point for point in self.history if point[0] > now - _RATE_SECONDS]
        return replace(
            self,
            status=stats["status"],
            state=stats["state"],
            stop_reason=stats["stop_reason"],
            stop_detail=stats["stop_detail"],
            targets=targets["total_count"],
            idle=targets["idle_count"],
            progressing=targets["progressing_count"],
            reached=targets["success_count"],
            exhausted=targets["fail_count"],
            attempts=calls["attempt_count"],
            dialing=calls["dialing_count"],
            talking=calls["progressing_count"],
            connected=calls["connected_count"],
            abandoned=calls["abandoned_count"],
            outcomes={name: n for name, n in calls["hangup_reason_counts"].items() if n},
            history=(*kept, (now, calls["attempt_count"])),
        )

    def with_agents(self, client: Client) -> Snapshot:
        """The snapshot with the states of the agents who serve the campaign's queue."""
        if not self.queue_id:
            return self
        queue = client.get(f"/queues/{self.queue_id}")
        query = {"tag_ids": ",".join(queue["tag_ids"])} if queue.get("tag_ids") else {}
        states: Counter[str] = Counter()
        for agent in client.pages("/agents", **query):
            states[agent["state"]] += 1
            if states.total() >= _MOST_AGENTS:
                break
        return replace(self, agents=dict(states))

    def line(self) -> str:
        """One line for a log."""
        return (
            f"{self.state}: {self.reached + self.exhausted}/{self.targets} targets done "
            f"({self.reached} reached), {self.attempts} attempts ({self.rate:.0f}/s), "
            f"{self.dialing} dialing, {self.talking} talking"
        )

    def as_dict(self) -> dict[str, Any]:
        """For scripts."""
        names = [
            "name",
            "status",
            "state",
            "stop_reason",
            "stop_detail",
            "targets",
            "idle",
            "progressing",
            "reached",
            "exhausted",
            "attempts",
            "dialing",
            "talking",
            "connected",
            "abandoned",
            "outcomes",
            "agents",
        ]
        values = {name: getattr(self, name) for name in names}
        return {**values, "rate": round(self.rate, 1), "pacing_bound": self.pacing.bound}


def snapshot(client: Client, campaign_id: str) -> Snapshot:
    """The present state of a campaign."""
    campaign = client.get(f"/campaigns/{campaign_id}")
    stats = client.get(f"/campaigns/{campaign_id}/stats")
    queue = campaign["queue_id"]
    start = Snapshot(name=campaign["name"], queue_id="" if not queue.strip("0-") else queue)
    return start.with_stats(stats).with_agents(client)


def refreshed(client: Client, campaign_id: str, before: Snapshot) -> Snapshot:
    """The state now, with the history of the snapshot before."""
    stats = client.get(f"/campaigns/{campaign_id}/stats")
    return before.with_stats(stats).with_agents(client)


def render(state: Snapshot) -> RenderableType:
    """The dashboard."""
    done = state.reached + state.exhausted
    bar = ProgressBar(total=max(state.targets, 1), completed=done, width=60)
    head = Text.assemble(
        (state.name, "bold"), f"  {state.state}  ", (f"{state.rate:.0f} attempts/s", "cyan")
    )
    progress = Table.grid(padding=(0, 2))
    progress.add_row(bar, f"{done:,} of {state.targets:,} people")
    panels = [
        _panel("people", {"reached": state.reached, "exhausted": state.exhausted,
                          "in progress": state.progressing, "to try": state.idle}),
        _panel("attempts", {"all": state.attempts, "dialing": state.dialing,
                            "talking": state.talking, "connected": state.connected,
                            "abandoned": state.abandoned}),
        _panel("outcomes", dict(sorted(state.outcomes.items()))),
        _panel("agents", dict(sorted(state.agents.items()))),
    ]  # fmt: skip
    return Group(head, progress, Columns(panels), Text(_why(state), style="dim"))


def _panel(title: str, rows: Mapping[str, int]) -> Panel:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    for name, value in rows.items():
        table.add_row(name, f"{value:,}")
    return Panel(table, title=title)


def _why(state: Snapshot) -> str:
    """The pacer's reason in words."""
    pacing = state.pacing
    if not pacing.bound:
        return ""
    available = "" if pacing.available is None else f", {pacing.available} agents available"
    return (
        f"pacing: limited by {pacing.bound.replace('_', ' ')}"
        f"{available}, {pacing.dialing} dialing, {pacing.waiting} waiting"
    )


def _pacing(data: Mapping[str, Any]) -> Pacing:
    return Pacing(
        bound=data["bound"],
        started=data["started_count"],
        available=data.get("available_count"),
        dialing=data["dialing_count"],
        waiting=data["waiting_count"],
    )
