"""The acceptance rules of the domain reference, one test a rule, against the running stack."""

from __future__ import annotations

import concurrent.futures
import itertools
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.client import Client
from cli.errors import CommandError
from tests.fixtures.stack import RunningStack
from tests.support.audit import audit
from tests.support.scenario import (
    add_targets,
    gather,
    make_scenario,
    run,
    wait_finished,
)
from tests.support.waiting import wait_for

pytestmark = pytest.mark.xdist_group("stack")

RINGS_FOREVER = "+19999{:06d}"
ANSWERS = "+19990{:06d}"


@pytest.fixture
def client(stack: RunningStack) -> Iterator[Client]:
    with stack.client() as own:
        yield own


def attempts_of(client: Client, campaign_id: str) -> list[dict[str, Any]]:
    """All attempts, oldest first."""
    return list(client.pages(f"/campaigns/{campaign_id}/campaigncalls"))[::-1]


def instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)


def test_05_busy_busy_answer_is_three_attempts_with_the_interval_between(
    stack: RunningStack, client: Client
) -> None:
    scenario = make_scenario(client, ["+19997000501"], tries=(3, 0, 0, 0, 0), try_interval_ms=4000)
    run(client, scenario)
    wait_finished(client, scenario.campaign_id)
    attempts = attempts_of(client, scenario.campaign_id)
    assert [each["hangup_reason"] for each in attempts] == ["busy", "busy", "normal"]
    assert [each["try_count"] for each in attempts] == [1, 2, 3]
    for earlier, later in itertools.pairwise(attempts):
        pause = (instant(later["tm_create"]) - instant(earlier["tm_end"])).total_seconds()
        assert pause >= 4.0
    evidence = gather(stack, client, scenario)
    assert [target["result"] for target in evidence.targets] == ["success"]
    assert evidence.campaign["state"] == "finished"
    assert audit(evidence) == []


def test_06_slots_are_used_in_order_each_to_its_own_maximum(client: Client) -> None:
    scenario = make_scenario(client, [], tries=(2, 3, 1, 0, 1), try_interval_ms=500)
    target = client.post(
        f"/outdials/{scenario.outdial_id}/targets",
        {"destination_0": {"type": "tel", "target": "+19992000601"}, "destination_1": {},
         "destination_2": {"type": "tel", "target": "+19992000602"},
         "destination_3": {"type": "tel", "target": "+19992000603"},
         "destination_4": {"type": "tel", "target": "+19992000604"}},
    )  # fmt: skip
    assert target["destination_1"] is None
    run(client, scenario)
    wait_finished(client, scenario.campaign_id)
    attempts = attempts_of(client, scenario.campaign_id)
    assert [each["destination_index"] for each in attempts] == [0, 0, 2, 4]
    assert [each["try_count"] for each in attempts] == [1, 2, 1, 1]
    (after,) = client.pages(f"/outdials/{scenario.outdial_id}/targets")
    assert (after["status"], after["result"]) == ("done", "fail")


def test_07_success_stops_further_attempts_on_all_slots(client: Client) -> None:
    scenario = make_scenario(client, [], tries=(2, 2, 2, 2, 2), try_interval_ms=500)
    client.post(
        f"/outdials/{scenario.outdial_id}/targets",
        {"destination_0": {"target": "+19996000701"}, "destination_1": {"target": "+19990000702"}},
    )
    run(client, scenario)
    wait_finished(client, scenario.campaign_id)
    attempts = attempts_of(client, scenario.campaign_id)
    assert [each["result"] for each in attempts] == ["fail", "success"]
    assert [each["destination_index"] for each in attempts] == [0, 0]


def test_08_end_handle_continue_waits_for_new_targets(client: Client) -> None:
    scenario = make_scenario(client, [ANSWERS.format(801)], end_handle="continue")
    run(client, scenario)
    wait_for(lambda: _done(client, scenario.campaign_id) == 1, what="the first attempt")
    assert client.get(f"/campaigns/{scenario.campaign_id}")["status"] == "run"
    add_targets(client, scenario.outdial_id, [ANSWERS.format(802)])
    # One look of the original's dialer takes 5 s; the rest is for a busy machine.
    wait_for(lambda: len(attempts_of(client, scenario.campaign_id)) == 2, seconds=10)
    client.put(f"/campaigns/{scenario.campaign_id}/status", {"status": "stop"})
    ended = wait_finished(client, scenario.campaign_id)
    assert (ended["state"], ended["stop_reason"]) == ("stop", "user")


def test_09_stop_while_50_ring_starts_nothing_more_and_run_resumes(
    stack: RunningStack, client: Client
) -> None:
    numbers = [RINGS_FOREVER.format(900 + index) for index in range(200)]
    scenario = make_scenario(
        client, numbers, tries=(2, 0, 0, 0, 0), max_concurrent=50, dial_timeout_ms=600_000
    )
    run(client, scenario)
    wait_for(lambda: _dialing(client, scenario.campaign_id) == 50, what="50 ringing phones")
    answer = client.put(f"/campaigns/{scenario.campaign_id}/status", {"status": "stop"})
    assert answer["status"] in ("stop", "stopping")
    before = len(attempts_of(client, scenario.campaign_id))
    ended = wait_finished(client, scenario.campaign_id)
    assert (ended["state"], ended["stop_reason"]) == ("stop", "user")
    attempts = attempts_of(client, scenario.campaign_id)
    assert len(attempts) == before
    assert {each["hangup_reason"] for each in attempts} == {"cancel"}
    assert all(call.tm_end for call in stack.network_calls().values() if call.number in numbers)
    run(client, scenario)
    wait_for(lambda: _dialing(client, scenario.campaign_id) == 50, what="ringing after the resume")
    client.put(f"/campaigns/{scenario.campaign_id}/status", {"status": "stop"})
    wait_finished(client, scenario.campaign_id)


