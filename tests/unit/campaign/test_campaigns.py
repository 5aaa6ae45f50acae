"""The rules of campaigns and of their statuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb

from services.campaign.campaigns.convert import run_end_from_proto
from services.campaign.campaigns.domain import (
    Campaign,
    CampaignChange,
    CampaignDraft,
    CampaignType,
    EndHandle,
    Run,
    State,
    Status,
    StopMode,
    StopReason,
    change,
    create,
    delete,
    dialed_actions,
    refuse_unstartable,
)
from services.campaign.campaigns.domain_runs import complete_stop, finish, start, stop
from services.common.actions import Action
from services.common.errors import FailedPrecondition, InvalidArgument
from services.common.ids import new_id

CREATED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NOW = CREATED + timedelta(seconds=1)


def make_draft(**members: Any) -> CampaignDraft:
    values: dict[str, Any] = {
        "id": None,
        "digest": "",
        "type": CampaignType.CALL,
        "name": "",
        "detail": "",
        "service_level": None,
        "end_handle": EndHandle.STOP,
        "actions": (),
        "flow_id": None,
        "outplan_id": new_id(),
        "outdial_id": new_id(),
        "queue_id": None,
        "next_campaign_id": None,
        "source": None,
    }
    return CampaignDraft(**(values | members))


def make_campaign(run: Run | None = None, **members: Any) -> Campaign:
    made = create(make_draft(**members), new_id(), new_id(), CREATED)
    return made if run is None else replace(made, run=run)


@pytest.mark.parametrize("level", [0, -1, 1001])
def test_a_service_level_out_of_range_is_refused(level: int) -> None:
    with pytest.raises(InvalidArgument, match="service_level"):
        make_campaign(service_level=level)
    with pytest.raises(InvalidArgument, match="service_level"):
        change(make_campaign(), CampaignChange(service_level=level), NOW)


@pytest.mark.parametrize("level", [1, 100, 1000])
def test_a_service_level_in_range_is_kept(level: int) -> None:
    assert make_campaign(service_level=level).service_level == level


@pytest.mark.parametrize(
    ("member", "value"),
    [("name", "é" * 256), ("name", "a\x00b"), ("detail", "x" * 65_537), ("detail", "\x00")],
)
def test_a_text_that_cannot_be_stored_is_refused(member: str, value: str) -> None:
    wrong: dict[str, Any] = {member: value}
    assert make_campaign(name="é" * 255).name == "é" * 255
    with pytest.raises(InvalidArgument, match=member):
        create(replace(make_draft(), **wrong), new_id(), new_id(), NOW)
    with pytest.raises(InvalidArgument, match=member):
        change(make_campaign(), replace(CampaignChange(), **wrong), NOW)


def test_the_end_of_a_run_is_told_in_words_that_can_be_stored() -> None:
    request = campaign_pb.FinishRunRequest(campaign_id=str(new_id()), detail="no\x00thing left")
    assert run_end_from_proto(request).detail == "nothing left"


def test_bad_actions_are_refused_at_create_and_change() -> None:
    bad = (Action("nope"),)
    with pytest.raises(InvalidArgument, match=r"actions\[0\].type"):
        make_campaign(actions=bad)
    with pytest.raises(InvalidArgument, match=r"actions\[0\].type"):
        change(make_campaign(), CampaignChange(actions=bad), NOW)


def test_a_start_is_a_new_run_without_traces_of_the_last() -> None:
    last = Run(Status.STOP, 4, stop_reason=StopReason.FINISHED, stop_detail="x", placed_count=9)
    started = start(make_campaign(replace(last, fencing_token=7)), NOW)
    assert started.run == Run(Status.RUN, 5, fencing_token=7)
    assert (started.revision, started.tm_update) == (2, NOW)


def test_starting_what_runs_changes_nothing() -> None:
    running = make_campaign(Run(Status.RUN, 1))
    assert start(running, NOW) is running


def test_a_resume_goes_on_with_the_run() -> None:
    stopping = Run(Status.STOPPING, 3, StopMode.DRAIN, open_count=2, placed_count=5)
    resumed = start(make_campaign(stopping), NOW)
    assert resumed.run == replace(stopping, status=Status.RUN, stop_mode=StopMode.NONE)


def test_a_stop_waits_for_attempts_in_flight() -> None:
    busy = make_campaign(Run(Status.RUN, 1, open_count=1))
    stopping = stop(busy, StopMode.NONE, NOW)
    assert (stopping.status, stopping.run.stop_mode) == (Status.STOPPING, StopMode.HANGUP)
    assert complete_stop(stopping, NOW) is stopping
    empty = replace(stopping, run=replace(stopping.run, open_count=0))
    stopped = complete_stop(empty, NOW)
    assert (stopped.status, stopped.run.stop_reason) == (Status.STOP, StopReason.USER)
    assert stopped.run.stop_mode is StopMode.NONE
    assert stopped.run.tm_end == NOW


def test_a_campaign_in_run_is_not_stopped_by_having_nothing_in_flight() -> None:
    running = make_campaign(Run(Status.RUN, 1))
    assert complete_stop(running, NOW) is running


@pytest.mark.parametrize(
    ("run", "state"),
    [
        (Run(), State.STOP),
        (Run(Status.RUN, 1), State.RUNNING),
        (Run(Status.STOPPING, 1), State.STOPPING),
        (Run(Status.STOP, 1, stop_reason=StopReason.USER), State.STOP),
        (Run(Status.STOP, 1, stop_reason=StopReason.ERROR), State.STOP),
        (Run(Status.STOP, 1, stop_reason=StopReason.FINISHED), State.FINISHED),
        (Run(Status.STOP, 1, stop_reason=StopReason.CHAINED), State.FINISHED),
    ],
)
def test_the_state_tells_finished_from_stopped(run: Run, state: State) -> None:
    assert run.state is state


def test_a_finish_says_why() -> None:
    ended = finish(make_campaign(Run(Status.RUN, 1)), StopReason.FINISHED, "expired", NOW)
    assert ended.status is Status.STOP
    assert (ended.run.stop_reason, ended.run.stop_detail) == (StopReason.FINISHED, "expired")


@pytest.mark.parametrize("status", [Status.RUN, Status.STOPPING])
def test_only_a_stopped_campaign_is_deleted(status: Status) -> None:
    with pytest.raises(FailedPrecondition, match=status):
        delete(make_campaign(Run(status, 1)), NOW)


def test_the_queue_is_joined_after_everything_else() -> None:
    own, of_flow = Action("talk", {"text": "a"}), Action("beep")
    queue_id = new_id()
    join = Action("queue_join", {"queue_id": str(queue_id)})
    assert dialed_actions(make_campaign(), (of_flow,)) == (of_flow,)
    assert dialed_actions(make_campaign(actions=(own,)), (of_flow,)) == (own,)
    assert dialed_actions(make_campaign(queue_id=queue_id), (of_flow,)) == (of_flow, join)


def test_the_obstacle_to_a_start_is_named() -> None:
    campaign = make_campaign()
    refuse_unstartable(campaign, (Action("answer"), Action("stop")))
    with pytest.raises(FailedPrecondition, match=r"actions\[1\].type: 'ai_talk' cannot be used"):
        refuse_unstartable(campaign, (Action("answer"), Action("ai_talk")))
    for broken, words in (
        (replace(campaign, tm_delete=NOW), "is deleted"),
        (replace(campaign, type=CampaignType.MESSAGE), "of type message"),
        (replace(campaign, outplan_id=None), "no outplan_id"),
        (replace(campaign, outdial_id=None), "no outdial_id"),
    ):
        with pytest.raises(FailedPrecondition, match=words):
            refuse_unstartable(broken, ())
