"""The rules of flows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.campaign.flows.domain import FlowChange, FlowDraft, change, create
from services.common.errors import InvalidArgument
from services.common.ids import new_id

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("member", "value"),
    [("name", "x" * 256), ("name", "a\x00b"), ("detail", "x" * 65_537), ("detail", "\x00")],
)
def test_a_text_that_cannot_be_stored_is_refused(member: str, value: str) -> None:
    wrong: dict[str, Any] = {member: value}
    draft = FlowDraft(None, "", "", "", (), None)
    flow = create(draft, new_id(), new_id(), NOW)
    with pytest.raises(InvalidArgument, match=member):
        create(replace(draft, **wrong), new_id(), new_id(), NOW)
    with pytest.raises(InvalidArgument, match=member):
        change(flow, replace(FlowChange(), **wrong), NOW)
