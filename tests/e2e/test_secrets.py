"""No secret is seen where others look: in logs, answers, events, process arguments and readable files."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import uuid
from pathlib import Path

import grpc
import httpx
import pytest
from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.campaign.v1 import campaign_service_pb2_grpc as campaign_grpc

from services.common.auth import TokenIssuer, generate_key_pair
from tests.fixtures.real_stack import RealStack
from tests.fixtures.stack import RunningStack
from tests.support import leaks
from tests.support.customers import gateway_environment
from tests.support.scenario import make_scenario, run, wait_finished

SHARED = pytest.mark.xdist_group("stack")


def word() -> str:
    return f"s3cret-{uuid.uuid4().hex}"


def use_credentials(stack: RunningStack, answers: list[str]) -> dict[str, str]:
    """Sign in and fail to in every way; the secrets that were shown, and all answers."""
    password, mistyped, changed, stale = word(), word(), word(), word()
    with stack.http() as http:
        own = {"Authorization": f"Bearer {stack.access_key}"}

        def send(method: str, path: str, **more: object) -> httpx.Response:
            http.cookies.clear()
            answer = http.request(method, path, **more)  # type: ignore[arg-type]
            answers.append(answer.text)
            return answer

        username = f"{uuid.uuid4().hex[:8]}@secrets.local"
        login = {"username": username, "password": password}
        agent = send("POST", "/agents", json=login, headers=own).json()["id"]
        token = send("POST", "/auth/login", json=login).json()["token"]
        answers.pop()  # It is shown here, as it must be.
        send("POST", "/auth/login", json={**login, "password": mistyped})
        send("POST", "/auth/login", json={"username": 5, "password": mistyped})
        send("POST", "/auth/login", content=f'{{"password": "{mistyped}", '.encode())
        send("POST", "/agents", json={**login, "password": mistyped}, headers=own)
        send("PUT", f"/agents/{agent}/password", json={"password": changed}, headers=own)
        send("PUT", f"/agents/{agent}/password", json={"password": [changed]}, headers=own)
        for place in ("token", "accesskey"):
            for credential in (stack.access_key, token, stale):
                send("GET", "/me", params={place: credential})
                send("GET", "/nothing", params={place: credential})
                send("GET", "/me", headers={"Cookie": f"{place}={credential}"})
                send("GET", "/campaigns?page_size=x", params={place: credential})
        key = send("POST", "/accesskeys", json={"expire": 86_400}, headers=own).json()
        answers.pop()
        send("GET", f"/accesskeys/{key['id']}", headers={"Authorization": f"Bearer {key['token']}"})
        send("DELETE", f"/accesskeys/{key['id']}", headers=own)
        send("GET", "/me", headers={"Authorization": f"Bearer {key['token']}"})
    return {
        "password": password,
        "mistyped password": mistyped,
        "changed password": changed,
        "stale credential": stale,
        "login token": token,
        "access key": key["token"],
        "first customer's access key": stack.access_key,
    }


def call_back(stack: RunningStack) -> dict[str, str]:
    """Run flows that tell an address which has a password in it, and that fail."""
    secret = word()
    uris = [
        f"http://user:{secret}@127.0.0.1:1/hook?key={secret}",
        f"http://no.such.host.invalid/{secret}",
        f"http://[{secret}/",
        f"ftp://user:{secret}@example.com/",
    ]
    with stack.http() as http:
        http.headers["Authorization"] = f"Bearer {stack.access_key}"
        for uri in uris:
            for waits in (True, False):
                hook = {"type": "webhook_send", "option": {"uri": uri, "sync": waits}}
                fetch = {"type": "fetch", "option": {"event_url": uri}}
                http.post("/activeflows", json={"actions": [hook, fetch]})
    return {"password of a webhook": secret}


async def call_services(stack: RunningStack) -> dict[str, str]:
    """Show the services tokens: good, for somebody else, forged."""
    own = TokenIssuer.from_file("client", stack.data_dir / "secrets" / "client_key.pem")
    stranger = TokenIssuer("client", generate_key_pair().private_pem)
    tokens = [
        issuer.issue(audience, customer_id=uuid.uuid4())
        for issuer in (own, stranger)
        for audience in ("campaign", "queue")
    ]
    async with grpc.aio.insecure_channel(stack.facts["grpc"]["campaign"]) as channel:
        stub = campaign_grpc.CampaignServiceStub(channel)
        for token in tokens:
            metadata = [("authorization", f"Bearer {token}")]
            request = campaign_pb.GetCampaignRequest(id=str(uuid.uuid4()))
            with pytest.raises(grpc.aio.AioRpcError):
                await stub.GetCampaign(request, metadata=metadata, timeout=10)
    return {f"token {number}": token for number, token in enumerate(tokens)}


@SHARED
async def test_whatever_happens_no_secret_is_seen(stack: RunningStack) -> None:
    with stack.client() as client:
        scenario = make_scenario(client, ["+19990008001"], agents=1)
        run(client, scenario)
        wait_finished(client, scenario.campaign_id)
    answers: list[str] = []
    made = use_credentials(stack, answers) | call_back(stack) | await call_services(stack)
    environment = gateway_environment(stack)
    secrets = made | leaks.secrets_of(stack)
    assert {"login_secret 0", "bootstrap.json password", "gateway_key.pem 0"} <= secrets.keys()
    assert any("nats_operator" in name for name in secrets)
    assert any("nats_services" in name for name in secrets)

    logs = leaks.logs_of(stack)
    assert {"logs/gateway.log", "logs/campaign.log", "logs/dialer-1.log"} <= logs.keys()
    assert '"request"' in logs["logs/gateway.log"]
    assert leaks.seen(secrets, logs) == []
    arguments = leaks.arguments_of(stack)
    assert len(arguments) > 8
    assert leaks.seen(secrets, arguments) == []
    # A webhook's address is the customer's own: it is told where its owner wrote it.
    hidden = {name: each for name, each in secrets.items() if "webhook" not in name}
    assert leaks.seen(hidden, {str(n): text for n, text in enumerate(answers)}) == []
    assert leaks.seen(hidden, {"events": events_of(stack)}) == []
    assert list(leaks.open_files_with(stack, secrets.values())) == []
    assert environment["OUTBOUND_LOGIN_SECRET_FILE"].endswith("login_secret")


def events_of(stack: RunningStack) -> str:
    command = [sys.executable, "-m", "cli.main", "events", "--data-dir", str(stack.data_dir)]
    command += ["--all", "--no-follow"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "agent" in done.stdout
    return done.stdout


@SHARED
def test_only_their_owner_reads_what_is_about_people(stack: RunningStack) -> None:
    """Logs, what the network rang, and keys; PostgreSQL and NATS guard their own folders."""
    for name in ("secrets", "logs", "ledger.jsonl", "run.json", "postgres.log", "nats"):
        path = stack.data_dir / name
        mode = stat.S_IMODE(path.stat().st_mode)
        assert not mode & 0o077, f"{name}: {mode:o}"
    for path in (stack.data_dir / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


@pytest.mark.xdist_group("real-stack")
def test_the_passwords_of_the_telephones_are_not_seen_either(real_stack: RealStack) -> None:
    stack = real_stack.stack
    scenario = real_stack.campaign(
        [real_stack.number("1")], [{"type": "talk", "option": {"text": "Hi."}}]
    )
    wait_finished(real_stack.client, scenario.campaign_id)
    with real_stack.ari() as ari:
        assert ari.get("/bridges", auth=("outbound", word())).status_code == 401
    secrets = leaks.secrets_of(stack)
    assert {"asterisk.json ari_password", "asterisk.json phone_password"} <= secrets.keys()
    assert leaks.seen(secrets, leaks.logs_of(stack)) == []
    assert leaks.seen(secrets, leaks.arguments_of(stack)) == []
    assert list(leaks.open_files_with(stack, secrets.values())) == []
    assert not (stack.data_dir / "recordings").stat().st_mode & 0o077


@pytest.mark.parametrize("module", ["services.campaign", "gateway"])
def test_a_process_without_its_servers_does_not_tell_their_passwords(
    module: str, tmp_path: Path
) -> None:
    password = word()
    (tmp_path / "key.pem").write_text(generate_key_pair().private_pem)
    (tmp_path / "trusted.json").write_text("{}")
    environment = {
        "OUTBOUND_DATABASE_URL": f"postgresql://user:{password}@127.0.0.1:1/nothing",
        "OUTBOUND_NATS_URL": f"nats://user:{password}@127.0.0.1:1",
        "OUTBOUND_KEY_FILE": str(tmp_path / "key.pem"),
        "OUTBOUND_TRUSTED_KEYS_FILE": str(tmp_path / "trusted.json"),
        "OUTBOUND_OUTDIAL_ADDRESS": "127.0.0.1:1",
        "OUTBOUND_QUEUE_ADDRESS": "127.0.0.1:1",
        "OUTBOUND_HTTP_LISTEN": "127.0.0.1:0",
        "OUTBOUND_LOGIN_SECRET": password + password,
        "OUTBOUND_BOOTSTRAP_ACCESS_KEY": "vb_" + password[-32:],
        "OUTBOUND_BOOTSTRAP_PASSWORD": password,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = ""
    try:
        for line in process.stderr:
            said += line
            # It has tried in vain, and told of it.
            if json.loads(line)["level"] in ("warning", "error"):
                break
    finally:
        process.kill()
        said += process.stderr.read()
        process.stderr.close()
        process.wait()
    assert '"settings"' in said
    assert '"warning"' in said or '"error"' in said
    assert password[-32:] not in said
