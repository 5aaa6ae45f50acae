import asyncio

import pytest

from services.common.gather import Gatherer


async def test_items_of_many_tasks_go_together() -> None:
    flushed: list[list[int]] = []

    async def flush(items: list[int]) -> None:
        flushed.append(items)

    gatherer = Gatherer(flush, 100, 0.01)
    await asyncio.gather(*(gatherer.add(n) for n in range(30)))
    assert flushed == [list(range(30))]


async def test_a_full_batch_does_not_wait() -> None:
    flushed: list[list[int]] = []

    async def flush(items: list[int]) -> None:
        flushed.append(items)

    gatherer = Gatherer(flush, 10, 3600)
    await asyncio.gather(*(gatherer.add(n) for n in range(20)))
    assert flushed == [list(range(10)), list(range(10, 20))]


async def test_what_comes_during_a_flush_makes_the_next_batch() -> None:
    flushed: list[list[int]] = []
    started, release = asyncio.Event(), asyncio.Event()

    async def flush(items: list[int]) -> None:
        flushed.append(items)
        started.set()
        await release.wait()

    gatherer = Gatherer(flush, 100, 0)
    first = asyncio.create_task(gatherer.add(1))
    await started.wait()
    later = [asyncio.create_task(gatherer.add(n)) for n in (2, 3)]
    await asyncio.sleep(0)
    release.set()
    await asyncio.gather(first, *later)
    assert flushed == [[1], [2, 3]]


async def test_a_failure_reaches_everybody_in_the_batch_and_nobody_after() -> None:
    async def flush(items: list[int]) -> None:
        if 1 in items:
            raise OSError("no")

    gatherer = Gatherer(flush, 2, 0.01)
    results = await asyncio.gather(*(gatherer.add(n) for n in (1, 2, 3)), return_exceptions=True)
    assert [type(each) for each in results] == [OSError, OSError, type(None)]


async def test_add_all_raises_after_everything_was_tried() -> None:
    flushed: list[int] = []

    async def flush(items: list[int]) -> None:
        flushed.extend(items)
        if 1 in items:
            raise OSError("no")

    with pytest.raises(OSError, match="no"):
        await Gatherer(flush, 1, 0).add_all([1, 2, 3])
    assert flushed == [1, 2, 3]


async def test_a_caller_who_leaves_leaves_its_item() -> None:
    flushed: list[list[int]] = []

    async def flush(items: list[int]) -> None:
        flushed.append(items)

    gatherer = Gatherer(flush, 100, 3600)
    leaving = asyncio.create_task(gatherer.add(1))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait({leaving})
    await gatherer.close()
    assert flushed == [[1]]


async def test_close_flushes_at_once() -> None:
    flushed: list[list[int]] = []

    async def flush(items: list[int]) -> None:
        flushed.append(items)

    gatherer = Gatherer(flush, 2, 3600)
    waiting = asyncio.gather(*(gatherer.add(n) for n in (1, 2, 3)))
    await asyncio.sleep(0)
    await gatherer.close()
    await waiting
    assert flushed == [[1, 2], [3]]
    assert len(gatherer) == 0
