"""Executions without a dialer around them."""

from __future__ import annotations

from typing import Any

from services.common.actions import Action
from services.common.ids import new_id
from services.dialer.conversations.effects import Say
from services.dialer.conversations.flow_run import FlowRun, Frame
from services.dialer.conversations.interpreter import advance, complete
from services.dialer.domain.calls import ReferenceType
from tests.unit.dialer.fakes import START


def make_run(*actions: Action, has_call: bool = True, **variables: str) -> FlowRun:
    return FlowRun(
        id=new_id(),
        customer_id=new_id(),
        campaign_id=None,
        flow_id=None,
        reference_type=ReferenceType.CALL if has_call else ReferenceType.API,
        reference_id=new_id() if has_call else None,
        frames=[Frame(actions)],
        variables=dict(variables),
        dialer_id="dialer-1",
        tm_create=START,
    )


def outcomes(run: FlowRun) -> list[tuple[str, str]]:
    return [(step.type, step.outcome.value) for step in run.history]


def details(run: FlowRun) -> list[str]:
    return [step.detail for step in run.history]


def walk(run: FlowRun) -> list[Any]:
    """Every effect to the end, each waited for."""
    effects = advance(run, START)
    found = list(effects)
    while not run.is_ended:
        effects = complete(run, START)
        found += effects
    return found


def said(run: FlowRun) -> list[str]:
    """What is spoken on the way to the end."""
    return [each.text for each in walk(run) if isinstance(each, Say)]
