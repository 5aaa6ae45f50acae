"""Messages of other processes are checked before they reach the rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.outdial.v1 import outdial_service_pb2 as outdial_pb
from structlog.testing import capture_logs

from services.common.errors import InvalidArgument
from services.common.ids import new_id
from services.outdial.clients import CampaignClient
from services.outdial.convert import (
    options_from_proto,
    plan_from_proto,
    settlement_from_proto,
    status_from_proto,
)
from services.outdial.domain import Status
from services.outdial.domain_imports import Duplicates, Format


def test_plan() -> None:
    plan = plan_from_proto(
        outdial_pb.ClaimPlan(max_try_counts=[1, 2, 3, 4, 100], address_types=["tel", "sip"])
    )
    assert plan.max_try_counts == (1, 2, 3, 4, 100)
    assert plan.address_types == {"tel", "sip"}


@pytest.mark.parametrize(
    "plan",
    [
        outdial_pb.ClaimPlan(max_try_counts=[1, 2, 3, 4]),
        outdial_pb.ClaimPlan(max_try_counts=[1, 2, 3, 4, 2**15]),
        outdial_pb.ClaimPlan(max_try_counts=[-1, 0, 0, 0, 0]),
        outdial_pb.ClaimPlan(max_try_counts=[0] * 5, address_types=["pigeon"]),
    ],
)
def test_wrong_plans_are_refused(plan: outdial_pb.ClaimPlan) -> None:
    with pytest.raises(InvalidArgument, match=r"plan\."):
        plan_from_proto(plan)


def make_settlement(**members: Any) -> campaign_pb.Settlement:
    values: dict[str, Any] = {
        "campaigncall_id": str(new_id()),
        "outdial_id": str(new_id()),
        "outdial_target_id": str(new_id()),
        "result": campaign_pb.Campaigncall.RESULT_SUCCESS,
        "try_interval_ms": 1500,
        "max_try_counts": [1] * 5,
    }
    message = campaign_pb.Settlement(**(values | members))
    message.tm_end.FromDatetime(datetime(2026, 3, 2))
    return message


def test_settlement() -> None:
    message = make_settlement()
    found = settlement_from_proto(message)
    assert str(found.attempt_id) == message.campaigncall_id
    assert (found.is_success, found.is_refunded, found.is_final) == (True, False, False)
    assert found.try_interval == timedelta(seconds=1.5)
    assert found.tm_end == datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize("interval", [-1, 2**53, 2**63 - 1])
def test_an_interval_that_leads_nowhere_is_refused(interval: int) -> None:
    with pytest.raises(InvalidArgument, match="try_interval_ms"):
        settlement_from_proto(make_settlement(try_interval_ms=interval))


def test_what_a_plan_may_say_is_not_judged_again() -> None:
    generous = make_settlement(max_try_counts=[1000] * 5, try_interval_ms=100 * 86_400_000)
    found = settlement_from_proto(generous)
    assert (found.max_try_counts, found.try_interval) == ((1000,) * 5, timedelta(days=100))


class Channel:
    """A channel to a campaign service that knows these answers."""

    def __init__(self, *resolutions: campaign_pb.AttemptResolution) -> None:
        self._answer = campaign_pb.ResolveAttemptsResponse(resolutions=resolutions)

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        async def call(request: Any) -> Any:
            return self._answer

        return call


async def test_one_answer_that_cannot_be_read_does_not_hold_up_the_others() -> None:
    resolution = campaign_pb.AttemptResolution
    broken = resolution(
        id=str(new_id()),
        state=resolution.STATE_DONE,
        settlement=make_settlement(max_try_counts=[1]),
    )
    good = resolution(id=str(new_id()), state=resolution.STATE_DONE, settlement=make_settlement())
    client = CampaignClient(cast(Any, Channel(broken, good)))
    with capture_logs() as logs:
        (found,) = await client.resolve([])
    assert str(found.attempt_id) == good.id
    assert [(each["event"], each["campaigncall"]) for each in logs] == [
        ("resolution_unreadable", broken.id)
    ]


def test_import_header() -> None:
    header = outdial_pb.ImportHeader(
        format=outdial_pb.ImportHeader.FORMAT_NDJSON, default_region="us", mapping={"a": "name"}
    )
    found = options_from_proto(header)
    assert (found.format, found.default_region) == (Format.NDJSON, "US")
    assert found.duplicates is Duplicates.REJECT
    with pytest.raises(InvalidArgument, match="format"):
        options_from_proto(outdial_pb.ImportHeader())


def test_status_filter() -> None:
    assert status_from_proto(outdial_pb.Target.STATUS_UNSPECIFIED) is None
    assert status_from_proto(outdial_pb.Target.STATUS_DONE) is Status.DONE
    with pytest.raises(InvalidArgument, match="status"):
        status_from_proto(17)  # type: ignore[arg-type]
