"""The other sub-commands against the running stack."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.fixtures.stack import RunningStack
from tests.support.scenario import make_scenario, run, wait_finished

pytestmark = pytest.mark.xdist_group("stack")


def outbound(stack: RunningStack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command on the stack's folder to its end."""
    command = [sys.executable, "-m", "cli.main", *arguments, "--data-dir", str(stack.data_dir)]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)


def test_import_reports_every_rejected_row_and_is_repeatable(
    stack: RunningStack, tmp_path: Path
) -> None:
    people = tmp_path / "people.csv"
    people.write_text("name,phone\nAda,+15551600001\nBen,not a number\nAda again,+15551600001\n")
    rejects = tmp_path / "rejects.ndjson"
    with stack.client() as client:
        outdial = client.post("/outdials", {"name": "import"})["id"]
        arguments = ("import", outdial, str(people), "--json", "--rejects", str(rejects))
        first = outbound(stack, *arguments)
        again = outbound(stack, *arguments)
        targets = list(client.pages(f"/outdials/{outdial}/targets"))
    assert first.returncode == 1, first.stderr
    result = json.loads(first.stdout)
    assert (result["row_count"], result["accepted_count"], result["rejected_count"]) == (3, 1, 2)
    rows = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [row["line"] for row in rows] == [3, 4]
    assert rows[0]["value"] == "not a number"
    assert all(row["reason"] for row in rows)
    assert json.loads(again.stdout)["import_id"] == result["import_id"]
    assert len(targets) == 1


def test_import_of_a_missing_file_is_a_usage_error(stack: RunningStack) -> None:
    done = outbound(stack, "import", "00000000-0000-0000-0000-000000000001", "/nowhere.csv")
    assert done.returncode == 2
    assert "no such file" in done.stderr


def test_watch_follows_a_campaign_to_its_end(stack: RunningStack) -> None:
    with stack.client() as client:
        numbers = [f"+1555161{index:04d}" for index in range(50)]
        scenario = make_scenario(client, numbers)
        run(client, scenario)
        done = outbound(stack, "watch", scenario.campaign_id, "--json")
        campaign = wait_finished(client, scenario.campaign_id)
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["state"], campaign["state"]) == ("finished", "finished")
    assert last["reached"] + last["exhausted"] == last["targets"] == 50


def test_a_file_that_cannot_be_written_is_one_line_before_any_work(
    stack: RunningStack, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("phone\n+15551610001\n")
    nowhere = str(tmp_path / "nowhere" / "file")
    outdial = "00000000-0000-0000-0000-000000000001"
    for words in (
        ("import", outdial, str(rows), "--rejects", nowhere),
        ("token", "--customer", outdial, "--output", nowhere),
    ):
        done = outbound(stack, *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"outbound: {nowhere}: No such file or directory\n"


def test_events_follow_a_campaign_as_json_lines(stack: RunningStack) -> None:
    with stack.client() as client:
        scenario = make_scenario(client, ["+19990001601"])
        tail = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "cli.main",
                "events",
                "--data-dir",
                str(stack.data_dir),
                "--campaign",
                scenario.campaign_id,
                "--event",
                "status_stop",
                "--limit",
                "1",
                "--all",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        timer = threading.Timer(60, tail.kill)
        timer.start()
        run(client, scenario)
        output, _ = tail.communicate()
        timer.cancel()
    event = json.loads(output)
    assert event["subject"].endswith(".campaign.status_stop")
    assert event["resource_id"] == scenario.campaign_id
    assert tail.returncode == 0


def test_token_refuses_a_customer_that_is_no_id(stack: RunningStack) -> None:
    done = outbound(stack, "token", "--customer", "me")
    assert done.returncode == 2
    assert "UUID" in done.stderr
