"""The examples of docs/examples, run as a reader would run them, against the running stack."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client

from services.common import natsauth
from tests.fixtures.stack import RunningStack
from tests.support.scenario import make_scenario, run, wait_finished
from tests.support.waiting import wait_for

pytestmark = pytest.mark.xdist_group("stack")

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
UNREACHABLE = "+19994"  # Numbers beginning so do not exist in the network's profile.


@pytest.fixture(scope="module")
def customer(stack: RunningStack) -> str:
    with stack.client() as client:
        return str(client.get("/customer")["id"])


def outbound(stack: RunningStack, *arguments: str) -> str:
    """What a command printed."""
    command = [sys.executable, "-m", "cli.main", *arguments, "--data-dir", str(stack.data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def example(
    name: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run an example to its end."""
    path = str(EXAMPLES / name)
    command = ["bash", path] if name.endswith(".sh") else [sys.executable, path]
    return subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={**os.environ, **(environment or {})},
    )


def subscribe(
    stack: RunningStack, customer: str, folder: Path, *arguments: str
) -> list[dict[str, Any]]:
    """The events that docs/examples/subscriber.py prints."""
    credentials = folder / "customer.creds"
    if not credentials.exists():
        outbound(stack, "token", "--customer", customer, "--nats", "--output", str(credentials))
    done = example(
        "subscriber.py",
        *("--url", stack.facts["nats_url"], "--customer", customer),
        *("--credentials", str(credentials), *arguments),
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_grpc_client_runs_a_campaign_to_its_end(stack: RunningStack, customer: str) -> None:
    tokens = {
        f"OUTBOUND_{audience.upper()}_TOKEN": outbound(
            stack, "token", "--customer", customer, "--audience", audience
        )
        for audience in ("campaign", "outdial", "queue")
    }
    addresses = [
        word
        for name in ("campaign", "outdial", "queue")
        for word in (f"--{name}", stack.facts["grpc"][name])
    ]
    people = ["+19990003001", "+19994003002"]
    done = example("grpc_client.py", *addresses, *people, environment=tokens)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"campaign [0-9a-f-]{36}: finished", lines[0])
    assert lines[1] == "attempts 3, success 1, fail 2"
    assert sorted(lines[2:]) == [
        "+19990003001 try 1: normal",
        "+19994003002 try 1: failed",
        "+19994003002 try 2: failed",
    ]


def test_grpc_client_says_what_a_server_refused(stack: RunningStack, customer: str) -> None:
    token = outbound(stack, "token", "--customer", customer, "--audience", "campaign")
    names = ("CAMPAIGN", "OUTDIAL", "QUEUE")
    tokens = {f"OUTBOUND_{name}_TOKEN": token for name in names}
    addresses = [
        word
        for name in ("campaign", "outdial", "queue")
        for word in (f"--{name}", stack.facts["grpc"][name])
    ]
    done = example("grpc_client.py", *addresses, "+19990003003", environment=tokens)
    assert done.returncode == 1
    assert done.stderr.startswith("UNAUTHENTICATED: ")


def test_curl_session_runs_a_campaign_to_its_end(stack: RunningStack) -> None:
    environment = {"OUTBOUND_URL": stack.url, "OUTBOUND_ACCESS_KEY": stack.access_key}
    done = example("session.sh", "+19996003001", environment=environment)
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "state finished" in lines
    assert lines[-2:] == [
        "call +19996003001 try 2 normal success",
        "call +19996003001 try 1 busy fail",
    ]


def test_curl_session_ends_with_the_servers_reason(stack: RunningStack) -> None:
    environment = {"OUTBOUND_URL": stack.url, "OUTBOUND_ACCESS_KEY": stack.access_key}
    done = example("session.sh", "not a number", environment=environment)
    assert done.returncode != 0
    assert "destination_0" in done.stdout + done.stderr


def test_subscriber_replays_and_goes_on(stack: RunningStack, customer: str, tmp_path: Path) -> None:
    with stack.client() as client:
        scenario = make_scenario(client, ["+19990003010"])
        run(client, scenario)
        wait_finished(client, scenario.campaign_id)
    first = subscribe(stack, customer, tmp_path, "--limit", "5")
    assert len(first) == 5
    assert first[0]["sequence"] <= first[-1]["sequence"]
    position = first[-1]["sequence"]
    assert all(event["data"] for event in first)
    # Another of the four names, so that the test need not wait until the first is forgotten.
    second = subscribe(
        stack,
        customer,
        tmp_path,
        *("--from-sequence", str(position + 1), "--consumer", "2", "--limit", "1"),
    )
    assert second[0]["sequence"] == position + 1


