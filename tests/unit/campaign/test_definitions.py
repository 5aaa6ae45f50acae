"""What flows and outplans have in common."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.campaign.domain_definitions import deleted, require_usable
from services.campaign.flows.domain import Flow
from services.common.errors import FailedPrecondition, InvalidArgument
from services.common.ids import new_id

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def make_flow() -> Flow:
    return Flow(new_id(), new_id(), "", "", (), None, revision=1, tm_create=NOW)


def test_what_is_in_use_is_not_deleted() -> None:
    flow, user = make_flow(), new_id()
    with pytest.raises(FailedPrecondition, match=f"flow {flow.id} is used by campaign {user}"):
        deleted(flow, "flow", [user], NOW)
    gone = deleted(flow, "flow", [], NOW)
    assert (gone.tm_delete, gone.tm_update, gone.revision) == (NOW, NOW, 2)
    assert deleted(gone, "flow", [user], NOW) is gone


def test_only_what_is_there_and_yours_can_be_referred_to() -> None:
    flow = make_flow()
    require_usable(flow, flow.customer_id, "flow_id", flow.id, "a flow of yours")
    for found, customer_id in (
        (None, flow.customer_id),
        (deleted(flow, "flow", [], NOW), flow.customer_id),
        (flow, new_id()),
    ):
        with pytest.raises(InvalidArgument, match=f"flow_id is '{flow.id}'"):
            require_usable(found, customer_id, "flow_id", flow.id, "a flow of yours")
