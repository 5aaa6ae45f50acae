"""`outbound up`: the whole stack in the foreground."""

from __future__ import annotations

import re
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
    carrier: Annotated[
        str, typer.Option(help="Telephone network: simulated or asterisk.")
    ] = "simulated",
    trunk: Annotated[
        str, typer.Option(help="SIP peer for telephone numbers, sip:HOST:PORT (asterisk).")
    ] = "",
    sip: Annotated[
        str, typer.Option(help="Where phones reach Asterisk, HOST:PORT; default: loopback.")
    ] = "",
    time_scale: Annotated[
        float, typer.Option(help="Domain seconds in one real second, for rehearsals.")
    ] = 1.0,
    dialers: Annotated[int, typer.Option(min=1, max=16, help="Dialer processes.")] = 2,
    network_profile: Annotated[
        Path | None, typer.Option(help="JSON file: how simulated people behave.")
    ] = None,
    network_seed: Annotated[str, typer.Option(help="Seed of the simulated network.")] = "",
) -> None:
    """Run PostgreSQL, NATS, every service and the gateway until Ctrl-C; restart what dies.

    With --carrier asterisk also a private Asterisk, unless OUTBOUND_ASTERISK_FILE names PBXs.
    """
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
        trunk=_peer(trunk, sip),
        sip=parse_address(sip, "--sip") if sip else None,
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


def parse_address(text: str, option: str = "--http") -> tuple[str, int]:
    """Host and port of `HOST:PORT`; an IPv6 host stands in brackets."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise CommandError(f"{option} {text}: accepted is HOST:PORT, port 1..65535", ExitCode.USAGE)
    return host, int(port)


def _peer(trunk: str, sip: str) -> tuple[str, int] | None:
    if not trunk:
        return None
    if not re.fullmatch(r"sip:[0-9A-Za-z.-]+:[0-9]{1,5}", trunk):
        raise CommandError(f"--trunk {trunk}: accepted is sip:HOST:PORT", ExitCode.USAGE)
    host, port = parse_address(trunk.removeprefix("sip:"), "--trunk")
    is_near = host in ("127.0.0.1", "localhost")
    if not is_near and (not sip or sip.startswith("127.")):
        raise CommandError(
            f"--trunk {trunk} needs --sip HOST:PORT, an address of this machine that {host} can reach",
            ExitCode.USAGE,
        )
    return host, port


def _show_credentials(stack: Stack) -> None:
    values = stack.secrets.bootstrap_values()
    typer.echo("first customer, shown once:", err=True)
    for name in ("access_key", "username", "password"):
        typer.echo(f"  {name:10}  {values[name]}", err=True)
    typer.echo(f"  (kept in {stack.secrets.bootstrap})", err=True)