def test_subscriber_sees_a_campaign_as_it_runs(
    stack: RunningStack, customer: str, tmp_path: Path
) -> None:
    credentials = tmp_path / "customer.creds"
    outbound(stack, "token", "--customer", customer, "--nats", "--output", str(credentials))
    command = [sys.executable, str(EXAMPLES / "subscriber.py"), "--url", stack.facts["nats_url"]]
    command += ["--credentials", str(credentials), "--customer", customer, "--consumer", "3"]
    output = tmp_path / "events.ndjson"
    with output.open("w") as sink:
        subscriber = subprocess.Popen(command, stdout=sink)
    try:
        with stack.client() as client:
            scenario = make_scenario(client, ["+19990003011"])
            run(client, scenario)

            def own_events() -> set[str]:
                lines = (json.loads(line) for line in output.read_text().splitlines(True)[:-1])
                return {
                    f"{event['resource']}.{event['event']}"
                    for event in lines
                    if scenario.campaign_id in json.dumps(event)
                }

            wanted = {"campaign.created", "campaign.status_run", "campaigncall.created",
                      "campaigncall.progressing", "campaigncall.done"}  # fmt: skip
            wait_for(lambda: own_events() >= wanted, seconds=60, what="the campaign's events")
    finally:
        subscriber.kill()
        subscriber.wait()


@contextlib.asynccontextmanager
async def subscriber_connection(
    stack: RunningStack, customer: str, folder: Path
) -> AsyncIterator[tuple[Client, asyncio.Queue[str]]]:
    """A connection with a customer's credentials, and what NATS refuses on it."""
    credentials = folder / "customer.creds"
    outbound(stack, "token", "--customer", customer, "--nats", "--output", str(credentials))
    refusals: asyncio.Queue[str] = asyncio.Queue()

    async def note(error: Exception) -> None:
        refusals.put_nowait(str(error).lower())

    connection = await nats.connect(
        stack.facts["nats_url"],
        user_credentials=str(credentials),
        inbox_prefix=natsauth.inbox_prefix(uuid.UUID(customer)).encode(),
        error_cb=note,
    )
    try:
        yield connection, refusals
    finally:
        await connection.close()


async def test_credentials_are_confined_as_the_page_says(
    stack: RunningStack, customer: str, tmp_path: Path
) -> None:
    api, other, own = natsauth.API, uuid.UUID(int=1), uuid.UUID(customer).hex
    forbidden = [
        f"outbound.v1.{customer}.campaign.created",
        f"{api}.CONSUMER.CREATE.OUTBOUND.c_{own}_1.outbound.v1.{other}.>",
        f"{api}.CONSUMER.CREATE.OUTBOUND.c_{own}_5.outbound.v1.{customer}.>",
        f"{api}.CONSUMER.CREATE.OUTBOUND.c_{own}_1",
        f"{api}.CONSUMER.MSG.NEXT.OUTBOUND.c_{other.hex}_1",
        *(
            f"{prefix}.{request}.OUTBOUND"
            for prefix in (api, "$JS.API")
            for request in ("STREAM.MSG.GET", "DIRECT.GET", "STREAM.DELETE", "STREAM.PURGE")
        ),
    ]
    async with subscriber_connection(stack, customer, tmp_path) as (connection, refusals):
        for subject in forbidden:
            await connection.publish(subject, b"{}")
            async with asyncio.timeout(10):
                refusal = await refusals.get()
            assert "permissions violation" in refusal
            assert subject.lower() in refusal
        await connection.subscribe(f"outbound.v1.{customer}.>")
        async with asyncio.timeout(10):
            assert "permissions violation" in await refusals.get()
        info = f"{api}.CONSUMER.INFO.OUTBOUND.c_{own}_4"
        answer = json.loads((await connection.request(info, timeout=10)).data)
        assert answer["error"]["code"] == 404, "allowed, but this consumer was not made yet"
        assert refusals.empty()


def test_the_page_lists_the_events_that_the_protos_name() -> None:
    page = (EXAMPLES.parent / "events.md").read_text()
    table = dict(re.findall(r"^\| `(\w+)` \| (.+?) \| \w+ \| `outbound\.", page, re.MULTILINE))
    for proto in (EXAMPLES.parents[1] / "proto" / "outbound").glob("*/v1/events.proto"):
        text = proto.read_text()
        for resource, words in re.findall(r"// Events of the resource `(\w+)`: ([^\n]+)", text):
            bare = re.sub(r"\([^)]*\)", "", words)
            named = set(re.findall(r"[a-z_]+", bare.split(".")[0]))
            assert named == set(re.findall(r"`(\w+)`", table.pop(resource))), resource
    assert table.keys() == {"pacing"}
