"""Starting, stopping, finishing and chaining, with real concurrency."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from uuid import UUID

import pytest

from services.campaign.campaigns.domain import (
    CampaignType,
    EndHandle,
    State,
    Status,
    StopMode,
    StopReason,
)
from services.campaign.campaigns.domain_runs import RunEnd
from services.common.actions import Action
from services.common.errors import FailedPrecondition, Unavailable
from services.common.ids import new_id
from tests.integration.campaign.support import CUSTOMER, Plant, held


async def test_a_queue_is_retired_when_no_campaign_runs_with_it(plant: Plant) -> None:
    uses, queue_id = plant.services.queue_uses, plant.queues.add()
    campaign = await plant.running(queue_id=queue_id)
    idle = await plant.campaign(queue_id=queue_id)
    with pytest.raises(FailedPrecondition, match=f"campaigns that run: {campaign.id};") as caught:
        await uses.retire_queue(queue_id)
    assert caught.value.reason == "QUEUE_IN_USE"
    assert (await plant.run(idle.id)).status is Status.RUN
    for each in (campaign, idle):
        await plant.stop(each.id)
    await uses.retire_queue(queue_id)
    await uses.retire_queue(queue_id)
    with pytest.raises(FailedPrecondition, match="being deleted"):
        await plant.run(campaign.id)
    await uses.restore_queue(queue_id)
    assert (await plant.run(campaign.id)).status is Status.RUN


async def test_a_chained_campaign_does_not_start_with_a_retired_queue(plant: Plant) -> None:
    queue_id = plant.queues.add()
    follower = await plant.campaign(queue_id=queue_id)
    first = await plant.running(next_campaign_id=follower.id)
    await plant.services.queue_uses.retire_queue(queue_id)
    assert await finish(plant, first.id)
    assert (await plant.get(follower.id)).status is Status.STOP
    assert "being deleted" in (await plant.get(first.id)).run.stop_detail


async def test_of_a_start_and_a_retirement_at_once_exactly_one_happens(plant: Plant) -> None:
    for _ in range(12):
        queue_id = plant.queues.add()
        campaigns = [await plant.campaign(queue_id=queue_id) for _ in range(2)]
        *starts, retirement = await asyncio.gather(
            *(plant.run(each.id) for each in campaigns),
            plant.services.queue_uses.retire_queue(queue_id),
            return_exceptions=True,
        )
        was_retired = retirement is None
        assert was_retired or isinstance(retirement, FailedPrecondition)
        running = [each for each in campaigns if (await plant.get(each.id)).status is Status.RUN]
        assert was_retired != bool(running), starts


async def finish(plant: Plant, campaign_id: UUID, **members: object) -> bool:
    """What the dialer does when no target is left: lease, ask, let go."""
    state = (await plant.lease())[campaign_id].state
    end = RunEnd(campaign_id, state.run_number, state.fencing_token, **members)  # type: ignore[arg-type]
    return await plant.services.runs.finish_run(end)


async def test_of_simultaneous_runs_one_wins_and_all_get_the_campaign(plant: Plant) -> None:
    campaign = await plant.campaign()
    answers = await asyncio.gather(*(plant.run(campaign.id) for _ in range(8)))
    assert {(each.status, each.run.number) for each in answers} == {(Status.RUN, 1)}
    names = await plant.event_names(campaign.id)
    assert names == ["campaign.created", "campaign.status_run"]


@pytest.mark.parametrize("missing", ["outplan_id", "outdial_id"])
async def test_a_start_needs_outplan_and_outdial(plant: Plant, missing: str) -> None:
    campaign = await plant.campaign(**{missing: None})
    with pytest.raises(FailedPrecondition, match=f"has no {missing}"):
        await plant.run(campaign.id)
    assert (await plant.get(campaign.id)).status is Status.STOP


@pytest.mark.parametrize("kind", [CampaignType.FLOW, CampaignType.MESSAGE, CampaignType.EMAIL])
async def test_a_type_that_cannot_be_run_is_refused_by_name(
    plant: Plant, kind: CampaignType
) -> None:
    campaign = await plant.campaign(type=kind)
    with pytest.raises(FailedPrecondition, match=f"of type {kind}") as caught:
        await plant.run(campaign.id)
    assert caught.value.reason == "STATE_INVALID"


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        (
            '[{"type": "answer", "option": {}}, {"type": "ai_talk", "option": {}}]',
            "'ai_talk' cannot",
        ),
        ('[{"type": "answer", "option": {}}, {"type": "talk", "option": {}}]', "text: is missing"),
    ],
)
async def test_actions_stored_when_less_was_asked_of_them_are_refused_at_the_start(
    plant: Plant, stored: str, reason: str
) -> None:
    campaign = await plant.campaign()
    flow = await plant.flow(Action("answer"))
    await plant.execute(
        "UPDATE campaigns SET actions = CAST(:stored AS json) WHERE id = :id",
        stored=stored,
        id=campaign.id,
    )
    with pytest.raises(FailedPrecondition, match=rf"actions\[1\]\..*{reason}"):
        await plant.run(campaign.id)
    await plant.update(campaign.id, actions=(), references={"flow_id": flow.id})
    await plant.execute("UPDATE flows SET actions = CAST(:stored AS json)", stored=stored)
    with pytest.raises(FailedPrecondition, match=rf"actions\[1\]\..*{reason}"):
        await plant.run(campaign.id)


async def test_a_start_is_refused_when_another_campaign_has_the_outdial(plant: Plant) -> None:
    campaign, other = await plant.campaign(), await plant.campaign()
    assert campaign.outdial_id is not None
    plant.outdials.rows[campaign.outdial_id] = plant.outdials.rows.pop(other.outdial_id)  # type: ignore[arg-type]
    with pytest.raises(FailedPrecondition, match=f"in use by campaign {other.id}"):
        await plant.run(campaign.id)


async def test_a_start_without_the_outdial_service_changes_nothing(plant: Plant) -> None:
    campaign = await plant.campaign()
    plant.outdials.is_down = True
    with pytest.raises(Unavailable):
        await plant.run(campaign.id)
    assert (await plant.get(campaign.id)).revision == campaign.revision
    # Stopping needs nobody else.
    plant.outdials.is_down = False
    await plant.run(campaign.id)
    plant.outdials.is_down = True
    assert (await plant.stop(campaign.id)).status is Status.STOP


async def test_stop_without_attempts_is_immediate_and_repeatable(plant: Plant) -> None:
    campaign = await plant.running()
    stopped = await plant.stop(campaign.id)
    assert stopped.status is Status.STOP
    assert (stopped.run.state, stopped.run.stop_reason) == (State.STOP, StopReason.USER)
    assert (await plant.stop(campaign.id)).revision == stopped.revision
    names = await plant.event_names(campaign.id)
    assert names == ["campaign.created", "campaign.status_run", "campaign.status_stop"]


async def test_the_report_that_ends_the_last_attempt_completes_the_stop(plant: Plant) -> None:
    campaign = await plant.running()
    calls = await plant.open(await plant.opener(campaign.id), 3)
    stopping = await plant.stop(campaign.id)
    assert (stopping.status, stopping.run.stop_mode) == (Status.STOPPING, StopMode.HANGUP)
    # Every report in a transaction of its own, all at once.
    await asyncio.gather(*(plant.end(each, reason="cancel") for each in calls))
    assert (await plant.get(campaign.id)).status is Status.STOP
    assert (await plant.event_names(campaign.id))[-2:] == [
        "campaign.status_stopping",
        "campaign.status_stop",
    ]


async def test_run_while_stopping_resumes_the_same_run(plant: Plant) -> None:
    campaign = await plant.running()
    opener = await plant.opener(campaign.id)
    first = await plant.open(opener, 1)
    await plant.stop(campaign.id)
    resumed = await plant.run(campaign.id)
    assert (resumed.status, resumed.run.number) == (Status.RUN, 1)
    assert resumed.run.stop_mode is StopMode.NONE
    # The lease is still good.
    await plant.open(opener, 1)
    await plant.end(*first)
    assert (await plant.get(campaign.id)).status is Status.RUN


async def test_a_run_after_a_stop_has_a_new_number(plant: Plant) -> None:
    campaign = await plant.running()
    await plant.stop(campaign.id)
    again = await plant.run(campaign.id)
    assert again.run.number == 2
    assert again.run.stop_reason is StopReason.NONE


async def test_a_drain_can_be_made_a_hangup(plant: Plant) -> None:
    campaign = await plant.running()
    await plant.open(await plant.opener(campaign.id), 1)
    assert (await plant.stop(campaign.id, StopMode.DRAIN)).run.stop_mode is StopMode.DRAIN
    assert (await plant.stop(campaign.id)).run.stop_mode is StopMode.DRAIN
    harder = await plant.stop(campaign.id, StopMode.HANGUP)
    assert harder.run.stop_mode is StopMode.HANGUP
    lease = next(iter((await plant.lease("dialer-2", 0)).values()), None)
    assert lease is None
    assert (await plant.event_names(campaign.id))[-1] == "campaign.updated"


async def test_start_and_stop_in_a_race_leave_one_event_a_transition(plant: Plant) -> None:
    campaign = await plant.campaign()
    moves = [plant.run(campaign.id) if n % 2 else plant.stop(campaign.id) for n in range(12)]
    await asyncio.gather(*moves)
    names = (await plant.event_names(campaign.id))[1:]
    assert all(a != b for a, b in pairwise(names))
    ends_in = {"campaign.status_run": Status.RUN, "campaign.status_stop": Status.STOP}
    expected = ends_in[names[-1]] if names else Status.STOP
    assert (await plant.get(campaign.id)).status is expected


async def test_a_run_is_not_finished_with_attempts_in_flight(plant: Plant) -> None:
    campaign = await plant.running()
    opener = await plant.opener(campaign.id)
    calls = await plant.open(opener, 1)
    end = RunEnd(campaign.id, opener.run_number, opener.fencing_token)
    assert not await plant.services.runs.finish_run(end)
    await plant.end(*calls)
    assert await plant.services.runs.finish_run(end)
    # A repeated or late request ends nothing more.
    assert not await plant.services.runs.finish_run(end)
    await plant.run(campaign.id)
    assert not await plant.services.runs.finish_run(end)
    assert (await plant.get(campaign.id)).status is Status.RUN


async def test_a_stale_token_finishes_nothing(plant: Plant) -> None:
    campaign = await plant.running()
    opener = await plant.opener(campaign.id)
    end = RunEnd(campaign.id, opener.run_number, opener.fencing_token - 1)
    assert not await plant.services.runs.finish_run(end)


async def test_end_handle_continue_ends_only_for_a_reason(plant: Plant) -> None:
    campaign = await plant.running(end_handle=EndHandle.CONTINUE)
    assert not await finish(plant, campaign.id)
    assert await finish(plant, campaign.id, detail="expired")
    finished = await plant.get(campaign.id)
    assert finished.run.stop_detail == "expired"
    assert finished.run.state is State.FINISHED


async def test_a_run_that_cannot_go_on_ends_in_error_and_starts_nothing(plant: Plant) -> None:
    second = await plant.campaign()
    first = await plant.running(next_campaign_id=second.id)
    assert await finish(plant, first.id, detail="outdial deleted", is_error=True)
    ended = await plant.get(first.id)
    assert (ended.run.stop_reason, ended.run.state) == (StopReason.ERROR, State.STOP)
    assert (await plant.get(second.id)).status is Status.STOP


async def test_the_chained_campaign_starts_exactly_once(plant: Plant) -> None:
    second = await plant.campaign()
    first = await plant.running(next_campaign_id=second.id)
    state = (await plant.lease())[first.id].state
    end = RunEnd(first.id, state.run_number, state.fencing_token)
    answers = await asyncio.gather(*(plant.services.runs.finish_run(end) for _ in range(6)))
    assert sorted(answers) == [False] * 5 + [True]
    started = await plant.get(second.id)
    assert (started.status, started.run.number) == (Status.RUN, 1)
    names = await plant.event_names(second.id)
    assert names == ["campaign.created", "campaign.status_run"]


async def test_a_stop_by_a_user_does_not_chain(plant: Plant) -> None:
    second = await plant.campaign()
    first = await plant.running(next_campaign_id=second.id)
    await plant.stop(first.id)
    assert (await plant.get(second.id)).status is Status.STOP


@pytest.mark.parametrize("obstacle", ["deleted", "outdial", "type", "running"])
async def test_a_chained_campaign_that_cannot_start_is_told_of(plant: Plant, obstacle: str) -> None:
    members = {"type": CampaignType.EMAIL} if obstacle == "type" else {}
    second = await plant.campaign(**members)
    first = await plant.running(next_campaign_id=second.id)
    if obstacle == "deleted":
        await plant.services.campaigns.delete_campaign(CUSTOMER, second.id)
    elif obstacle == "outdial":
        assert second.outdial_id is not None
        del plant.outdials.rows[second.outdial_id]
    elif obstacle == "running":
        await plant.run(second.id)
    before = await plant.get(second.id)
    assert await finish(plant, first.id)
    ended = await plant.get(first.id)
    assert ended.run.state is State.FINISHED
    assert f"campaign {second.id} was not started" in ended.run.stop_detail
    assert (await plant.get(second.id)).revision == before.revision


async def test_a_ring_of_campaigns_stops_after_a_round_without_an_attempt(plant: Plant) -> None:
    first, second = await plant.campaign(), await plant.campaign()
    await plant.update(first.id, references={"next_campaign_id": second.id})
    await plant.update(second.id, references={"next_campaign_id": first.id})
    await plant.run(first.id)

    # The first round: an attempt is placed by one of them.
    opener = await plant.opener(first.id)
    await plant.end(*await plant.open(opener, 1), reason="busy")
    assert await finish(plant, first.id)
    assert await finish(plant, second.id)
    # The second round: none, as a try that is given back does not count.
    opener = await plant.opener(first.id)
    await plant.end(*await plant.open(opener, 1), reason="cancel", is_refunded=True)
    assert await finish(plant, first.id)

    ended = await plant.get(first.id)
    assert (ended.run.stop_reason, ended.run.number) == (StopReason.CHAINED, 2)
    assert ended.run.state is State.FINISHED
    assert (await plant.get(second.id)).status is Status.STOP
    # A user's start begins a new count.
    await plant.run(first.id)
    assert await finish(plant, first.id)
    assert (await plant.get(second.id)).status is Status.RUN


async def test_two_campaigns_that_chain_to_each_other_finish_at_once_without_deadlock(
    plant: Plant,
) -> None:
    first, second = await plant.campaign(), await plant.campaign()
    await plant.update(first.id, references={"next_campaign_id": second.id})
    await plant.update(second.id, references={"next_campaign_id": first.id})
    for _ in range(5):
        await plant.run(first.id)
        await plant.run(second.id)
        states = {key: lease.state for key, lease in (await plant.lease()).items()}
        ends = [
            RunEnd(each, states[each].run_number, states[each].fencing_token)
            for each in (first.id, second.id)
        ]
        assert True in await asyncio.gather(*map(plant.services.runs.finish_run, ends))


async def test_a_finished_campaign_is_leased_to_nobody(plant: Plant) -> None:
    campaign = await plant.running()
    lease = (await plant.lease())[campaign.id]
    assert await finish(plant, campaign.id)
    assert await plant.lease(held=[held(lease)]) == {}


async def test_an_unknown_campaign_cannot_be_finished(plant: Plant) -> None:
    assert not await plant.services.runs.finish_run(RunEnd(new_id(), 1, 1))
