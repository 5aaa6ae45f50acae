"""EventBatch messages as plain JSON objects, one an event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format

# Imported for their registration: an event's data is unpacked by its full name.
from outbound.agent.v1 import events_pb2 as _agent
from outbound.campaign.v1 import events_pb2 as _campaign
from outbound.common.v1 import events_pb2
from outbound.dialer.v1 import events_pb2 as _dialer
from outbound.flow.v1 import events_pb2 as _flow
from outbound.outdial.v1 import events_pb2 as _outdial
from outbound.outplan.v1 import events_pb2 as _outplan
from outbound.queue.v1 import events_pb2 as _queue

REGISTERED = (_agent, _campaign, _dialer, _flow, _outdial, _outplan, _queue)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are wanted beyond what the subject can say."""

    campaign_id: str = ""

    def accepts(self, line: dict[str, Any]) -> bool:
        """Whether the event belongs to the wanted campaign."""
        if not self.campaign_id:
            return True
        if line["resource"] == "campaign":
            return bool(line["resource_id"] == self.campaign_id)
        return self.campaign_id in _campaign_ids(line["data"])


def event_lines(
    subject: str, sequence: int, payload: bytes, wanted: Filter
) -> Iterator[dict[str, Any]]:
    """The events of one message that pass the filter, oldest first."""
    batch = events_pb2.EventBatch.FromString(payload)
    for event in batch.events:
        data = json_format.MessageToDict(event.data, preserving_proto_field_name=True)
        data.pop("@type", None)
        line = {
            "sequence": sequence,
            "subject": subject,
            "id": event.id,
            "customer_id": batch.customer_id,
            "resource": batch.resource,
            "event": batch.event,
            "resource_id": event.resource_id,
            "revision": event.revision,
            "tm_event": event.tm_event.ToDatetime().isoformat(timespec="microseconds") + "Z",
            "data": data,
        }
        if wanted.accepts(line):
            yield line


def _campaign_ids(data: Any) -> set[str]:
    """Every campaign_id found in the event's data, at any depth."""
    if isinstance(data, dict):
        own = {data["campaign_id"]} if isinstance(data.get("campaign_id"), str) else set()
        return own.union(*(_campaign_ids(value) for value in data.values()))
    if isinstance(data, list):
        return set().union(*(_campaign_ids(value) for value in data))
    return set()
