import re
from collections.abc import Iterator
from contextvars import copy_context

import pytest

from services.common import context
from services.common.errors import Unavailable


@pytest.fixture(autouse=True)
def _own_context() -> Iterator[None]:
    """Without a deadline before and after: synchronous tests share the worker's one context."""
    context.accept_deadline(None)
    yield
    context.accept_deadline(None)


def test_a_callers_request_id_is_kept_when_well_formed() -> None:
    assert copy_context().run(context.accept_request_id, "abc_DEF-1") == "abc_DEF-1"


@pytest.mark.parametrize("given", [None, "", "x" * 65, "with space", "line\nbreak", "ümlaut"])
def test_any_other_request_id_is_replaced(given: str | None) -> None:
    chosen = copy_context().run(context.accept_request_id, given)
    assert re.fullmatch(r"req_[a-z2-7]{26}", chosen)


def test_without_a_deadline_a_call_takes_its_own_timeout() -> None:
    assert context.time_left() is None
    assert context.call_timeout(5.0) == 5.0
    assert context.call_timeout(None) is None


def test_a_call_never_outlives_the_request_it_is_made_for() -> None:
    context.accept_deadline(1.0)
    shaved = context.call_timeout(5.0)
    assert shaved is not None
    assert 0.9 < shaved <= 0.98
    assert context.call_timeout(0.3) == 0.3


def test_too_little_time_is_refused_at_the_door() -> None:
    with pytest.raises(Unavailable) as caught:
        context.accept_deadline(0.09)
    assert caught.value.reason == "REQUEST_TIMEOUT"


def test_too_little_time_is_refused_before_a_call() -> None:
    context.accept_deadline(0.11)
    with pytest.raises(Unavailable):
        context.call_timeout(5.0)
