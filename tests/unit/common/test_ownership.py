from dataclasses import dataclass
from uuid import UUID

import pytest

from services.common.errors import NotFound, PermissionDenied
from services.common.ids import new_id
from services.common.ownership import owned


@dataclass(frozen=True)
class Thing:
    id: UUID
    customer_id: UUID


THING = Thing(new_id(), new_id())


def test_what_exists_and_is_yours_is_given() -> None:
    assert owned(THING, "flow", THING.id, THING.customer_id, reason="FLOW_NOT_FOUND") is THING


def test_whoever_may_have_any_gets_any() -> None:
    assert owned(THING, "flow", THING.id, None, reason="FLOW_NOT_FOUND") is THING


def test_what_does_not_exist_is_not_found_with_its_reason_and_id() -> None:
    with pytest.raises(NotFound, match=f"there is no access key {THING.id}") as caught:
        owned(None, "access key", THING.id, None, reason="ACCESSKEY_NOT_FOUND")
    assert caught.value.reason == "ACCESSKEY_NOT_FOUND"
    assert caught.value.metadata == {"accesskey_id": str(THING.id)}


def test_what_is_another_customers_is_refused() -> None:
    with pytest.raises(PermissionDenied) as caught:
        owned(THING, "queue", THING.id, new_id(), reason="QUEUE_NOT_FOUND")
    assert caught.value.metadata == {"queue_id": str(THING.id)}
