"""Events that a NATS server does not take as they are: they hold up nobody, and say what they lack."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from services.common.ids import new_id
from tests.fixtures.postgres import DatabaseFactory
from tests.integration.common.events import event
from tests.integration.common.test_outbox import system
from tests.support.servers import own_nats


@pytest.fixture
def url(database: DatabaseFactory) -> str:
    return database("probe")


async def test_an_event_too_large_for_the_server_is_shortened_and_holds_up_nobody(
    url: str, nats_url: str
) -> None:
    async with system(url, nats_url) as one:
        most = one.bus.max_bytes
        before = _counted("outbox_shortened")
        large = replace(event(2, resource_id=new_id()), data=b"x" * (most + 1))
        fitting = replace(event(3, resource_id=new_id()), data=b"y" * (most - 4096))
        await one.commit(event(1), large, fitting)
        await one.commit(event(4, resource_id=large.resource_id))
        one.start()
        await one.published()
        assert await one.stored() == [1, 2, 3, 4]
        found = {each.revision: each for each in await one.events()}
        assert (found[2].resource_id, found[2].data_type) == (large.resource_id, large.data_type)
        assert (found[2].data, found[2].left_out_bytes) == (b"", most + 1)
        assert (found[3].data, found[3].left_out_bytes) == (fitting.data, 0)
        assert _counted("outbox_shortened") == before + 1


async def test_a_batch_larger_than_a_strict_server_takes_loses_its_largest_facts(
    url: str,
) -> None:
    with own_nats("max_payload: 8192") as server:
        async with system(url, server.url()) as one:
            sizes = [100, 6000, 200, 5000, 300]
            events = [
                replace(event(number, resource_id=new_id()), data=b"x" * size)
                for number, size in enumerate(sizes, 1)
            ]
            await one.commit(*events)
            one.start()
            await one.published()
            assert [each.left_out_bytes for each in await one.events()] == [0, 6000, 0, 0, 0]


async def test_what_fits_in_no_form_is_counted_and_holds_up_nobody(url: str) -> None:
    with own_nats("max_payload: 1024") as server:
        async with system(url, server.url()) as one:
            before = _counted("outbox_dropped")
            await one.commit(*(event(number, resource_id=new_id()) for number in range(1, 11)))
            await one.commit(event(11))
            one.start()
            await one.published()
            assert await one.stored() == [11]
            assert _counted("outbox_dropped") == before + 1


def _counted(name: str) -> float:
    return REGISTRY.get_sample_value(f"outbound_{name}_total", {"schema": "probe"}) or 0.0
