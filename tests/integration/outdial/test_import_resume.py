"""An import that broke off is taken up where it was, and is done once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from services.common.errors import (
    Aborted,
    AlreadyExists,
    InvalidArgument,
    NotFound,
)
from services.common.ids import new_id
from services.outdial import service_imports
from services.outdial.domain_imports import (
    IMPORT_DIFFERS,
    Duplicates,
    Format,
    ImportOptions,
    ImportState,
)
from tests.integration.outdial.lists import LIST, BrokenOffError, listed, run, stream
from tests.integration.outdial.world import (
    World,
    require_counters_match,
    wait_for_blocked,
)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of a few rows, so that short lists have several."""
    monkeypatch.setattr(service_imports, "PART_ROWS", 3)
    monkeypatch.setattr(service_imports, "PIECE_BYTES", 16)


async def kept_rows(world: World, import_id: UUID) -> int:
    (row,) = await world.sql("SELECT row_count FROM imports WHERE import_id = :id", id=import_id)
    return int(row[0])


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("breaks_at", [0, 5, 200, 333, 700, len(LIST) - 8])
async def test_broken_off_import_is_taken_up_where_it_was(world: World, breaks_at: int) -> None:
    outdial_id, import_id = await world.outdial(), new_id()
    with pytest.raises(BrokenOffError):
        await run(world, outdial_id, LIST, import_id, breaks_at=breaks_at)
    assert await listed(world, outdial_id) == []
    found = await world.services.imports.get(world.customer_id, outdial_id, import_id)
    assert (found.state, found.accepted_count) == (ImportState.RECEIVING, 0)
    kept = await kept_rows(world, import_id)
    assert (kept > 0) == (breaks_at >= 200)
    # Cut in other places this time.
    done = await run(world, outdial_id, LIST, import_id, size=11)
    assert (done.position.row_count, done.accepted_count) == (40, 26)
    assert [each.line for each in done.rejects][:3] == [2, 7, 12]
    assert len(done.rejects) == 14
    targets = await listed(world, outdial_id)
    assert [each.name for each in targets][:2] == ["No. 1\r\nof many", "No. 2\r\nof many"]
    assert len({each.id for each in targets}) == 26
    await require_counters_match(world, outdial_id)


@pytest.mark.usefixtures("small_parts")
async def test_what_was_kept_is_not_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    outdial_id, import_id = await world.outdial(), new_id()
    with pytest.raises(BrokenOffError):
        await run(world, outdial_id, LIST, import_id, breaks_at=700)
    kept = await kept_rows(world, import_id)
    taken: list[object] = []
    original = service_imports._Reading._take

    def take(self: Any, record: Any) -> None:
        taken.append(record)
        original(self, record)

    monkeypatch.setattr(service_imports._Reading, "_take", take)
    await run(world, outdial_id, LIST, import_id)
    assert len(taken) == 40 - kept


@pytest.mark.usefixtures("small_parts")
async def test_import_taken_up_with_another_list_or_other_options_is_refused(
    world: World,
) -> None:
    outdial_id, import_id = await world.outdial(), new_id()
    with pytest.raises(BrokenOffError):
        await run(world, outdial_id, LIST, import_id, breaks_at=700)
    other = LIST.replace("+15550000001", "+15550009999")
    for text, options in (
        (other, {}),
        ("phone,name\r\n", {}),
        (LIST, {"duplicates": Duplicates.SKIP}),
        (LIST, {"default_region": "US"}),
    ):
        with pytest.raises(AlreadyExists) as caught:
            await run(world, outdial_id, text, import_id, **options)
        assert caught.value.reason == IMPORT_DIFFERS
    with pytest.raises(AlreadyExists):
        await run(world, await world.outdial(), LIST, import_id)
    assert (await run(world, outdial_id, LIST, import_id)).accepted_count == 26


async def test_finished_import_is_returned_and_not_done_again(world: World) -> None:
    outdial_id, import_id = await world.outdial(), new_id()
    done = await run(world, outdial_id, LIST, import_id)
    assert await run(world, outdial_id, LIST, import_id) == done
    for other in ("", LIST[:-1], LIST + "+15550009999,one more\r\n", LIST.replace("No.", "no.")):
        with pytest.raises(AlreadyExists) as caught:
            await run(world, outdial_id, other, import_id)
        assert caught.value.reason == IMPORT_DIFFERS
    assert len(await listed(world, outdial_id)) == 26
    with pytest.raises(AlreadyExists):
        await run(world, outdial_id, LIST, import_id, is_strict=True)
    with pytest.raises(NotFound):
        await world.services.imports.get(world.customer_id, await world.outdial(), import_id)


@pytest.mark.usefixtures("small_parts")
async def test_second_stream_of_an_import_ends_the_first(world: World) -> None:
    outdial_id, import_id = await world.outdial(), new_id()
    reached, release = asyncio.Event(), asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        async for chunk in stream(LIST[:400]):
            yield chunk
        reached.set()
        await release.wait()
        yield LIST[400:].encode()

    options = ImportOptions(Format.CSV, {})
    first = asyncio.create_task(
        world.services.imports.run(world.customer_id, outdial_id, import_id, options, stalled())
    )
    await reached.wait()
    done = await run(world, outdial_id, LIST, import_id)
    release.set()
    with pytest.raises(Aborted):
        await first
    assert done.accepted_count == 26
    assert len(await listed(world, outdial_id)) == 26
    await require_counters_match(world, outdial_id)


async def test_corrected_request_may_use_its_id_again(world: World) -> None:
    outdial_id, import_id = await world.outdial(), new_id()
    with pytest.raises(InvalidArgument):
        await run(world, outdial_id, "tel\n+15550000001\n", import_id)
    mapping = {"tel": "destination_0"}
    done = await run(world, outdial_id, "tel\n+15550000001\n", import_id, mapping=mapping)
    assert done.accepted_count == 1


async def test_finishing_goes_on_when_the_caller_goes_away(world: World) -> None:
    outdial_id, import_id = await world.outdial(), new_id()
    async with world.begin() as holding:
        await holding.dialing.lock(outdial_id)
        importing = asyncio.create_task(run(world, outdial_id, LIST, import_id))
        await wait_for_blocked(world)
        importing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await importing
    others = [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
    await asyncio.gather(*others)
    found = await world.services.imports.get(world.customer_id, outdial_id, import_id)
    assert found.state is ImportState.DONE
