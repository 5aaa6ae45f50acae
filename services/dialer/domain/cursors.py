"""Where an execution of actions stands: enough for another dialer to go on with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.common.actions import Action


@dataclass(frozen=True, slots=True)
class Frame:
    """Actions that a fetch has brought: they run before the flow goes on behind the fetch.

    `position` is the index of the current action; `loops` maps a goto's index to its jumps left.
    """

    actions: tuple[Action, ...]
    position: int = 0
    loops: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Keys:
    """What is known of the keys a person has pressed, beside the variable that flows read.

    While `has_result`, the variable holds what the last digits_receive got and nobody has read yet;
    keys pressed meanwhile wait in `ahead`.
    """

    count: int = 0  # all keys heard so far
    has_result: bool = False
    ahead: str = ""
    last: str | None = None  # those of the last digits_receive, or read by the last branch


@dataclass(frozen=True, slots=True)
class OpenRecording:
    """A recording that is on, or told to end; `execution` is the action that started it, 0 for none."""

    id: UUID
    format: str
    tm_start: datetime
    execution: int = 0
    is_stopping: bool = False  # the network has not said yet that it is over


@dataclass(frozen=True, slots=True)
class Detection:
    """A question who has answered that the network has not answered yet."""

    hangs_up: bool  # on a machine
    execution: int


@dataclass(frozen=True, slots=True)
class AgentWait:
    """A person's wait for an agent: since when it is measured, and what came of it. Both may have:
    an agent may come after the wait was too long.
    """

    since: datetime
    tm_connect: datetime | None = None
    tm_abandon: datetime | None = None

    @property
    def waited_ms(self) -> int | None:
        """How long, in milliseconds, until the agent was there; None when none was."""
        if self.tm_connect is None:
            return None
        return max(0, round((self.tm_connect - self.since).total_seconds() * 1000))


@dataclass(frozen=True, slots=True)
class Cursor:
    """`position` is the index of the current action of the flow itself, None when ended; `frames` are
    the fetched ones above it, the last one being executed. `executions` counts actions begun; the
    current action's play id is made of it, so that repeating a play never starts it twice.
    """

    position: int | None = 0
    executions: int = 0
    loops: Mapping[str, int] = field(default_factory=dict)  # goto's action index -> jumps left
    frames: tuple[Frame, ...] = ()
    wake_at: datetime | None = None  # end of a sleep or of waiting for keys
    queuecall_id: UUID | None = None
    queue_id: UUID | None = None
    agent_id: UUID | None = None
    agent_legs: tuple[UUID, ...] = ()  # phones ringing for the caller, or the one bridged
    keys: Keys = field(default_factory=Keys)
    recordings: tuple[OpenRecording, ...] = ()  # not over yet; at most one is not stopping
    detection: Detection | None = None
    agent_wait: AgentWait | None = None  # None: no agent was wanted
    records_service: bool = False  # the conversation with an agent is to be recorded
