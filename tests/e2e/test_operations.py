"""What the README's "Operations" promises about a running stack."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from cli.stack.processes import grpc_health
from tests.fixtures.stack import RunningStack
from tests.support.scenario import make_scenario, run, wait_finished

pytestmark = pytest.mark.xdist_group("stack")


def test_every_process_answers_prometheus(stack: RunningStack) -> None:
    facts = stack.facts
    processes = facts["pids"].keys() - {"postgres", "nats"}
    assert {name.removesuffix("-metrics") for name in facts["metrics"]} == processes
    for name, address in facts["metrics"].items():
        answer = httpx.get(f"http://{address}/metrics", timeout=10, trust_env=False)
        assert answer.status_code == 200, name
        assert "# TYPE " in answer.text, name


def test_every_process_answers_health_checks(stack: RunningStack) -> None:
    for name, address in stack.facts["grpc"].items():
        assert grpc_health(address)(), name
    with stack.http() as http:
        assert http.get("/health").status_code == 200
        assert http.get("/ping").json() == {"message": "pong"}


def test_a_refused_import_says_why_however_much_is_under_way(stack: RunningStack) -> None:
    """A refusal that met a message under way became a 500, once in about 30."""

    def refused(_: int) -> tuple[int, str]:
        answer = http.post(
            f"/outdials/{outdial}/targets/import",
            params={"region": "HZ"},
            headers={"Content-Type": "text/csv"},
            content=b"phone\n+19990006002\n",
        )
        return answer.status_code, answer.json()["error"]["reason"]

    with stack.http() as http, ThreadPoolExecutor(8) as pool:
        http.headers["Authorization"] = f"Bearer {stack.access_key}"
        outdial = http.post("/outdials", json={"name": "refusing"}).json()["id"]
        assert set(pool.map(refused, range(400))) == {(400, "INVALID_ARGUMENT")}


def test_the_data_folder_holds_what_the_readme_lists(stack: RunningStack) -> None:
    listed = {"postgres", "postgres.log", "nats", "logs", "secrets", "ledger.jsonl", "run.json",
              "clock.json", "ports.json", "lock"}  # fmt: skip
    found = {path.name for path in stack.data_dir.iterdir()}
    assert listed <= found
    for path in (stack.data_dir / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_logs_are_json_lines_without_numbers_and_secrets(stack: RunningStack) -> None:
    number = "+19990006001"
    with stack.client() as client:
        scenario = make_scenario(client, [number])
        run(client, scenario)
        wait_finished(client, scenario.campaign_id)
        # In the query, where a careless access log would keep it.
        with stack.http() as http:
            http.get("/campaigns", params={"accesskey": stack.access_key})
    logs = {path.name: path.read_text() for path in (stack.data_dir / "logs").glob("*.log")}
    assert len(logs) == 7
    for name, text in logs.items():
        assert number not in text, name
        assert stack.access_key not in text, name
        for line in text.splitlines():
            entry = json.loads(line)
            assert entry["event"], name
            assert entry["level"] in ("debug", "info", "warning", "error"), name
