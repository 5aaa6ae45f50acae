"""`outbound up` as a person meets it: start, faults, restart, stop."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cli.stack.processes import http_health
from tests.fixtures.stack import RunningStack, start_stack
from tests.support.scenario import make_scenario, run, wait_finished
from tests.support.servers import open_folder
from tests.support.waiting import wait_for

pytestmark = pytest.mark.xdist_group("own-stacks")


def outbound(*arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_everything_that_dies_is_started_again_and_stop_leaves_nothing(
    own_stack: RunningStack,
) -> None:
    names = list(own_stack.facts["pids"])
    assert set(names) >= {"postgres", "nats", "simnet", "campaign", "outdial", "queue", "gateway"}
    for name in names:
        own_stack.kill_and_await(name)
    is_healthy = http_health(f"{own_stack.url}/health")
    wait_for(is_healthy, seconds=60, what="health after every kill")
    pids = [pid for pid in own_stack.facts["pids"].values() if pid]
    assert own_stack.stop() == 0
    assert [pid for pid in pids if is_alive(pid)] == []
    assert not (own_stack.data_dir / "run.json").exists()


def test_a_killed_stack_leaves_nothing_and_its_data_survives() -> None:
    with open_folder() as folder:
        stack = start_stack(folder / "data")
        with stack.client() as client:
            scenario = make_scenario(client, ["+19990000001"])
            run(client, scenario)
            wait_finished(client, scenario.campaign_id)
        pids = [pid for pid in stack.facts["pids"].values() if pid]
        stack.stop(signal.SIGKILL)
        wait_for(lambda: not any(map(is_alive, pids)), what="the end of every process")
        again = start_stack(folder / "data")
        with again.client() as client:
            assert client.get(f"/campaigns/{scenario.campaign_id}")["state"] == "finished"
        assert again.stop() == 0


def test_a_second_instance_on_the_folder_is_refused(own_stack: RunningStack) -> None:
    done = outbound("up", "--data-dir", str(own_stack.data_dir), "--http", "127.0.0.1:17999")
    assert done.returncode == 3
    assert len(done.stderr.strip().splitlines()) <= 2
    assert "another outbound" in done.stderr
    assert own_stack.process.poll() is None


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = outbound("up", "--data-dir", str(tmp_path / "data"), "--http", f"127.0.0.1:{port}")
    assert done.returncode == 3
    assert f"127.0.0.1:{port} is taken" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    # Root may write anywhere but to /proc; others are stopped by the mode of the folder.
    place = Path("/proc/outbound") if os.geteuid() == 0 else tmp_path / "closed" / "data"
    if os.geteuid() != 0:
        (tmp_path / "closed").mkdir(mode=0o500)
    done = outbound("up", "--data-dir", str(place))
    assert done.returncode == 3
    assert str(place) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--http", "nowhere"), "HOST:PORT"),
        (("--time-scale", "0"), "--time-scale"),
        (("--carrier", "pigeon"), "simulated"),
        (("--network-profile", "/nonexistent.json"), "no such file"),
    ],
)
def test_wrong_arguments_name_what_is_accepted(
    tmp_path: Path, arguments: tuple[str, ...], word: str
) -> None:
    done = outbound("up", "--data-dir", str(tmp_path / "data"), *arguments)
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "word"),
    [
        ("OUTBOUND_BOOTSTRAP_ACCESS_KEY", "vb_short", "vb_ and 32 letters"),
        ("OUTBOUND_BOOTSTRAP_USERNAME", "admin", "an e-mail address"),
        ("OUTBOUND_BOOTSTRAP_PASSWORD", "seven77", "8..256 characters"),
        ("OUTBOUND_DATABASE_URL", "garbage", "postgresql://"),
    ],
)
def test_wrong_variables_are_one_line_and_the_folder_stays_usable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, word: str
) -> None:
    monkeypatch.setenv(variable, value)
    done = outbound("up", "--data-dir", str(tmp_path / "data"))
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1 + done.stderr.startswith("stopping")
    assert variable in done.stderr
    assert word in done.stderr
    assert value not in done.stderr
    assert not (tmp_path / "data" / "secrets" / "bootstrap.json").exists()


def test_doctor_finds_a_machine_fit_and_a_stack_healthy(own_stack: RunningStack) -> None:
    done = outbound("doctor", "--data-dir", str(own_stack.data_dir), "--json")
    findings = json.loads(done.stdout)
    assert [each for each in findings if not each["is_good"]] == []
    assert done.returncode == 0
    assert {"python", "postgresql", "nats-server", "gateway"} <= {each["name"] for each in findings}


def test_commands_without_a_stack_say_how_to_start_one(tmp_path: Path) -> None:
    done = outbound("watch", "00000000-0000-0000-0000-000000000001", "--data-dir", str(tmp_path))
    assert done.returncode == 3
    assert "outbound up" in done.stderr
