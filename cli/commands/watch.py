"""`outbound watch`: a live dashboard of one campaign."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from cli.client import Client
from cli.commands.running import (
    DEFAULT,
    AccessKey,
    DataDir,
    Json,
    Url,
    connect,
    is_terminal,
    reports_errors,
)
from cli.dashboard import Snapshot, render, snapshot
from cli.errors import CommandError, ExitCode
from services.common.backoff import Backoff
from services.common.clock import boot_seconds

PATIENCE_SECONDS = 60.0
"""How long a gateway may be away before watching it ends."""


@reports_errors
def watch(
    campaign: Annotated[str, typer.Argument(help="Campaign id.")],
    data_dir: DataDir = DEFAULT,
    url: Url = "",
    access_key: AccessKey = "",
    once: Annotated[bool, typer.Option("--once", help="Print the present state and end.")] = False,
    as_json: Json = False,
) -> None:
    """Show progress, outcomes, agents, pacing and rate until the campaign stops.

    Exits 0 when it finished, 1 when it was stopped otherwise. With --json: one object a change.
    """
    with connect(data_dir, url, access_key) as client:
        state = snapshot(client, campaign)
        if once or state.status == "stop":
            _print(state, as_json)
        else:
            state = _follow(client, campaign, state, as_json)
    if not once and state.status == "stop" and state.state != "finished":
        raise CommandError(f"the campaign is stopped ({state.stop_reason or 'never started'})")


def _follow(client: Client, campaign: str, state: Snapshot, as_json: bool) -> Snapshot:
    live = Live(auto_refresh=False) if is_terminal() and not as_json else None
    if live is not None:
        live.start()
    try:
        for name, state in _states(client, campaign, state):  # noqa: B020 (each follows the last)
            if live is not None:
                live.update(render(state), refresh=True)
            elif name == "stats":
                _print(state, as_json)
    finally:
        if live is not None:
            live.stop()
    return state


def _states(client: Client, campaign: str, state: Snapshot) -> Iterator[tuple[str, Snapshot]]:
    """What each event makes of the state, until the campaign stops.

    A stream that ends, for example with its gateway, is opened again; each begins with the figures
    as they stand, so nothing is missed for good. Raises CommandError when the gateway refuses, or
    stays away for PATIENCE_SECONDS.
    """
    backoff = Backoff()
    heard = boot_seconds()
    while True:
        try:
            for name, data in client.server_events(f"/campaigns/{campaign}/events"):
                heard = boot_seconds()
                backoff.succeeded()
                state = state.after(name, data)
                if name == "stats":
                    state = state.with_agents(client)
                yield name, state
                if name == "stats" and state.status == "stop":
                    return
        except CommandError as error:
            if error.code != ExitCode.UNAVAILABLE or boot_seconds() - heard > PATIENCE_SECONDS:
                raise
        if not backoff.failures:
            typer.echo("the stream of events ended; opening it again", err=True)
        time.sleep(backoff.failed())


def _print(state: Snapshot, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(state.as_dict()))
    elif is_terminal():
        Console().print(render(state))
    else:
        typer.echo(state.line())
