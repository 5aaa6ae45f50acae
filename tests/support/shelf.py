"""An in-memory shelf of one kind of resource, for fake services: create, get, list, update, delete.

It keeps the rules every service keeps: idempotent by id, one customer's own, newest first, merges.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from services.common.auth import require_customer
from services.common.clock import SystemClock
from services.common.errors import AlreadyExists, NotFound, PermissionDenied
from services.common.ids import new_id
from services.common.paging import cut, page_request

_CLOCK = SystemClock()


class _Row:
    def __init__(self, message: Any) -> None:
        self.id = UUID(message.id)
        self.tm_create: datetime = message.tm_create.ToDatetime(tzinfo=UTC)


class Shelf:
    """Resources of one message class. `word` makes the reason of NotFound: `WORD_NOT_FOUND`."""

    def __init__(self, kind: type[Any], word: str) -> None:
        self._kind = kind
        self._word = word
        self.rows: dict[str, Any] = {}
        self._requests: dict[str, bytes] = {}

    def create(self, request: Any, **more: Any) -> Any:
        """A new resource with the request's fields of the same names."""
        made_id = request.id or str(new_id())
        sent = request.SerializeToString(deterministic=True)
        if made_id in self.rows:
            if self._requests[made_id] != sent:
                raise AlreadyExists(f"{made_id} exists with other members")
            return self.rows[made_id]
        known = self._kind.DESCRIPTOR.fields_by_name
        shared = {
            field.name: value
            for field, value in request.ListFields()
            if field.name in known and _kind_of(known[field.name]) == _kind_of(field)
        }
        made = self._kind(**{**shared, **more, "id": made_id})
        made.customer_id = str(require_customer())
        made.tm_create.FromDatetime(_CLOCK.now())
        if "revision" in known:
            made.revision = 1
        self.rows[made_id] = made
        self._requests[made_id] = sent
        return made

    def get(self, resource_id: str) -> Any:
        """One of the caller's; NotFound or PermissionDenied."""
        found = self.rows.get(resource_id)
        if found is None:
            raise NotFound(f"there is no {resource_id}", reason=f"{self._word}_NOT_FOUND")
        if found.customer_id != str(require_customer()):
            raise PermissionDenied(f"{resource_id} belongs to another customer")
        return found

    def list(self, request: Any, keep: Any = lambda row: True) -> tuple[list[Any], str]:
        """A page of the caller's that are not deleted, and the next token."""
        page = page_request(request.page_size, request.page_token)
        own = [
            row
            for row in self.rows.values()
            if row.customer_id == str(require_customer()) and not _is_deleted(row) and keep(row)
        ]
        rows = sorted(map(_Row, own), key=lambda row: (row.tm_create, row.id), reverse=True)
        rows = [row for row in rows if (row.tm_create, row.id) < page.key]
        kept, token = cut(rows[: page.size + 1], page)
        return [self.rows[str(row.id)] for row in kept], token

    def update(self, request: Any) -> Any:
        """Set what the request has; wrapped lists replace, an empty message clears."""
        found = self.get(request.id)
        for field, value in request.ListFields():
            if field.name == "id" or field.name not in found.DESCRIPTOR.fields_by_name:
                continue
            if field.message_type is not None and field.message_type.name.endswith("List"):
                found.ClearField(field.name)
                getattr(found, field.name).extend(
                    value.ListFields()[0][1] if value.ListFields() else []
                )
            elif isinstance(value, Message):
                found.ClearField(field.name)
                if value.ListFields():
                    getattr(found, field.name).CopyFrom(value)
            else:
                setattr(found, field.name, value)
        return self.touch(found)

    def delete(self, resource_id: str) -> Any:
        """Soft-delete."""
        found = self.get(resource_id)
        found.tm_delete.FromDatetime(_CLOCK.now())
        return self.touch(found)

    def touch(self, found: Any) -> Any:
        """Count a change."""
        found.tm_update.FromDatetime(_CLOCK.now())
        if "revision" in found.DESCRIPTOR.fields_by_name:
            found.revision += 1
        return found


def _is_deleted(row: Any) -> bool:
    return "tm_delete" in row.DESCRIPTOR.fields_by_name and row.HasField("tm_delete")


def _kind_of(field: Any) -> Any:
    # Each map field has an entry type of its own.
    kind = field.message_type
    return "map" if kind is not None and kind.GetOptions().map_entry else kind
