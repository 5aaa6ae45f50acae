"""Messages of other processes are checked before they reach the rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.outdial.v1 import outdial_service_pb2 as outdial_pb

from services.common.errors import InvalidArgument
from services.common.ids import new_id
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
        outdial_pb.ClaimPlan(max_try_counts=[1, 2, 3, 4, 101]),
        outdial_pb.ClaimPlan(max_try_counts=[-1, 0, 0, 0, 0]),
        outdial_pb.ClaimPlan(max_try_counts=[0] * 5, address_types=["pigeon"]),
    ],
)
def test_wrong_plans_are_refused(plan: outdial_pb.ClaimPlan) -> None:
    with pytest.raises(InvalidArgument, match=r"plan\."):
        plan_from_proto(plan)


def test_settlement() -> None:
    message = campaign_pb.Settlement(
        campaigncall_id=str(new_id()),
        outdial_id=str(new_id()),
        outdial_target_id=str(new_id()),
        result=campaign_pb.Campaigncall.RESULT_SUCCESS,
        try_interval_ms=1500,
        max_try_counts=[1] * 5,
    )
    message.tm_end.FromDatetime(datetime(2026, 3, 2))
    found = settlement_from_proto(message)
    assert str(found.attempt_id) == message.campaigncall_id
    assert (found.is_success, found.is_refunded, found.is_final) == (True, False, False)
    assert found.try_interval == timedelta(seconds=1.5)
    assert found.tm_end == datetime(2026, 3, 2, tzinfo=UTC)
    message.try_interval_ms = -1
    with pytest.raises(InvalidArgument, match="try_interval_ms"):
        settlement_from_proto(message)


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
