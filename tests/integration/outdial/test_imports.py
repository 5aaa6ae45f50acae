"""Imports: all good rows at once or none, every bad one reported, taken up where they broke off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from services.common.address import Address
from services.common.errors import (
    FailedPrecondition,
    InvalidArgument,
    PermissionDenied,
)
from services.common.ids import new_id
from services.outdial.domain_imports import (
    Duplicates,
    Format,
    ImportOptions,
    ImportState,
    Reject,
)
from tests.integration.outdial.lists import LIST, BrokenOffError, listed, run
from tests.integration.outdial.world import (
    World,
    require_counters_match,
    tel,
    wait_for_blocked,
)


async def test_good_rows_become_targets_in_the_order_of_the_list(world: World) -> None:
    outdial_id = await world.outdial()
    text = "name,phone,city\nAnn,+15550000001,Rome\nBob,+1 (555) 000-0002,\n"
    done = await run(world, outdial_id, text)
    assert done.state is ImportState.DONE
    assert (done.position.row_count, done.accepted_count, done.rejects) == (2, 2, [])
    ann, bob = await listed(world, outdial_id)
    assert (ann.name, ann.destinations[0], ann.data) == ("Ann", tel(1), '{"city":"Rome"}')
    assert (bob.name, bob.destinations[0], bob.data) == ("Bob", tel(2), "")
    assert ann.tm_create < bob.tm_create <= world.clock.now()
    assert [each.accepted_count for each in world.events.imports] == [2]
    claim = await world.claim(outdial_id, 5)
    assert [each.name for each in claim.targets] == ["Ann", "Bob"]
    await require_counters_match(world, outdial_id)


async def test_every_bad_row_is_reported_with_line_column_value_and_reason(world: World) -> None:
    outdial_id = await world.outdial()
    text = 'phone,name\n+15550000001,"two\nlines"\n12,Bob\n+15550000003\n\n,Eve\n+15550000004,x\n'
    done = await run(world, outdial_id, text)
    assert (done.accepted_count, done.position.rejected_count) == (2, 3)
    number, cells, empty = done.rejects
    assert (number.line, number.field, number.value) == (4, "phone", "12")
    assert "E.164" in number.reason
    assert cells == Reject(
        5, "name", "+15550000003", "1 cells; accepted: as many as the header has, 2"
    )
    assert (empty.line, empty.field, empty.value) == (7, "phone", "")
    pages = world.services.imports.rejects(world.customer_id, outdial_id, done.id)
    assert [each async for page in pages for each in page] == done.rejects


@pytest.mark.parametrize(
    ("duplicates", "accepted", "rejected", "skipped"),
    [
        (Duplicates.REJECT, 2, 3, 0),
        (Duplicates.SKIP, 2, 0, 3),
        (Duplicates.ALLOW, 5, 0, 0),
    ],
)
async def test_duplicates_in_the_list_and_the_outdial(
    world: World, duplicates: Duplicates, accepted: int, rejected: int, skipped: int
) -> None:
    outdial_id = await world.outdial()
    await world.services.outdials.get_progress(world.customer_id, outdial_id)
    await world.add(outdial_id, 1, destinations=[tel(9)])
    (gone,) = await world.add(outdial_id, 1, destinations=[tel(1)])
    await world.services.targets.delete_target(world.customer_id, outdial_id, gone.id)
    numbers = ["+15550000001", "+15550000009", "+1 555 0000001", "+15550000002", "+15550000001"]
    text = "\n".join(["number", *numbers])
    done = await run(world, outdial_id, text, duplicates=duplicates)
    assert (done.accepted_count, done.position.rejected_count) == (accepted, rejected)
    assert done.duplicate_count == skipped
    if rejected:
        assert list(done.rejects) == [
            Reject(3, "number", "+15550000009", "the outdial has a target with this address"),
            Reject(4, "number", "+15550000001", "line 2 has this address"),
            Reject(6, "number", "+15550000001", "line 2 has this address"),
        ]
    await require_counters_match(world, outdial_id)


async def test_nothing_is_seen_before_the_end_and_all_after_it(world: World) -> None:
    outdial_id = await world.outdial()
    await world.add(outdial_id, 1, destinations=[tel(999)])
    rows = [f"+1555{number:07d}" for number in range(50)]
    async with world.begin() as holding:
        # The import has made its targets and waits for the counters.
        await holding.dialing.lock(outdial_id)
        importing = asyncio.create_task(run(world, outdial_id, "\n".join(["phone", *rows])))
        await wait_for_blocked(world)
        assert len(await listed(world, outdial_id)) == 1
    assert (await importing).accepted_count == 50
    assert len((await world.claim(outdial_id, 100)).targets) == 51


async def test_claims_that_passed_the_import_by_find_its_targets_after_it(world: World) -> None:
    outdial_id = await world.outdial()
    rows = [f"+1555{number:07d}" for number in range(50)]
    release = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield "\n".join(["phone", *rows]).encode()
        await release.wait()

    options = ImportOptions(Format.CSV, {})
    importing = asyncio.create_task(
        world.services.imports.run(world.customer_id, outdial_id, new_id(), options, slow())
    )
    await world.clock.advance(600)
    await world.add(outdial_id, 3, destinations=[tel(999)])
    # These make the watermark leave the time of the import's beginning, which its targets get.
    assert len((await world.claim(outdial_id, 100)).targets) == 3
    release.set()
    await importing
    assert len((await world.claim(outdial_id, 100)).targets) == 50
    await require_counters_match(world, outdial_id)


@pytest.mark.parametrize(
    ("text", "members", "message"),
    [
        ("", {}, "empty"),
        ("name,city\nAnn,Rome\n", {}, "name, city"),
        ("phone,phone\n1,2\n", {}, "phone"),
        ("phone\n1\n", {"mapping": {"tel": "destination_0"}}, "columns of the list: phone"),
        ("phone\n1\n", {"mapping": {"phone": "destination_9"}}, "destination_9"),
        ("phone\n1\n", {"mapping": {"phone": "name"}}, "at least one"),
        ("phone\n1\n", {"default_region": "XX"}, "default_region"),
        (b"\xff\xfep\x00h\x00\n\x00", {}, "UTF-16"),
        (b"pho\xffne\n", {}, "UTF-8"),
    ],
)
async def test_list_that_cannot_be_meant_is_refused_as_a_whole(
    world: World, text: str | bytes, members: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidArgument, match=message):
        await run(world, await world.outdial(), text, **members)


async def test_header_alone_is_an_empty_import(world: World) -> None:
    done = await run(world, await world.outdial(), "phone")
    assert (done.state, done.position.row_count) == (ImportState.DONE, 0)


async def test_foreign_and_deleted_outdials_are_refused(world: World) -> None:
    outdial_id = await world.outdial()
    owner, world.customer_id = world.customer_id, new_id()
    with pytest.raises(PermissionDenied):
        await run(world, outdial_id, LIST)
    world.customer_id = owner
    await world.services.outdials.delete_outdial(owner, outdial_id)
    with pytest.raises(FailedPrecondition):
        await run(world, outdial_id, LIST)


async def test_outdial_deleted_during_the_import_gets_no_targets(world: World) -> None:
    outdial_id = await world.outdial()

    async def deleting() -> AsyncIterator[bytes]:
        yield LIST.encode()
        await world.services.outdials.delete_outdial(world.customer_id, outdial_id)

    options = ImportOptions(Format.CSV, {})
    with pytest.raises(FailedPrecondition):
        await world.services.imports.run(
            world.customer_id, outdial_id, new_id(), options, deleting()
        )
    await require_counters_match(world, outdial_id)


async def test_ndjson_takes_texts_objects_and_numbers(world: World) -> None:
    outdial_id = await world.outdial()
    lines: Sequence[str] = (
        '{"phone": "+15550000001", "city": "Rome", "age": 7}',
        '{"destination_0": {"target": "+15550000002", "target_name": "Bob"}, "data": {"a": [1]}}',
        '{"destination_1": "sip:Al@Example.com", "name": "Al", "data": "text"}',
        "[1]",
        '{"phone": true}',
        "not json",
    )
    done = await run(world, outdial_id, "\n".join(lines), format=Format.NDJSON)
    assert [each.line for each in done.rejects] == [4, 5, 6]
    one, two, three = await listed(world, outdial_id)
    assert (one.destinations[0], one.data) == (tel(1), '{"city":"Rome","age":7}')
    assert two.destinations[0] == Address("tel", "+15550000002", target_name="Bob")
    assert two.data == '{"a":[1]}'
    assert three.destinations[1] == Address("sip", "sip:Al@example.com")
    assert (three.name, three.data) == ("Al", "text")


async def test_texts_survive_the_copy_unchanged(world: World) -> None:
    outdial_id = await world.outdial()
    nasty = 'tab\t, back\\slash, \\N, "quote", line\nend, \\., ümläut 🙂, \u2028'
    text = 'phone,name,detail\n+15550000001,\\N,"{}"\n'.format(nasty.replace('"', '""'))
    await run(world, outdial_id, text)
    (target,) = await listed(world, outdial_id)
    assert (target.name, target.detail) == ("\\N", nasty)


async def test_abandoned_imports_are_removed_and_others_kept(world: World) -> None:
    outdial_id, abandoned, waiting = await world.outdial(), new_id(), new_id()
    for import_id in (abandoned, waiting):
        with pytest.raises(BrokenOffError):
            await run(world, outdial_id, LIST, import_id, breaks_at=700)
    done = await run(world, outdial_id, LIST)
    await world.sql(
        "UPDATE imports SET touched_at = touched_at - interval '25 hours' WHERE import_id <> :id",
        id=waiting,
    )
    await world.services.imports.clean()
    left = {row[0] for row in await world.sql("SELECT import_id FROM imports")}
    assert left == {waiting, done.id}
    tables = await world.sql("SELECT tablename FROM pg_tables WHERE tablename LIKE 'import_rows_%'")
    assert [row[0] for row in tables] == [f"import_rows_{waiting.hex}"]


async def test_a_stray_quote_costs_one_row_of_ten_thousand(world: World) -> None:
    outdial_id = await world.outdial()
    lines = [f"name {number},+1555{number:07}" for number in range(10_000)]
    lines[1] = f'"{lines[1]}'
    data = "name,phone\n" + "\n".join(lines) + "\n"
    done = await run(world, outdial_id, data)
    assert (done.position.row_count, done.accepted_count) == (10_000, 9_999)
    (rejected,) = done.rejects
    assert (rejected.line, rejected.field, rejected.value) == (3, "name", lines[1])
