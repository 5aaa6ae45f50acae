"""Administration without HTTP: `python -m gateway.admin create-customer --name NAME --username MAIL`.

Reads the same settings as the gateway and prints one JSON line with the new customer's credentials.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
from dataclasses import dataclass
from uuid import UUID

from gateway.accounts import MOST_EXPIRE, new_access_key
from gateway.app import NAME, open_administration
from gateway.bootstrap import create_administrator
from gateway.config import GatewaySettings
from gateway.credentials import new_key
from gateway.identity import Customer
from gateway.storage import Accounts
from gateway.upstreams import Upstreams
from services.common.clock import Clock
from services.common.config import load
from services.common.errors import AppError
from services.common.ids import new_id
from services.common.log import configure


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer with the credentials that are shown once."""

    customer_id: UUID
    access_key: str
    agent_id: UUID
    username: str
    password: str


async def create_customer(
    accounts: Accounts,
    upstreams: Upstreams,
    clock: Clock,
    *,
    name: str,
    username: str,
    password: str = "",
) -> NewCustomer:
    """A new customer with an access key and an administrator; an empty password is generated.

    The customer is only there once its administrator is: a username that is taken (AlreadyExists)
    or a service that is down leaves nothing behind that anybody could use.
    """
    password = password or secrets.token_urlsafe(15)
    customer_id, agent_id, access_key, now = new_id(), new_id(), new_key(), clock.now()
    await create_administrator(upstreams, customer_id, agent_id, username, password)
    await accounts.add_customer(
        Customer(customer_id, name, "", "", "", "", now, None, None),
        new_access_key(new_id(), customer_id, "first key", "", access_key, MOST_EXPIRE, now),
    )
    return NewCustomer(customer_id, access_key, agent_id, username, password)


async def _create(settings: GatewaySettings, name: str, username: str, password: str) -> None:
    async with open_administration(settings) as (accounts, upstreams):
        made = await create_customer(
            accounts,
            upstreams,
            settings.clock(),
            name=name,
            username=username,
            password=password,
        )
    line = {
        "customer_id": str(made.customer_id),
        "access_key": made.access_key,
        "agent_id": str(made.agent_id),
        "username": made.username,
        "password": made.password,
    }
    print(json.dumps(line))


def main(arguments: list[str] | None = None) -> None:
    """Run one command; exits 1 with one line when it is refused."""
    parser = argparse.ArgumentParser(prog="python -m gateway.admin", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create-customer", help="make a customer")
    create.add_argument("--name", required=True)
    create.add_argument("--username", required=True, help="login of its administrator")
    create.add_argument(
        "--password-stdin", action="store_true", help="read its password; else it is generated"
    )
    given = parser.parse_args(arguments)
    # Never an argument: those are seen by every user of the machine.
    password = sys.stdin.readline().rstrip("\r\n") if given.password_stdin else ""
    settings = load(GatewaySettings)
    configure(NAME, settings.log_level)
    try:
        asyncio.run(_create(settings, given.name, given.username, password))
    except AppError as exc:
        sys.exit(f"create-customer: {exc.message}")


if __name__ == "__main__":
    main()
