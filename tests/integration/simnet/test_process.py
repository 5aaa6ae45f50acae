from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from outbound.simnet.v1 import simnet_pb2 as simnet_pb

from tests.fixtures.simnet import SimnetProcess, running
from tests.integration.simnet.dialer import RawDialer, attached, new_id, place

OUTCOMES = {
    simnet_pb.OUTCOME_NORMAL: "normal",
    simnet_pb.OUTCOME_BUSY: "busy",
    simnet_pb.OUTCOME_NO_ANSWER: "noanswer",
    simnet_pb.OUTCOME_INVALID: "invalid",
    simnet_pb.OUTCOME_CONGESTION: "congestion",
}
PATIENT = {"silence_ms": 3_600_000, "ring_ms": 5_000, "outcomes": {"answer": 1}}


async def test_a_thousand_calls_add_up_with_the_ledger(simnet: SimnetProcess) -> None:
    simnet.configure(STEPPED="true")
    await simnet.start()
    numbers = {new_id(): f"+1555{index:07d}" for index in range(1_000)}
    async with attached(simnet) as dialer:
        await dialer.send(*(place(call_id, number) for call_id, number in numbers.items()))
        # Every call that is not rejected rings, so all are placed when the others have ended.
        while dialer.kinds()["ended"] < 1_000:
            await simnet.step(10_000)
        events = dialer.events
    ended = {event.call_id: OUTCOMES[event.ended.outcome] for event in events if _ended(event)}
    assert set(ended) == set(numbers)
    assert {line["id"]: line["outcome"] for line in simnet.entries("end")} == ended
    starts = simnet.entries("ring") + simnet.entries("place")
    assert {line["id"]: line["number"] for line in starts} == numbers
    assert len(simnet.entries("ring")) == dialer.kinds()["ringing"]
    answered = {line["id"] for line in simnet.entries("answer")}
    assert {event.call_id for event in events if event.HasField("answered")} == answered
    assert Counter(ended.values())["normal"] == len(answered)
    assert set(Counter(ended.values())) == set(OUTCOMES.values())


