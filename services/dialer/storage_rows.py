"""Rows of the dialer's tables and the values they stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from services.common.actions import Action
from services.common.address import Address
from services.common.ids import text
from services.dialer.domain.calls import (
    Activeflow,
    Call,
    CallStatus,
    ReferenceType,
    Step,
    StepOutcome,
)
from services.dialer.domain.cursors import (
    AgentWait,
    Cursor,
    Detection,
    Frame,
    Keys,
    OpenRecording,
)
from services.dialer.domain.recordings import Recording, RecordingStatus

CALL_COLUMNS: Mapping[str, str] = {
    "id": "uuid",
    "customer_id": "uuid",
    "campaign_id": "uuid",
    "activeflow_id": "uuid",
    "status": "text",
    "source": "jsonb",
    "destination": "jsonb",
    "hangup_reason": "text",
    "hangup_by": "text",
    "queuecall_id": "uuid",
    "agent_id": "uuid",
    "dialer_id": "text",
    "revision": "bigint",
    "tm_create": "timestamptz",
    "tm_progressing": "timestamptz",
    "tm_hangup": "timestamptz",
    "tm_update": "timestamptz",
}
ACTIVEFLOW_COLUMNS: Mapping[str, str] = {
    "id": "uuid",
    "customer_id": "uuid",
    "campaign_id": "uuid",
    "flow_id": "uuid",
    "reference_type": "text",
    "reference_id": "uuid",
    "is_ended": "boolean",
    "actions": "jsonb",
    "cursor": "jsonb",
    "history": "jsonb",
    "variables": "jsonb",
    "given_variables": "jsonb",
    "create_digest": "text",
    "on_complete_flow_id": "uuid",
    "reference_activeflow_id": "uuid",
    "dialer_id": "text",
    "revision": "bigint",
    "tm_create": "timestamptz",
    "tm_update": "timestamptz",
    "tm_end": "timestamptz",
}
RECORDING_COLUMNS: Mapping[str, str] = {
    "id": "uuid",
    "customer_id": "uuid",
    "campaign_id": "uuid",
    "activeflow_id": "uuid",
    "call_id": "uuid",
    "format": "text",
    "status": "text",
    "location": "text",
    "duration_ms": "bigint",
    "size_bytes": "bigint",
    "detail": "text",
    "dialer_id": "text",
    "revision": "bigint",
    "tm_create": "timestamptz",
    "tm_start": "timestamptz",
    "tm_update": "timestamptz",
    "tm_end": "timestamptz",
}
WEBHOOK_COLUMNS: Mapping[str, str] = {
    "id": "uuid",
    "customer_id": "uuid",
    "activeflow_id": "uuid",
    "method": "text",
    "uri": "text",
    "data_type": "text",
    "data": "text",
}
"""Columns that are written, with their types. `tm_delete` is set by deleting only."""


def call_row(call: Call) -> dict[str, Any]:
    """The call, column by column."""
    return {
        "id": call.id,
        "customer_id": call.customer_id,
        "campaign_id": call.campaign_id,
        "activeflow_id": call.activeflow_id,
        "status": call.status.value,
        "source": _address_json(call.source),
        "destination": _address_json(call.destination),
        "hangup_reason": call.hangup_reason,
        "hangup_by": call.hangup_by,
        "queuecall_id": call.queuecall_id,
        "agent_id": call.agent_id,
        "dialer_id": call.dialer_id,
        "revision": call.revision,
        "tm_create": call.tm_create,
        "tm_progressing": call.tm_progressing,
        "tm_hangup": call.tm_hangup,
        "tm_update": call.tm_update,
    }


def call_of(row: Mapping[str, Any]) -> Call:
    """The call that a row stands for."""
    values = {name: row[name] for name in CALL_COLUMNS}
    values["status"] = CallStatus(row["status"])
    values["source"] = None if row["source"] is None else Address(**row["source"])
    values["destination"] = Address(**row["destination"])
    return Call(**values)


def activeflow_row(flow: Activeflow) -> dict[str, Any]:
    """The activeflow, column by column."""
    return {
        "id": flow.id,
        "customer_id": flow.customer_id,
        "campaign_id": flow.campaign_id,
        "flow_id": flow.flow_id,
        "reference_type": flow.reference_type.value,
        "reference_id": flow.reference_id,
        "is_ended": flow.is_ended,
        "actions": _json([_action_json(action) for action in flow.actions]),
        "cursor": _json(_cursor_json(flow.cursor)),
        "history": _json([_step_json(step) for step in flow.history]),
        "variables": _json(dict(flow.variables)),
        "given_variables": _json(dict(flow.given_variables)),
        "create_digest": flow.create_digest,
        "on_complete_flow_id": flow.on_complete_flow_id,
        "reference_activeflow_id": flow.reference_activeflow_id,
        "dialer_id": flow.dialer_id,
        "revision": flow.revision,
        "tm_create": flow.tm_create,
        "tm_update": flow.tm_update,
        "tm_end": flow.tm_end,
    }


def activeflow_of(row: Mapping[str, Any]) -> Activeflow:
    """The activeflow that a row stands for."""
    values = {name: row[name] for name in ACTIVEFLOW_COLUMNS}
    values["reference_type"] = ReferenceType(row["reference_type"])
    values["actions"] = tuple(_action_of(each) for each in row["actions"])
    values["cursor"] = _cursor_of(row["cursor"])
    values["history"] = tuple(_step_of(each) for each in row["history"])
    return Activeflow(**values, tm_delete=row["tm_delete"])


def recording_row(recording: Recording) -> dict[str, Any]:
    """The recording, column by column."""
    values = {name: getattr(recording, name) for name in RECORDING_COLUMNS}
    values["status"] = recording.status.value
    # Words of a network.
    values["location"] = recording.location.replace("\x00", "")
    values["detail"] = recording.detail.replace("\x00", "")
    return values


def recording_of(row: Mapping[str, Any]) -> Recording:
    """The recording that a row stands for."""
    values = {name: row[name] for name in RECORDING_COLUMNS}
    values["status"] = RecordingStatus(row["status"])
    return Recording(**values, tm_delete=row["tm_delete"])


def columns(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> dict[str, list[Any]]:
    """The rows turned into one array per column."""
    return {name: [row[name] for row in rows] for name in names}


def _json(value: Any) -> str:
    written = orjson.dumps(value).decode()
    # NUL is the one character that jsonb cannot hold.
    return orjson.dumps(_without_nul(value)).decode() if "\\u0000" in written else written


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, Mapping):
        return {_without_nul(key): _without_nul(each) for key, each in value.items()}
    return [_without_nul(each) for each in value] if isinstance(value, list) else value


def _address_json(address: Address | None) -> str | None:
    if address is None:
        return None
    return _json(
        {
            "type": address.type,
            "target": address.target,
            "target_name": address.target_name,
            "name": address.name,
            "detail": address.detail,
        }
    )


def _action_json(action: Action) -> dict[str, Any]:
    return {
        "id": text(action.id),
        "next_id": text(action.next_id),
        "type": action.type,
        "option": action.option,
    }


def _action_of(stored: Mapping[str, Any]) -> Action:
    return Action(
        type=stored["type"],
        option=stored["option"],
        id=_id(stored["id"]),
        next_id=_id(stored["next_id"]),
    )


def _step_json(step: Step) -> dict[str, Any]:
    return {
        "action_id": text(step.action_id),
        "type": step.type,
        "outcome": step.outcome.value,
        "detail": step.detail,
        "tm": step.tm.isoformat(),
        "execution": step.execution,
    }


def _step_of(stored: Mapping[str, Any]) -> Step:
    return Step(
        action_id=_id(stored["action_id"]),
        type=stored["type"],
        outcome=StepOutcome(stored["outcome"]),
        detail=stored["detail"],
        tm=datetime.fromisoformat(stored["tm"]),
        execution=stored.get("execution", 0),
    )


def _cursor_json(cursor: Cursor) -> dict[str, Any]:
    return {
        "position": cursor.position,
        "executions": cursor.executions,
        "loops": dict(cursor.loops),
        "wake_at": None if cursor.wake_at is None else cursor.wake_at.isoformat(),
        "queuecall_id": text(cursor.queuecall_id),
        "queue_id": text(cursor.queue_id),
        "agent_id": text(cursor.agent_id),
        "agent_legs": [text(leg) for leg in cursor.agent_legs],
        "frames": [
            {
                "actions": [_action_json(action) for action in frame.actions],
                "position": frame.position,
                "loops": dict(frame.loops),
            }
            for frame in cursor.frames
        ],
        "keys": {
            "count": cursor.keys.count,
            "has_result": cursor.keys.has_result,
            "ahead": cursor.keys.ahead,
            "last": cursor.keys.last,
        },
        "recordings": [_recording_json(each) for each in cursor.recordings],
        "detection": _detection_json(cursor.detection),
        "agent_wait": _agent_wait_json(cursor.agent_wait),
        "records_service": cursor.records_service,
    }


def _recording_json(recording: OpenRecording) -> dict[str, Any]:
    return {
        "id": text(recording.id),
        "format": recording.format,
        "tm_start": recording.tm_start.isoformat(),
        "execution": recording.execution,
        "is_stopping": recording.is_stopping,
    }


def _detection_json(detection: Detection | None) -> dict[str, Any] | None:
    if detection is None:
        return None
    return {"hangs_up": detection.hangs_up, "execution": detection.execution}


def _agent_wait_json(wait: AgentWait | None) -> dict[str, Any] | None:
    if wait is None:
        return None
    return {
        "since": wait.since.isoformat(),
        "tm_connect": None if wait.tm_connect is None else wait.tm_connect.isoformat(),
        "tm_abandon": None if wait.tm_abandon is None else wait.tm_abandon.isoformat(),
    }


def _cursor_of(stored: Mapping[str, Any]) -> Cursor:
    wake_at = stored["wake_at"]
    return Cursor(
        position=stored["position"],
        executions=stored["executions"],
        loops=stored["loops"],
        wake_at=None if wake_at is None else datetime.fromisoformat(wake_at),
        queuecall_id=_id(stored["queuecall_id"]),
        queue_id=_id(stored["queue_id"]),
        agent_id=_id(stored["agent_id"]),
        agent_legs=tuple(UUID(leg) for leg in stored["agent_legs"]),
        # What follows is missing in rows of an older release.
        frames=tuple(
            Frame(
                actions=tuple(_action_of(each) for each in frame["actions"]),
                position=frame["position"],
                loops=frame["loops"],
            )
            for frame in stored.get("frames", ())
        ),
        keys=Keys(**stored.get("keys", {})),
        recordings=tuple(_recording_of(each) for each in stored.get("recordings", ())),
        detection=Detection(**found) if (found := stored.get("detection")) else None,
        agent_wait=_agent_wait_of(stored.get("agent_wait")),
        records_service=stored.get("records_service", False),
    )


def _agent_wait_of(stored: Mapping[str, Any] | None) -> AgentWait | None:
    if stored is None:
        return None
    times = {name: time and datetime.fromisoformat(time) for name, time in stored.items()}
    return AgentWait(**times)


def _recording_of(stored: Mapping[str, Any]) -> OpenRecording:
    return OpenRecording(
        id=UUID(stored["id"]),
        format=stored["format"],
        tm_start=datetime.fromisoformat(stored["tm_start"]),
        execution=stored["execution"],
        is_stopping=stored["is_stopping"],
    )


def _id(stored: str) -> UUID | None:
    return UUID(stored) if stored else None
