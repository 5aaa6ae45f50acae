"""What the execution of one action came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.common.actions import RESERVED
from services.dialer.conversations.effects import Effect
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.domain.calls import StepOutcome


@dataclass(frozen=True, slots=True)
class Outcome:
    """`target` is the action to go on with, None for the ordinary successor."""

    outcome: StepOutcome = StepOutcome.DONE
    detail: str = ""
    effect: Effect | None = None
    target: UUID | None = None


Step = Callable[[FlowRun, Mapping[str, Any], datetime], Outcome]
"""Executes an action by its options, with variables put in; ValueError when they are unusable."""


def failed(detail: str) -> Outcome:
    """The action could not be executed; the flow goes on behind it."""
    return Outcome(StepOutcome.FAILED, detail)


def jump(run: FlowRun, target: UUID | None, detail: str) -> Outcome:
    """Go on at the target, or behind the action when there is none; ValueError when it is unknown."""
    if target is not None and target not in RESERVED:
        places = [frame.index_of(target) for frame in run.frames]
        if all(place is None for place in places):
            raise ValueError(f"no action {target} in this flow")
    return Outcome(detail=detail, target=target)
