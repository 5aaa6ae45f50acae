"""What every command shares: reporting errors, and finding the running stack."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn, ParamSpec, TypeVar

import typer

from cli.client import Client
from cli.embedded.errors import EmbeddedError
from cli.errors import CommandError, ExitCode
from cli.stack.folder import DEFAULT_DATA_DIR, DataFolder
from cli.stack.secrets import Secrets

P = ParamSpec("P")
R = TypeVar("R")

DataDir = Annotated[
    Path, typer.Option("--data-dir", envvar="OUTBOUND_DATA_DIR", help="Folder of the stack.")
]
Url = Annotated[
    str,
    typer.Option(
        "--url", envvar="OUTBOUND_URL", help="Gateway; default: the stack running in --data-dir."
    ),
]
AccessKey = Annotated[
    str,
    typer.Option(
        "--access-key",
        envvar="OUTBOUND_ACCESS_KEY",
        help="Access key; default: the first customer's of the stack in --data-dir.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
DEFAULT = DEFAULT_DATA_DIR


def reports_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn expected errors into one line on standard error and an exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except CommandError as error:
            _fail(str(error), error.code)
        except EmbeddedError as error:
            _fail(str(error), ExitCode.UNAVAILABLE)
        except KeyboardInterrupt:
            _fail("interrupted", ExitCode.FAILED)

    return run


def running_stack(data_dir: Path) -> dict[str, Any]:
    """Addresses of the stack that runs on the folder; CommandError when none does."""
    path = DataFolder(data_dir).run_file
    try:
        facts: dict[str, Any] = json.loads(path.read_text())
    except OSError as error:
        raise CommandError(
            f"no stack runs on {data_dir}; start one with `outbound up --data-dir {data_dir}`, "
            "or name a gateway with --url and --access-key",
            ExitCode.UNAVAILABLE,
        ) from error
    return facts


def connect(data_dir: Path, url: str, access_key: str) -> Client:
    """A client for the named gateway, else for the stack on the data folder."""
    address = url or str(running_stack(data_dir)["url"])
    if not access_key:
        bootstrap = Secrets(DataFolder(data_dir).secrets)
        if url or not bootstrap.bootstrap.exists():
            raise CommandError(
                "no access key: give --access-key or OUTBOUND_ACCESS_KEY", ExitCode.USAGE
            )
        access_key = bootstrap.bootstrap_values()["access_key"]
    return Client(address, access_key)


def is_terminal() -> bool:
    """Whether a person looks at standard output."""
    return os.isatty(1)


def _fail(message: str, code: ExitCode) -> NoReturn:
    typer.echo(f"outbound: {message}", err=True)
    raise typer.Exit(code)