async def test_two_runs_with_one_seed_are_the_same(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folders = [tmp_path_factory.mktemp("network") for _ in range(2)]

    async def run(folder: Path, numbers: list[str]) -> dict[str, tuple[str, int, int]]:
        async with running(folder, STEPPED="true", SEED="night") as network:
            async with attached(network) as dialer:
                await dialer.send(*(place(new_id(), number) for number in numbers))
                while dialer.kinds()["ended"] < len(numbers):
                    await network.step(5_000)
            return {
                line["number"]: (line["outcome"], line["ring_ms"], line["talk_ms"])
                for line in network.entries("end")
            }

    numbers = [f"+1555{index:07d}" for index in range(200)]
    assert await run(folders[0], numbers) == await run(folders[1], numbers[::-1])


async def test_an_id_is_refused_for_ever(simnet: SimnetProcess) -> None:
    await simnet.start()
    call_id = new_id()
    async with attached(simnet) as dialer:
        await dialer.send(place(call_id, "+19992000001"), place(call_id, "+19992000001"))
        await dialer.has("place_refused")
    assert await simnet.stop() == 0
    await simnet.start()
    async with attached(simnet) as dialer:
        await dialer.send(place(call_id, "+19992000001"))
        await dialer.has("place_refused")
        refused = dialer.events[0].place_refused
        assert refused.reason == simnet_pb.PlaceRefused.REASON_DUPLICATE
    assert len(simnet.entries("place")) == 1
    assert [line["reason"] for line in simnet.entries("refused")] == ["duplicate"] * 2


async def test_a_late_place_rings_no_phone(simnet: SimnetProcess) -> None:
    await simnet.start()
    async with attached(simnet) as dialer:
        await dialer.send(place(new_id(), "+19990000001", within_seconds=-0.001))
        await dialer.has("place_refused")
        assert dialer.events[0].place_refused.reason == simnet_pb.PlaceRefused.REASON_LATE
    assert [line["event"] for line in simnet.entries()] == ["refused"]


async def test_the_network_ends_ringing_and_talking_without_a_dialer(
    simnet: SimnetProcess,
) -> None:
    simnet.configure(
        {"customer": PATIENT, "patterns": [{"match": "2$", "outcomes": ["noanswer"]}]},
        STEPPED="true",
    )
    await simnet.start()
    async with attached(simnet) as dialer:
        await dialer.send(
            place(new_id(), "+15550000001", max_duration_ms=60_000),
            place(new_id(), "+15550000002", ring_timeout_ms=20_000),
        )
        await dialer.has("ringing", 2)
    await simnet.step(20_000)
    assert [line["outcome"] for line in simnet.entries("end")] == ["noanswer"]
    await simnet.step(45_000)
    ends = [(line["outcome"], line["ring_ms"], line["talk_ms"]) for line in simnet.entries("end")]
    assert ends == [("noanswer", 20_000, 0), ("timeout", 5_000, 60_000)]


async def test_another_dialer_goes_on_with_a_dead_ones_calls(simnet: SimnetProcess) -> None:
    simnet.configure(
        {"customer": PATIENT, "patterns": [{"match": "^[+]1555.*9$", "outcomes": ["busy"]}]},
        STEPPED="true",
    )
    await simnet.start()
    customer, agent, busy, unknown = (new_id() for _ in range(4))
    async with attached(simnet, "d1") as dialer:
        await dialer.send(
            place(customer, "+15550000001"),
            place(agent, "+15550000002", kind=simnet_pb.CALL_KIND_AGENT),
            place(busy, "+15550000009"),
        )
        await dialer.has("ringing", 2)
    # Nobody is attached while both are answered and the third ends.
    await simnet.step(10_000)
    async with attached(simnet, "d2", calls=[customer]) as dialer:
        adopt = simnet_pb.Adopt(call_ids=[agent, busy, unknown])
        await dialer.send(simnet_pb.Command(adopt=adopt))
        await dialer.has("adopted", 3)
        await dialer.has("unknown")
        found = {event.call_id: event.adopted for event in dialer.events}
        assert found[customer].state == simnet_pb.CALL_STATE_ANSWERED
        assert found[customer].dialer == "d2"
        assert found[busy].ended.outcome == simnet_pb.OUTCOME_BUSY
        bridge = simnet_pb.Bridge(call_id=customer, other_call_id=agent)
        await dialer.send(simnet_pb.Command(bridge=bridge))
        await dialer.has("bridged", 2)
        await simnet.step(3_600_000)
        await dialer.has("ended", 2)
    ends = {line["id"]: line for line in simnet.entries("end")}
    assert ends[customer]["outcome"] == "normal"
    assert ends[customer]["dialer"] == "d2"


async def test_an_adopted_call_is_taken_from_a_living_dialer(simnet: SimnetProcess) -> None:
    simnet.configure({"customer": PATIENT})
    await simnet.start()
    call_id = new_id()
    async with attached(simnet, "d1") as first, attached(simnet, "d2") as second:
        await first.send(place(call_id, "+15550000001"))
        await first.has("ringing")
        await second.send(simnet_pb.Command(adopt=simnet_pb.Adopt(call_ids=[call_id])))
        await second.has("adopted")
        await first.has("taken")
        assert first.events[-1].taken.dialer == "d2"
        await second.send(simnet_pb.Command(hangup=simnet_pb.Hangup(call_id=call_id)))
        await second.has("ended")
    assert "ended" not in first.of(call_id)


async def test_a_killed_network_takes_its_calls_with_it_and_says_so(
    simnet: SimnetProcess,
) -> None:
    simnet.configure({"customer": PATIENT})
    await simnet.start()
    call_id = new_id()
    async with attached(simnet) as dialer:
        await dialer.send(place(call_id, "+15550000001"))
        await dialer.has("ringing")
        await simnet.kill()
        assert (await dialer.closed_by_network()).code() is grpc.StatusCode.UNAVAILABLE
    await simnet.start()
    async with attached(simnet, calls=[call_id]) as dialer:
        await dialer.has("adopted")
        ended = dialer.events[0].adopted.ended
        assert ended.outcome == simnet_pb.OUTCOME_NETWORK_RESTART
        listed = [part async for part in dialer.stub.ListLiveCalls(_all())]
        assert not listed
    assert [line["event"] for line in simnet.entries()] == ["ring", "end"]


async def test_a_stopped_network_tells_the_ends_before_it_goes(simnet: SimnetProcess) -> None:
    simnet.configure({"customer": PATIENT})
    await simnet.start()
    async with attached(simnet) as dialer:
        await dialer.send(place(new_id(), "+15550000001"))
        await dialer.has("ringing")
        code, error = await asyncio.gather(simnet.stop(), dialer.closed_by_network())
        assert code == 0
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert dialer.events[-1].ended.outcome == simnet_pb.OUTCOME_NETWORK_RESTART


async def test_the_later_stream_of_a_name_replaces_the_earlier(simnet: SimnetProcess) -> None:
    await simnet.start()
    async with attached(simnet, "d1", "i1") as first, attached(simnet, "d1", "i2") as second:
        assert (await first.closed_by_network()).code() is grpc.StatusCode.ABORTED
        await second.send(place(new_id(), "+19992000001"))
        await second.has("ended")


async def test_calls_are_known_live_and_ended(simnet: SimnetProcess) -> None:
    simnet.configure({"customer": PATIENT})
    await simnet.start()
    live, ended, forgotten = new_id(), new_id(), new_id()
    async with attached(simnet) as dialer:
        await dialer.send(*(place(one, "+15550000001") for one in (live, ended, forgotten)))
        hangups = [simnet_pb.Hangup(call_id=one) for one in (ended, forgotten)]
        await dialer.send(*(simnet_pb.Command(hangup=hangup) for hangup in hangups))
        await dialer.has("ended", 2)
        await dialer.send(simnet_pb.Command(forget=simnet_pb.Forget(call_ids=[forgotten])))
        # A command that is answered: the forgetting before it has been carried out.
        await dialer.send(place(live, "+15550000001"))
        await dialer.has("place_refused")
        listed = [call async for part in dialer.stub.ListLiveCalls(_all()) for call in part.calls]
        assert [call.call_id for call in listed] == [live]
        ids = [live, ended, forgotten, new_id()]
        got = await dialer.stub.GetCalls(simnet_pb.GetCallsRequest(call_ids=ids))
        states = {call.call_id: call.state for call in got.calls}
        # The forgotten one comes from the ledger.
        assert states == {
            live: simnet_pb.CALL_STATE_DIALING,
            ended: simnet_pb.CALL_STATE_ENDED,
            forgotten: simnet_pb.CALL_STATE_ENDED,
        }


async def test_scaled_time_plays_a_minute_in_a_second(simnet: SimnetProcess) -> None:
    simnet.configure({"customer": {**PATIENT, "silence_ms": 60_000}}, SCALE="60")
    await simnet.start()
    async with attached(simnet) as dialer:
        await dialer.send(place(new_id(), "+15550000001"))
        await dialer.has("ended")
    (line,) = simnet.entries("end")
    assert (line["ring_ms"], line["talk_ms"]) == (5_000, 60_000)


async def test_only_a_stepped_clock_can_be_stepped(simnet: SimnetProcess) -> None:
    await simnet.start()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await simnet.step(1)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_a_stream_without_a_name_is_refused(simnet: SimnetProcess) -> None:
    await simnet.start()
    async with simnet.open_channel() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await RawDialer(channel).attach(dialer="")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_health_and_reflection_are_there(simnet: SimnetProcess) -> None:
    await simnet.start()
    async with simnet.open_channel() as channel:
        service = "outbound.simnet.v1.SimulatedNetworkService"
        health: Any = health_pb2_grpc.HealthStub(channel)
        answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        stub: Any = reflection_pb2_grpc.ServerReflectionStub  # its types are those of sync gRPC
        reflection = stub(channel)
        messages: Any = reflection_pb2
        request = messages.ServerReflectionRequest(list_services="")
        async for reply in reflection.ServerReflectionInfo(iter([request])):
            names = [entry.name for entry in reply.list_services_response.service]
            assert service in names


async def test_metrics_count_calls(simnet: SimnetProcess) -> None:
    simnet.configure(METRICS_LISTEN="127.0.0.1:0")
    await simnet.start()
    async with attached(simnet) as dialer:
        await dialer.send(place(new_id(), "+19992000001"), place(new_id(), "nobody"))
        await dialer.has("ended")
        async with httpx.AsyncClient() as client:
            page = (await client.get(f"http://127.0.0.1:{simnet.metrics_port}/metrics")).text
    figures = dict(line.rsplit(" ", 1) for line in page.splitlines() if line[0] != "#")
    assert figures['simnet_calls_ended_total{outcome="busy"}'] == "1.0"
    assert figures['simnet_places_refused_total{reason="invalid"}'] == "1.0"
    assert figures["simnet_dialers"] == "1.0"


async def test_a_second_network_cannot_have_the_ledger(
    simnet: SimnetProcess, tmp_path: Path
) -> None:
    await simnet.start()
    second = SimnetProcess(tmp_path)
    with pytest.raises(AssertionError, match="in use by another simulated network"):
        await second.start()
    assert await second.stop() == 2


def _ended(event: simnet_pb.Event) -> bool:
    return event.HasField("ended")


def _all() -> simnet_pb.ListLiveCallsRequest:
    return simnet_pb.ListLiveCallsRequest()
