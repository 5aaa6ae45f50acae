"""What a flow asks of and tells to other systems."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.dialer.conversations.effects import Fetch, FetchFlow, SendWebhook
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.conversations.steps.outcome import Outcome, Step
from services.dialer.domain.webhooks import Webhook

JSON = "application/json"


def fetch(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Ask an address what to do next."""
    method = option.get("event_method") or "POST"
    return Outcome(effect=Fetch(run.step_id("fetch"), method, option["event_url"]))


def fetch_flow(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Do what another flow says, then go on."""
    return Outcome(effect=FetchFlow(option["flow_id"]))


def webhook_send(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Tell an address something; wait for its answer only when asked to."""
    webhook = Webhook(
        id=run.step_id("webhook"),
        customer_id=run.customer_id,
        activeflow_id=run.id,
        method=option.get("method") or "POST",
        uri=option["uri"],
        data_type=option.get("data_type") or JSON,
        data=option.get("data", ""),
    )
    if option.get("sync", False):
        return Outcome(effect=SendWebhook(webhook))
    run.webhooks.append(webhook)
    return Outcome(detail="sent without waiting")


STEPS: Mapping[str, Step] = {
    "fetch": fetch,
    "fetch_flow": fetch_flow,
    "webhook_send": webhook_send,
}
