"""Customers and credentials beside the first one, made as an operator makes them."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path

import psycopg

from cli.client import Client
from tests.fixtures.stack import RunningStack


def gateway_environment(stack: RunningStack) -> dict[str, str]:
    """The settings of the running gateway."""
    raw = Path(f"/proc/{stack.facts['pids']['gateway']}/environ").read_bytes()
    pairs = [pair.partition("=") for pair in raw.decode().split("\0") if pair]
    return {name: value for name, _, value in pairs}


def second_customer(stack: RunningStack) -> str:
    """Access key of a new customer, made beside the gateway, with its settings."""
    word = uuid.uuid4().hex[:8]
    command = [sys.executable, "-m", "gateway.admin", "create-customer"]
    done = subprocess.run(
        [*command, "--name", word, "--username", f"{word}@other.local"],
        env=gateway_environment(stack),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return str(json.loads(done.stdout.splitlines()[-1])["access_key"])


def expired_key(stack: RunningStack, client: Client) -> str:
    """A key whose time is over: keys live for a day at least, so its row is made older."""
    made = client.post("/accesskeys", {"name": "expired", "expire": 86_400})
    with psycopg.connect(gateway_environment(stack)["OUTBOUND_DATABASE_URL"]) as connection:
        connection.execute(
            "UPDATE gateway.access_keys SET tm_expire = now() - interval '1 second' WHERE id = %s",
            [made["id"]],
        )
    return str(made["token"])


def agent_token(stack: RunningStack, client: Client, permission: int) -> tuple[str, str]:
    """Login token and id of a new agent with these permission bits."""
    login = {"username": f"{uuid.uuid4().hex[:12]}@login.local", "password": uuid.uuid4().hex}
    agent = client.post("/agents", {**login, "permission": permission})["id"]
    # Not by the client: it would keep the cookie, and be the agent from then on.
    with stack.http() as http:
        answer = http.post("/auth/login", json=login)
    return str(answer.json()["token"]), str(agent)
