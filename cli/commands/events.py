"""`outbound events`: the tail of the event stream as JSON lines."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Annotated

import nats
import typer
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from cli.commands.running import DEFAULT, DataDir, reports_errors, running_stack
from cli.errors import CommandError, ExitCode
from cli.eventlines import Filter, event_lines
from cli.stack.folder import DataFolder
from cli.stack.secrets import Secrets
from services.common.bus import STREAM, subject

_BATCH = 100
_WAIT_SECONDS = 1.0


@reports_errors
def events(
    data_dir: DataDir = DEFAULT,
    nats_url: Annotated[str, typer.Option(envvar="OUTBOUND_NATS_URL")] = "",
    credentials: Annotated[
        Path | None,
        typer.Option(envvar="OUTBOUND_NATS_CREDENTIALS", help="NATS .creds file."),
    ] = None,
    customer: Annotated[str, typer.Option(help="Only this customer's.")] = "*",
    resource: Annotated[str, typer.Option(help="Only this resource, such as campaigncall.")] = "*",
    event: Annotated[str, typer.Option(help="Only this event word, such as done.")] = "*",
    campaign: Annotated[str, typer.Option(help="Only events that belong to this campaign.")] = "",
    from_sequence: Annotated[
        int | None, typer.Option(min=1, help="Replay from this stream sequence.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Replay everything the stream keeps.")
    ] = False,
    follow: Annotated[
        bool, typer.Option(help="Go on with new events; otherwise end after the stored ones.")
    ] = True,
    limit: Annotated[int, typer.Option(min=0, help="End after this many events; 0: none.")] = 0,
) -> None:
    """Print events, one JSON object a line: subject, sequence, id, resource, event, data."""
    if not nats_url:
        nats_url = str(running_stack(data_dir)["nats_url"])
        credentials = credentials or Secrets(DataFolder(data_dir).secrets).nats_services
    policy = DeliverPolicy.NEW if follow else DeliverPolicy.ALL
    if from_sequence is not None:
        policy = DeliverPolicy.BY_START_SEQUENCE
    elif everything:
        policy = DeliverPolicy.ALL
    config = ConsumerConfig(
        deliver_policy=policy,
        opt_start_seq=from_sequence,
        ack_policy=AckPolicy.NONE,
        inactive_threshold=30.0,
    )
    wanted = subject(customer, resource, event)
    asyncio.run(_tail(nats_url, credentials, wanted, config, Filter(campaign), follow, limit))


async def _tail(
    url: str,
    credentials: Path | None,
    pattern: str,
    config: ConsumerConfig,
    wanted: Filter,
    follow: bool,
    limit: int,
) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    try:
        connection = await nats.connect(
            url,
            user_credentials=str(credentials) if credentials else None,
            error_cb=_quiet,
            max_reconnect_attempts=-1 if follow else 1,
        )
    except (NatsError, OSError) as error:
        raise CommandError(f"{url}: {error}", ExitCode.UNAVAILABLE) from error
    try:
        subscription = await connection.jetstream().pull_subscribe(
            pattern, stream=STREAM, config=config
        )
        count = 0
        while not stopping.is_set():
            try:
                messages = await subscription.fetch(_BATCH, timeout=_WAIT_SECONDS)
            except TimeoutError:
                if follow:
                    continue
                return
            for message in messages:
                sequence = message.metadata.sequence.stream
                for line in event_lines(message.subject, sequence, message.data, wanted):
                    typer.echo(json.dumps(line, ensure_ascii=False))
                    count += 1
                    if limit and count >= limit:
                        return
    except NotFoundError as error:
        raise CommandError(f"{url}: there is no stream {STREAM} yet", ExitCode.FAILED) from error
    except NatsError as error:
        raise CommandError(f"{url}: {error}", ExitCode.UNAVAILABLE) from error
    finally:
        await connection.close()


async def _quiet(_error: Exception) -> None:
    """Connection trouble is reported by the calls that meet it."""
