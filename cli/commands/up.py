"""`outbound up`: the whole stack in the foreground."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from cli.commands.running import DEFAULT, DataDir, reports_errors
from cli.errors import CommandError, ExitCode
from cli.stack.stack import Stack, StackOptions


@reports_errors
def up(
    data_dir: DataDir = DEFAULT,
    http: Annotated[str, typer.Option(help="Address of the gateway.")] = "127.0.0.1:8080",
    carrier: Annotated[str, typer.Option(help="Telephone network: simulated.")] = "simulated",
    time_scale: Annotated[
        float, typer.Option(help="Domain seconds in one real second, for rehearsals.")
    ] = 1.0,
    dialers: Annotated[int, typer.Option(min=1, max=16, help="Dialer processes.")] = 2,
    network_profile: Annotated[
        Path | None, typer.Option(help="JSON file: how simulated people behave.")
    ] = None,
    network_seed: Annotated[str, typer.Option(help="Seed of the simulated network.")] = "",
) -> None:
    """Run PostgreSQL, NATS, every service and the gateway until Ctrl-C; restart what dies."""
    host, port = parse_address(http)
    if not 0 < time_scale <= 10_000:
        raise CommandError(f"--time-scale {time_scale}: more than 0, at most 10000", ExitCode.USAGE)
    if network_profile is not None and not network_profile.is_file():
        raise CommandError(f"--network-profile {network_profile}: no such file", ExitCode.USAGE)
    options = StackOptions(
        data_dir=data_dir,
        http_host=host,
        http_port=port,
        carrier=carrier,
        time_scale=time_scale,
        dialer_count=dialers,
        network_profile=network_profile,
        network_seed=network_seed,
    )
    stopping = stop_on_signals()
    stack = Stack(options, lambda line: typer.echo(line, err=True))
    is_first = not stack.secrets.bootstrap.exists()
    try:
        stack.start(stopping.is_set)
        if is_first and not stopping.is_set():
            _show_credentials(stack)
        if not stopping.is_set():
            typer.echo(f"ready {stack.url}")
        while not stopping.is_set():
            stack.watch()
    finally:
        typer.echo("stopping", err=True)
        stack.stop()


def stop_on_signals() -> threading.Event:
    """An event that SIGINT and SIGTERM set."""
    stopping = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)
    return stopping


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`; an IPv6 host stands in brackets."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise CommandError(f"--http {text}: accepted is HOST:PORT, port 1..65535", ExitCode.USAGE)
    return host, int(port)


def _show_credentials(stack: Stack) -> None:
    values = stack.secrets.bootstrap_values()
    typer.echo("first customer, shown once:", err=True)
    for name in ("access_key", "username", "password"):
        typer.echo(f"  {name:10}  {values[name]}", err=True)
    typer.echo(f"  (kept in {stack.secrets.bootstrap})", err=True)
