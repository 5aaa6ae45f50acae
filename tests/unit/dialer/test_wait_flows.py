"""What callers hear while they wait for an agent, and the recording of who came."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from services.common.actions import Action
from services.common.ids import new_id
from services.dialer.domain.queuecalls import EndReason
from services.dialer.telephony import CallState, Capability, CommandFailed, PlayFinished
from tests.unit.dialer.conftest import Stages
from tests.unit.dialer.fakes import action
from tests.unit.dialer.stage import Stage
from tests.unit.dialer.takeovers import after, leg_of
from tests.unit.dialer.test_queueing import AGENT, _end_next, queueing, waiting

FLOW = new_id()
SOON = action("talk", text="soon, ${voipbin.queue.name}")


def hearing(*actions: Action) -> Callable[[Stage], None]:
    def prepare(s: Stage) -> None:
        s.queues.wait_flow_id = FLOW
        s.flow_definitions.flows[FLOW] = actions

    return prepare


def heard(s: Stage, call: UUID) -> list[str]:
    """Words of what the call was let hear, and the texts."""
    return [
        f"say {each[-1]}" if each[0] == "say" else each[0]
        for each in s.telephony.commands
        if call in each
    ]


def noted(s: Stage) -> str:
    (row,) = s.records.flow_rows.values()
    return row.history[-1].detail


async def over(s: Stage, call: UUID, seconds: float = 3.0) -> None:
    """What is heard now ends after so much domain time."""
    play_id = [each[2] for each in s.telephony.commands if each[0] in ("say", "play")][-1]
    await s.clock.advance(seconds)
    s.telephony.tell(PlayFinished(call, s.clock.now(), play_id, True))
    await s.settle()


async def test_the_wait_flow_is_heard_again_and_again(stage: Stages) -> None:
    pause = action("sleep", duration=5_000)
    tune = action("play", stream_urls=["tune.wav"])
    async with queueing(stage, prepare=hearing(SOON, pause, tune)) as s:
        call = await waiting(s)
        assert s.flow_definitions.asked == [(s.definition.campaign.customer_id, FLOW)]
        assert heard(s, call) == ["hold", "say soon, sales"]
        await over(s, call)
        # A pause is music.
        assert heard(s, call)[2:] == ["hold"]
        await s.clock.advance(5.0)
        await s.settle()
        assert heard(s, call)[3:] == ["play"]
        await over(s, call)
        assert heard(s, call)[4:] == ["say soon, sales"]
        ids = [each[2] for each in s.telephony.commands if each[0] in ("say", "play", "hold")]
        assert len(set(ids)) == len(ids)


async def test_it_ends_when_the_agent_is_there(stage: Stages) -> None:
    async with queueing(stage, prepare=hearing(SOON)) as s:
        call = await waiting(s)
        s.offer_agent(AGENT)
        await s.settle()
        await s.answer(s.legs[0])
        # Between the agent's answer and the connection nothing more is begun.
        await over(s, call)
        assert heard(s, call) == ["hold", "say soon, sales", "bridge"]
        await s.bridged(call, s.legs[0])
        await over(s, call)
        assert heard(s, call) == ["hold", "say soon, sales", "bridge"]


async def test_it_goes_on_when_they_could_not_be_connected(stage: Stages) -> None:
    async with queueing(stage, prepare=hearing(SOON)) as s:
        call = await waiting(s)
        s.offer_agent(AGENT)
        await s.settle()
        (leg,) = s.legs
        await s.answer(leg)
        await over(s, call)
        s.telephony.tell(CommandFailed(call, "bridge", str(leg), "not_live"))
        await s.settle()
        assert heard(s, call)[-2:] == ["bridge", "say soon, sales"]


async def test_it_ends_with_the_wait(stage: Stages) -> None:
    async with queueing(stage, prepare=hearing(SOON)) as s:
        call = await waiting(s)
        _end_next(s, EndReason.WAIT_TIMEOUT)
        await s.settle(1.5)
        assert heard(s, call)[2:] == ["stop_play", "say sorry"]
        await over(s, call)
        assert heard(s, call)[4:] == ["hangup"]


async def test_what_cannot_be_heard_leaves_music_and_a_note(stage: Stages) -> None:
    bad = (action("branch"), action("talk", text="${nothing}"), action("play", stream_urls=["x"]))

    def prepare(s: Stage) -> None:
        hearing(*bad)(s)
        s.telephony.capabilities -= {Capability.PLAY}

    async with queueing(stage, prepare=prepare) as s:
        call = await waiting(s)
        assert set(heard(s, call)) == {"hold"}
        assert "wait flow:" in noted(s)


async def test_a_flow_that_is_gone_leaves_music(stage: Stages) -> None:
    def prepare(s: Stage) -> None:
        s.queues.wait_flow_id = FLOW

    async with queueing(stage, prepare=prepare) as s:
        call = await waiting(s)
        assert set(heard(s, call)) == {"hold"}
        assert f"no flow {FLOW}" in noted(s)


async def test_sounds_that_fail_or_are_over_at_once_are_not_repeated_for_ever(
    stage: Stages,
) -> None:
    async with queueing(stage, prepare=hearing(SOON, SOON)) as s:
        call = await waiting(s)
        play_id = [each[2] for each in s.telephony.commands if each[0] == "say"][-1]
        s.telephony.tell(CommandFailed(call, "say", play_id, "no such voice"))
        await s.settle()
        await over(s, call, seconds=0.1)
        assert heard(s, call) == ["hold", "say soon, sales", "say soon, sales", "hold"]


async def test_the_next_dialer_begins_it_anew(stage: Stages) -> None:
    async with queueing(stage, prepare=hearing(SOON)) as first:
        call = await waiting(first)
    before = after(first, call)

    def prepare(s: Stage) -> None:
        before(s)
        hearing(SOON)(s)

    async with queueing(stage, numbers=0, prepare=prepare) as s:
        assert heard(s, call) == ["adopt", "hold", "say soon, sales"]
        ids = {
            each[2]
            for either in (first, s)
            for each in either.telephony.commands
            if each[0] == "say"
        }
        assert len(ids) == 2


def recorded(s: Stage) -> None:
    s.queues.is_recorded = True


async def test_a_conversation_is_recorded_if_the_queue_asks_for_it(stage: Stages) -> None:
    async with queueing(stage, prepare=recorded) as s:
        call = await waiting(s)
        assert "start_recording" not in s.telephony.of(call)
        s.offer_agent(AGENT)
        await s.settle()
        await s.answer(s.legs[0])
        await s.bridged(call, s.legs[0])
        assert s.telephony.of(call) == ["hold", "bridge", "start_recording"]
        (row,) = s.records.recordings.rows.values()
        assert (row.call_id, row.customer_id) == (call, s.definition.campaign.customer_id)


async def test_without_asking_nothing_is_recorded(stage: Stages) -> None:
    async with queueing(stage) as s:
        call = await waiting(s)
        s.offer_agent(AGENT)
        await s.settle()
        await s.answer(s.legs[0])
        await s.bridged(call, s.legs[0])
        assert "start_recording" not in s.telephony.of(call)


async def test_a_connection_found_at_a_take_over_is_recorded(stage: Stages) -> None:
    async with queueing(stage, prepare=recorded) as first:
        call = await waiting(first)
        first.offer_agent(AGENT)
        await first.settle()
        (leg,) = first.legs
        await first.answer(leg)
    live = leg_of(leg, CallState.ANSWERED, bridged_with=call)
    before = after(first, call, live, bridged_with=leg)
    async with queueing(stage, numbers=0, prepare=before) as s:
        assert s.telephony.of(call) == ["adopt", "start_recording"]
