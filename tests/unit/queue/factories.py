"""Agents and queuecalls for tests, with defaults."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from services.common.ids import new_id
from services.queue.agents.domain import Agent, AgentState
from services.queue.queues.domain_queuecalls import Queuecall, QueuecallStatus

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CUSTOMER = new_id()


def make_agent(state: AgentState = AgentState.AVAILABLE, **members: Any) -> Agent:
    values: dict[str, Any] = {
        "id": new_id(),
        "customer_id": CUSTOMER,
        "username": "kim@example.com",
        "name": "Kim",
        "detail": "",
        "ring_method": "ringall",
        "permission": 16,
        "tag_ids": (),
        "addresses": (),
        "state": state,
        "next_status": "",
        "tm_state": START,
        "idle_since": START,
        "queuecall_id": None,
        "wrapup_until": None,
        "busy_ms_total": 0,
        "available_ms_total": 0,
        "wrapup_ms_total": 0,
        "revision": 1,
        "tm_create": START,
    }
    return Agent(**(values | members))


def make_call(status: QueuecallStatus = QueuecallStatus.WAITING, **members: Any) -> Queuecall:
    values: dict[str, Any] = {
        "id": new_id(),
        "customer_id": CUSTOMER,
        "queue_id": new_id(),
        "reference_id": new_id(),
        "campaign_id": None,
        "dialer_id": "d1",
        "status": status,
        "end_reason": "",
        "service_agent_id": None,
        "lost_agent_id": None,
        "service_timeout": 0,
        "wrapup_time": 0,
        "ring_timeout": 20_000,
        "wait_deadline": None,
        "service_deadline": None,
        "duration_waiting": 0,
        "duration_service": 0,
        "revision": 2,
        "tm_create": START,
    }
    return Queuecall(**(values | members))
