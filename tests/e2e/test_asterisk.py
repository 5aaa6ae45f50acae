"""`outbound up --carrier asterisk`: campaigns through the public API that ring real SIP phones."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from tests.fixtures.real_stack import RealStack
from tests.support.scenario import wait_finished
from tests.support.waiting import wait_for

pytestmark = pytest.mark.xdist_group("real-stack")

HELLO = {"type": "talk", "option": {"text": "Hello."}}
MIX = {"203": "normal", "201": "normal", "486": "busy", "404": "failed", "480": "noanswer"}


def test_the_busy_are_tried_until_their_tries_are_used_up(real_stack: RealStack) -> None:
    tries = {"203": 1, "486": 3, "404": 3}
    numbers = {number: code for code in tries for number in real_stack.numbers(code, 2)}
    scenario = real_stack.campaign(
        list(numbers), [HELLO], tries=(3, 0, 0, 0, 0), try_interval_ms=300
    )
    wait_finished(real_stack.client, scenario.campaign_id)
    rang = Counter(real_stack.phones.rang())
    for number, attempts in real_stack.attempts(scenario).items():
        code = numbers.pop(number)
        assert rang[number] == len(attempts) == tries[code]
        assert {each["hangup_reason"] for each in attempts} == {MIX[code]}
        assert [each["try_count"] for each in attempts] == list(range(1, tries[code] + 1))
    assert numbers == {}


def test_machines_are_hung_up_or_talked_to_as_the_flow_says(real_stack: RealStack) -> None:
    found = {}
    scenarios = {}
    for handle in ("hangup", "continue"):
        phones = {code: real_stack.number(code) for code in ("200", "205")}
        actions = [{"type": "amd", "option": {"machine_handle": handle}}]
        actions += [
            {"type": "variable_set", "option": {"key": "by", "value": "${voipbin.call.amd}"}}
        ]
        scenarios[handle] = (phones, real_stack.campaign(list(phones.values()), [*actions, HELLO]))
    for handle, (phones, scenario) in scenarios.items():
        wait_finished(real_stack.client, scenario.campaign_id)
        attempts = real_stack.attempts(scenario)
        for code, number in phones.items():
            (attempt,) = attempts[number]
            by = attempt["variables"].get("by")
            found[handle, code] = (attempt["hangup_reason"], attempt["result"], by)
    assert found == {
        ("hangup", "200"): ("normal", "success", "human"),
        ("hangup", "205"): ("amd", "fail", None),
        ("continue", "200"): ("normal", "success", "human"),
        ("continue", "205"): ("normal", "success", "machine"),
    }


@pytest.mark.parametrize("mode", ["drain", "hangup"])
def test_a_stop_silences_what_rings_and_what_talks_only_if_it_says_so(
    real_stack: RealStack, mode: str
) -> None:
    ringing, talking = real_stack.numbers("000", 2), real_stack.number("212")
    # Hears itself, so there is sound both ways.
    actions = [HELLO, {"type": "echo", "option": {"duration": 600_000}}]
    scenario = real_stack.campaign([talking, *ringing], actions, tries=(2, 0, 0, 0, 0))
    call_id = real_stack.call_of(scenario, talking)
    real_stack.await_action(call_id, "echo")
    wait_for(lambda: set(real_stack.phones.rang()) >= set(ringing), "ringing phones")
    path = f"/campaigns/{scenario.campaign_id}"
    real_stack.client.put(f"{path}/status", {"status": "stop", "mode": mode})

    def canceled() -> bool:
        attempts = real_stack.attempts(scenario)
        return {attempts[number][0]["hangup_reason"] for number in ringing} == {"cancel"}

    wait_for(canceled, "the end of the ringing")
    if mode == "drain":
        real_stack.assert_audio_flows(call_id)
        assert real_stack.client.get(path)["status"] == "stopping"
        real_stack.hang_up(call_id)
    ended = wait_finished(real_stack.client, scenario.campaign_id)
    assert (ended["state"], ended["stop_reason"]) == ("stop", "user")
    attempts = real_stack.attempts(scenario)
    assert {number: len(each) for number, each in attempts.items()} == dict.fromkeys(
        [talking, *ringing], 1
    )
    # What a stop took from them is given back.
    assert {attempts[number][0]["is_refunded"] for number in ringing} == {True}
    assert attempts[talking][0]["hangup_reason"] == "normal"
    call = real_stack.client.get(f"/calls/{call_id}")
    assert (call["status"], call["hangup_by"]) == ("hangup", "local")
    with real_stack.ari() as ari:
        wait_for(lambda: ari.get("/channels").json() == [], "silence")
    rang = Counter(real_stack.phones.rang())
    assert {rang[number] for number in [talking, *ringing]} == {1}


@pytest.mark.timeout(240)
def test_every_sip_call_of_five_hundred_people_is_accounted_for(real_stack: RealStack) -> None:
    codes = {number: code for code in MIX for number in real_stack.numbers(code, 100)}
    # As a list of people is: mixed.
    numbers = sorted(codes, key=lambda number: number[-4:][::-1])
    wait_for(
        lambda: real_stack.phones.counted() == len(real_stack.phones.rang()), "SIPp's statistics"
    )
    before, rang_before = real_stack.phones.counted(), len(real_stack.phones.rang())
    scenario = real_stack.campaign(numbers, [HELLO], calls_per_second=40.0)
    wait_finished(real_stack.client, scenario.campaign_id, seconds=150)
    attempts = real_stack.attempts(scenario)
    rang = Counter(real_stack.phones.rang()[rang_before:])
    assert rang == dict.fromkeys(numbers, 1)
    wait_for(lambda: real_stack.phones.counted() - before == len(numbers), "SIPp's statistics")
    ours = {number: [each["hangup_reason"] for each in made] for number, made in attempts.items()}
    assert ours == {number: [MIX[code]] for number, code in codes.items()}
    stats = real_stack.client.get(f"/campaigns/{scenario.campaign_id}/stats")
    counted = Counter(MIX[code] for code in codes.values())
    assert +Counter(stats["attempts"]["hangup_reason_counts"]) == counted
    assert stats["attempts"]["attempt_count"] == len(numbers)
    began = sorted(instant(each["tm_create"]) for made in attempts.values() for each in made)
    assert len(numbers) / (began[-1] - began[0]).total_seconds() > 20


def instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)


def test_a_killed_asterisk_comes_back_and_the_run_ends(real_stack: RealStack) -> None:
    numbers = real_stack.numbers("203", 30)
    actions = [{"type": "talk", "option": {"text": "A text of some length, said to all."}}]
    scenario = real_stack.campaign(numbers, actions, calls_per_second=10.0)
    real_stack.call_of(scenario, numbers[0])
    real_stack.stack.kill_and_await("asterisk")
    wait_finished(real_stack.client, scenario.campaign_id)
    attempts = real_stack.attempts(scenario)
    assert attempts.keys() == set(numbers)
    # What was opened and could not be placed without a PBX was given back.
    counted = {
        number: [each for each in made if not each["is_refunded"]]
        for number, made in attempts.items()
    }
    assert {len(each) for each in counted.values()} == {1}
    rang = Counter(real_stack.phones.rang())
    assert max(rang[number] for number in numbers) == 1
    details = Counter(each["hangup_detail"] for (each,) in counted.values())
    assert details["network_restart"] > 0  # some were talking then
    assert details[""] > 0  # and the others were talked to after it