def test_11_simultaneous_runs_start_one_run_and_never_dial_twice(
    stack: RunningStack, client: Client
) -> None:
    numbers = [f"+1555110{index:04d}" for index in range(300)]
    scenario = make_scenario(client, numbers, tries=(2, 0, 0, 0, 0))
    gate = threading.Barrier(8)

    def start() -> dict[str, Any]:
        with stack.client() as own:
            gate.wait()
            return own.put(f"/campaigns/{scenario.campaign_id}/status", {"status": "run"})

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [task.result() for task in [pool.submit(start) for _ in range(8)]]
    assert {answer["status"] for answer in answers} == {"run"}
    assert {answer["run_number"] for answer in answers} == {1}
    wait_finished(client, scenario.campaign_id)
    evidence = gather(stack, client, scenario)
    assert audit(evidence) == []
    runs = [each for each in evidence.events or () if each["event"] == "status_run"]
    assert len(runs) == 1


@pytest.mark.timeout(300)
def test_13_malformed_targets_among_10000_do_not_stop_the_campaign(
    stack: RunningStack, client: Client
) -> None:
    numbers = [f"+1555130{index:05d}" for index in range(10_000)]
    scenario = make_scenario(client, numbers)
    for broken in ("+19994001301", "+19994001302"):
        client.post(
            f"/outdials/{scenario.outdial_id}/targets", {"destination_0": {"target": broken}}
        )
    client.post(
        f"/outdials/{scenario.outdial_id}/targets",
        {"destination_0": {"type": "extension", "target": "no such extension"}},
    )
    run(client, scenario)
    ended = wait_finished(client, scenario.campaign_id, seconds=240)
    assert ended["state"] == "finished"
    stats = client.get(f"/campaigns/{scenario.campaign_id}/stats")
    assert stats["targets"]["total_count"] == 10_003
    assert stats["targets"]["success_count"] + stats["targets"]["fail_count"] == 10_003


def test_19_chaining_starts_the_next_campaign_once_and_not_on_a_users_stop(client: Client) -> None:
    following = make_scenario(client, [ANSWERS.format(1901)])
    first = make_scenario(client, [ANSWERS.format(1902)], next_campaign_id=following.campaign_id)
    run(client, first)
    wait_finished(client, first.campaign_id)
    ended = wait_for(
        lambda: _finished(client, following.campaign_id), what="the end of the chained campaign"
    )
    assert ended["run_number"] == 1
    third = make_scenario(client, [ANSWERS.format(1903)])
    stopped = make_scenario(
        client, [RINGS_FOREVER.format(1904)], next_campaign_id=third.campaign_id
    )
    run(client, stopped)
    wait_for(lambda: _dialing(client, stopped.campaign_id) == 1, what="a ringing phone")
    client.put(f"/campaigns/{stopped.campaign_id}/status", {"status": "stop"})
    wait_finished(client, stopped.campaign_id)
    assert client.get(f"/campaigns/{third.campaign_id}")["run_number"] == 0


def test_19_a_ring_of_campaigns_ends_when_a_round_placed_nothing(client: Client) -> None:
    one = make_scenario(client, [ANSWERS.format(1911)])
    two = make_scenario(client, [ANSWERS.format(1912)], next_campaign_id=one.campaign_id)
    client.put(
        f"/campaigns/{one.campaign_id}/next_campaign_id", {"next_campaign_id": two.campaign_id}
    )
    run(client, one)

    def both_rest() -> bool:
        campaigns = [client.get(f"/campaigns/{each.campaign_id}") for each in (one, two)]
        return all(each["status"] == "stop" and each["run_number"] for each in campaigns) and any(
            each["stop_reason"] == "chained" for each in campaigns
        )

    wait_for(both_rest, what="the end of the ring")
    assert _done(client, one.campaign_id) + _done(client, two.campaign_id) == 2


def test_unstartable_campaigns_are_refused_with_the_reason(client: Client) -> None:
    scenario = make_scenario(client, [ANSWERS.format(2001)], type="message")
    with pytest.raises(CommandError, match=r"message.*HTTP 409"):
        run(client, scenario)
    empty = client.post("/campaigns", {"name": "nothing"})
    with pytest.raises(CommandError, match=r"outplan_id.*HTTP 409"):
        client.put(f"/campaigns/{empty['id']}/status", {"status": "run"})


def _stats(client: Client, campaign_id: str) -> dict[str, Any]:
    stats: dict[str, Any] = client.get(f"/campaigns/{campaign_id}/stats")["attempts"]
    return stats


def _dialing(client: Client, campaign_id: str) -> int:
    return int(_stats(client, campaign_id)["dialing_count"])


def _done(client: Client, campaign_id: str) -> int:
    return int(_stats(client, campaign_id)["done_count"])


def _finished(client: Client, campaign_id: str) -> dict[str, Any] | None:
    campaign = client.get(f"/campaigns/{campaign_id}")
    return campaign if campaign["state"] == "finished" else None
