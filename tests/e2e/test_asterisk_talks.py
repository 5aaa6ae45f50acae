"""People, agents and recordings on real SIP phones, through the public API."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from outbound.dialer.v1 import dialer_service_pb2 as pb
from outbound.dialer.v1 import dialer_service_pb2_grpc

from cli.stack.secrets import Secrets
from gateway.identity import Permission
from services.common.auth import Acting, TokenIssuer
from tests.fixtures.real_stack import RealStack
from tests.support import sound
from tests.support.scenario import make_scenario, run, wait_finished
from tests.support.waiting import wait_for

pytestmark = pytest.mark.xdist_group("real-stack")

LOUD = 300
"""Far above the hiss of the codec."""
CUSTOMER_HZ, AGENT_HZ = 1000, 600
RECORD = {"type": "recording_start", "option": {"format": "wav"}}


def test_a_key_brings_an_agent_and_both_hear_each_other(real_stack: RealStack) -> None:
    queue_id, ((away, silent), (serving, answering)) = real_stack.make_queue(["000", "213"])
    customer, queued = real_stack.number("214"), str(uuid.uuid4())
    scenario = real_stack.campaign(
        [customer],
        [
            RECORD,
            {"type": "talk", "option": {"text": "Press one."}},
            {"type": "digits_receive", "option": {"length": 1, "duration": 30_000}},
            {"type": "branch", "option": {"target_ids": {"1": queued}}},
            {"type": "hangup"},
            {"id": queued, "type": "queue_join", "option": {"queue_id": queue_id}},
        ],
    )
    call_id = real_stack.call_of(scenario, customer)
    agent_leg = real_stack.peer_of(call_id)
    real_stack.assert_audio_flows(call_id, agent_leg)
    # The longest idle was rung first, and did not answer.
    assert real_stack.client.get(f"/agents/{away}")["status"] == "away"
    (stay,) = [
        each for each in real_stack.client.pages("/queuecalls") if each["reference_id"] == call_id
    ]
    assert stay["service_agent_id"] == serving
    real_stack.hang_up(call_id)
    wait_finished(real_stack.client, scenario.campaign_id)
    (attempt,) = real_stack.attempts(scenario)[customer]
    assert (attempt["result"], attempt["digits"], attempt["is_abandoned"]) == (
        "success",
        "1",
        False,
    )
    assert attempt["tm_connect"]
    rang = Counter(real_stack.phones.rang())
    assert (rang[customer], rang[silent], rang[answering]) == (1, 1, 1)

    def is_served() -> Any:
        now = real_stack.client.get(f"/queuecalls/{stay['id']}")
        return now if now["status"] == "done" else None

    served = wait_for(is_served, "the end of the stay")
    assert served["duration_service"] >= 500
    assert served["duration_waiting"] >= 1_000  # so long the first agent's phone rang
    wait_for(
        lambda: real_stack.client.get(f"/agents/{serving}")["status"] == "available",
        "the end of the wrap-up",
    )
    (recording,) = wait_for(lambda: real_stack.recordings_of(call_id), "the recording")
    samples = real_stack.download(recording["id"])
    assert abs(len(samples) / sound.RATE * 1000 - recording["duration"]) < 100
    last = samples[-sound.RATE // 4 :]
    assert sound.strength(last, CUSTOMER_HZ) > LOUD
    assert sound.strength(last, AGENT_HZ) > LOUD
    assert_nobody_elses(real_stack, recording["id"])


def assert_nobody_elses(real_stack: RealStack, recording_id: str) -> None:
    """Another customer gets neither the recording nor its file, its owner both."""
    secrets = Secrets(real_stack.stack.data_dir / "secrets")
    issuer = TokenIssuer.from_file("client", secrets.key("client"))

    async def ask(customer_id: uuid.UUID) -> set[grpc.StatusCode]:
        token = issuer.token("dialer", Acting(customer_id, None, Permission.ADMIN), seconds=60)
        metadata = [("authorization", f"Bearer {token}")]
        async with grpc.aio.insecure_channel(real_stack.stack.facts["grpc"]["dialer-1"]) as channel:
            stub = dialer_service_pb2_grpc.DialerServiceStub(channel)
            found = stub.GetRecording(
                pb.GetRecordingRequest(id=recording_id), metadata=metadata, timeout=10
            )
            file = stub.ReadRecording(
                pb.ReadRecordingRequest(id=recording_id), metadata=metadata, timeout=10
            )
            with suppress(grpc.aio.AioRpcError):
                async for _ in file:
                    pass
            return {await found.code(), await file.code()}

    assert asyncio.run(ask(uuid.uuid4())) == {grpc.StatusCode.PERMISSION_DENIED}
    owner = uuid.UUID(real_stack.client.get("/customer")["id"])
    assert asyncio.run(ask(owner)) == {grpc.StatusCode.OK}


def assert_only_ours(folder: Path) -> None:
    """Nobody but the user we run as can open what people have said."""
    modes = {path: path.stat().st_mode & 0o077 for path in (folder, *folder.rglob("*"))}
    assert len(modes) > 1
    assert not any(modes.values()), modes


def two_of(found: list[Any]) -> list[Any]:
    """The two; empty until they are two."""
    return found if len(found) == 2 else []


def test_a_flow_connects_somebody_and_goes_on_after_them(real_stack: RealStack) -> None:
    customer, busy, other = (real_stack.number(code) for code in ("212", "486", "215"))
    people = [{"type": "tel", "target": number} for number in (busy, other)]
    scenario = real_stack.campaign(
        [customer],
        [
            RECORD,
            {"type": "connect", "option": {"destinations": people, "anonymous": "yes"}},
            {"type": "recording_stop"},
            RECORD,
            {"type": "beep"},
            {"type": "recording_stop"},
            {"type": "variable_set", "option": {"key": "after", "value": "yes"}},
        ],
    )
    call_id = real_stack.call_of(scenario, customer)
    real_stack.assert_audio_flows(call_id, real_stack.peer_of(call_id))
    wait_finished(real_stack.client, scenario.campaign_id)
    (attempt,) = real_stack.attempts(scenario)[customer]
    assert (attempt["result"], attempt["variables"]) == ("success", {"after": "yes"})
    flow = real_stack.client.get(f"/activeflows/{attempt['activeflow_id']}")
    (step,) = [each for each in flow["executed_actions"] if each["type"] == "connect"]
    assert (step["outcome"], step["detail"]) == ("done", f"connected with tel:{other}")
    invites = {line.split()[1]: line for line in real_stack.phones.invites()}
    for number in (busy, other):
        assert "anonymous" in invites[number].lower()
        assert customer not in invites[number].split("From:")[1].split(" X-")[0]
    both = wait_for(lambda: two_of(real_stack.recordings_of(call_id)), "both recordings")
    recording, after = sorted(both, key=lambda each: each["tm_start"])
    assert len(real_stack.download(after["id"])) > 0
    assert_only_ours(real_stack.stack.data_dir / "recordings")
    samples = real_stack.download(recording["id"])
    loudest = max(
        sound.strength(samples[start : start + sound.RATE // 4], AGENT_HZ)
        for start in range(0, len(samples), sound.RATE // 4)
    )
    assert loudest > LOUD


def test_headers_and_variables_of_a_plan_reach_the_network_filled_in(real_stack: RealStack) -> None:
    customer = real_stack.number("212")
    client = real_stack.client
    scenario = make_scenario(client, [], actions=[{"type": "echo", "option": {"duration": 60_000}}])
    case = '{"case": "C-17\\r\\nRoute: <sip:evil>"}'
    target = {"name": "Ann", "data": case, "destination_0": {"type": "tel", "target": customer}}
    client.post(f"/outdials/{scenario.outdial_id}/targets", target)
    extras = {
        "headers": {"X-Account": "${voipbin.outdialtarget.data.case}/${voipbin.nothing}."},
        "variables": {"who": "${voipbin.outdialtarget.name}", "play": "kept apart"},
    }
    changed = client.put(f"/outplans/{scenario.outplan_id}", extras)
    assert {name: changed[name] for name in extras} == extras
    run(client, scenario)
    call_id = real_stack.call_of(scenario, customer)
    (invite,) = [line for line in real_stack.phones.invites() if customer in line.split()[1]]
    assert "X-Account: C-17  Route: <sip:evil>/." in invite
    with real_stack.ari() as ari:
        found = [
            ari.get(f"/channels/{call_id}/variable", params={"variable": name}).json()["value"]
            for name in ("OUTBOUND_VAR_WHO", "OUTBOUND_VAR_PLAY")
        ]
    assert found == ["Ann", "kept apart"]
    real_stack.hang_up(call_id)
    wait_finished(client, scenario.campaign_id)


def test_people_talk_on_while_their_dialer_is_dead_and_another_finishes(
    real_stack: RealStack,
) -> None:
    queue_id, ((agent_id, agent),) = real_stack.make_queue(["213"])
    queued, alone = real_stack.number("212"), real_stack.number("203")
    waiting = str(uuid.uuid4())
    scenario = real_stack.campaign(
        [queued, alone],
        [
            {"type": "variable_set", "option": {"key": "began", "value": "yes"}},
            {
                "type": "condition_variable",
                "option": {
                    "variable": "${voipbin.destination.target}",
                    "condition": "==",
                    "value_type": "string",
                    "value_string": queued,
                    "false_target_id": waiting,
                },
            },
            {"type": "queue_join", "option": {"queue_id": queue_id}},
            {"id": waiting, "type": "sleep", "option": {"duration": 5_000}},
            {"type": "talk", "option": {"text": "I am back."}},
            {"type": "variable_set", "option": {"key": "ended", "value": "yes"}},
        ],
    )
    talking, sleeping = (real_stack.call_of(scenario, number) for number in (queued, alone))
    agent_leg = real_stack.peer_of(talking)
    real_stack.await_action(sleeping, "sleep")
    name = real_stack.dialer_of(talking)
    assert real_stack.dialer_of(sleeping) == name
    killed = real_stack.stack.kill(name)
    real_stack.assert_audio_flows(talking, agent_leg)
    wait_for(lambda: len(done(real_stack, alone, scenario)) == 1, "the end of the other flow")
    (attempt,) = done(real_stack, alone, scenario)
    assert (attempt["result"], attempt["variables"]) == (
        "success",
        {"began": "yes", "ended": "yes"},
    )
    # The conversation is still the same one.
    assert real_stack.peer_of(talking) == agent_leg
    real_stack.hang_up(talking)
    wait_finished(real_stack.client, scenario.campaign_id)
    (attempt,) = done(real_stack, queued, scenario)
    assert (attempt["result"], attempt["hangup_reason"]) == ("success", "normal")
    rang = Counter(real_stack.phones.rang())
    assert {rang[number] for number in (queued, alone, agent)} == {1}
    wait_for(
        lambda: real_stack.client.get(f"/agents/{agent_id}")["status"] == "available",
        "the agent, free again",
    )
    real_stack.stack.await_restart(name, killed)


def done(real_stack: RealStack, number: str, scenario: Any) -> list[dict[str, Any]]:
    attempts = real_stack.attempts(scenario).get(number, [])
    return [each for each in attempts if each["status"] == "done"]
