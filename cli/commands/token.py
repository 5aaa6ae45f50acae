"""`outbound token`: credentials for internal clients and event subscribers."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.running import DEFAULT, DataDir, Json, reports_errors
from cli.errors import CommandError, ExitCode, writing
from cli.stack.folder import DataFolder
from cli.stack.secrets import Secrets
from services.common import natsauth
from services.common.auth import Acting, TokenIssuer

# A customer's administrator and manager: what an access key may do.
_PERMISSIONS = 32 | 64
_AUDIENCES = ("campaign", "outdial", "queue", "dialer")


@reports_errors
def token(
    customer: Annotated[str, typer.Option(help="Customer id (UUID) the holder acts for.")],
    data_dir: DataDir = DEFAULT,
    audience: Annotated[
        str, typer.Option(help="Process it is for: campaign, outdial, queue or dialer.")
    ] = "campaign",
    ttl: Annotated[int, typer.Option(min=1, max=31_536_000, help="Seconds it lives.")] = 3600,
    nats: Annotated[
        bool, typer.Option("--nats", help="NATS credentials (.creds) instead of a gRPC token.")
    ] = False,
    output: Annotated[Path | None, typer.Option(help="Write to this file (mode 0600).")] = None,
    as_json: Json = False,
) -> None:
    """Issue a service token (gRPC) or NATS credentials, confined to one customer."""
    try:
        customer_id = uuid.UUID(customer)
    except ValueError as error:
        raise CommandError(f"--customer {customer}: accepted is a UUID", ExitCode.USAGE) from error
    if audience not in _AUDIENCES:
        accepted = ", ".join(_AUDIENCES)
        raise CommandError(f"--audience {audience}: accepted are {accepted}", ExitCode.USAGE)
    secrets = Secrets(DataFolder(data_dir).secrets)
    if not secrets.trusted_keys.exists():
        raise CommandError(
            f"{secrets.folder} holds no keys; start the stack once with `outbound up`",
            ExitCode.UNAVAILABLE,
        )
    if nats:
        text = natsauth.customer_credentials(
            secrets.operator(), customer_id, timedelta(seconds=ttl)
        )
        consumers = list(natsauth.consumer_names(customer_id))
        facts = {
            "credentials": text,
            "subject": natsauth.customer_filter(customer_id),
            "consumers": consumers,
            "jetstream_domain": natsauth.DOMAIN,
            "inbox_prefix": natsauth.inbox_prefix(customer_id),
            "seconds": ttl,
        }
    else:
        issuer = TokenIssuer.from_file("client", secrets.key("client"))
        acting = Acting(customer_id, None, _PERMISSIONS)
        text = issuer.token(audience, acting, seconds=ttl)
        facts = {"token": text, "audience": audience, "seconds": ttl}
    shown = json.dumps(facts) if as_json else text
    if output is None:
        typer.echo(shown)
        return
    with writing(output):
        output.touch(mode=0o600)
        output.chmod(0o600)
        output.write_text(shown + "\n")
