"""Lists as streams that may break off, for the tests of imports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from services.common.ids import new_id
from services.common.paging import page_request
from services.outdial.domain import Target
from services.outdial.domain_imports import Format, Import, ImportOptions
from tests.integration.outdial.world import World

LIST = "phone,name\r\n" + "".join(
    f'+1555000{number:04d},"No. {number}\r\nof many"\r\n' if number % 3 else "bad,row\r\n"
    for number in range(40)
)


class BrokenOffError(Exception):
    """The client is gone."""


async def stream(text: str | bytes, size: int = 7, breaks_at: int = -1) -> AsyncIterator[bytes]:
    """The list in chunks of `size` bytes; the stream breaks after so many bytes."""
    data = text.encode() if isinstance(text, str) else text
    for start in range(0, len(data), size):
        if 0 <= breaks_at <= start:
            raise BrokenOffError
        yield data[start : start + size]


async def run(
    world: World, outdial_id: UUID, text: str | bytes, import_id: UUID | None = None, **members: Any
) -> Import:
    size = members.pop("size", 7)
    breaks_at = members.pop("breaks_at", -1)
    values: dict[str, Any] = {"format": Format.CSV, "mapping": {}}
    return await world.services.imports.run(
        world.customer_id,
        outdial_id,
        import_id or new_id(),
        ImportOptions(**(values | members)),
        stream(text, size, breaks_at),
    )


async def listed(world: World, outdial_id: UUID) -> list[Target]:
    """The targets in the order of the list."""
    found, _ = await world.services.targets.list_targets(
        world.customer_id, outdial_id, page_request(0, ""), None
    )
    return found[::-1]
