"""Flows in PostgreSQL."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy.engine import RowMapping

from services.campaign.flows.domain import Flow
from services.campaign.storage_definitions import Table
from services.common.stored import actions_json, actions_of


def _flow(row: RowMapping) -> Flow:
    return Flow(**{**row, "actions": actions_of(row["actions"])})


def _values(flow: Flow) -> dict[str, Any]:
    values = {field.name: getattr(flow, field.name) for field in fields(flow)}
    return values | {"actions": actions_json(flow.actions)}


FLOWS = Table(
    name="flows",
    columns={field.name: "" for field in fields(Flow)} | {"actions": "json"},
    reference="flow_id",
    thing_of=_flow,
    values_of=_values,
)
