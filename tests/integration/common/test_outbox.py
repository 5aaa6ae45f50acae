"""Events from a transaction to the stream, with a real PostgreSQL and a real NATS."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from cli.embedded.postgres import Postgres
from services.common import migrate, relay
from services.common.bus import STREAM, Bus, Outgoing
from services.common.clock import SystemClock
from services.common.db import create_engine, statement, transaction
from services.common.envelope import NewEvent, ReceivedEvent, decode
from services.common.errors import AppError, Unavailable
from services.common.ids import new_id
from services.common.outbox import Outbox, Relay, append
from tests.fixtures.postgres import DatabaseFactory
from tests.integration.common.events import RESOURCE, event, payload
from tests.support.servers import end, own_nats, own_postgres, restart
from tests.support.waiting import eventually


class System:
    """A process with an outbox and its relay."""

    def __init__(self, engine: AsyncEngine, bus: Bus) -> None:
        self.engine = engine
        self.bus = bus
        self.relay = Relay(engine, bus, "probe")
        self.outbox = Outbox(SystemClock(), self.relay)
        self.task: asyncio.Task[None] | None = None

    async def commit(self, *events: NewEvent) -> None:
        async with transaction(self.engine) as conn:
            await self.outbox.append(conn, events)

    def start(self) -> None:
        self.task = asyncio.create_task(self.relay.run())

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait({self.task})
            assert self.task.cancelled()
            self.task = None

    async def scalar(self, sql: str) -> Any:
        async with transaction(self.engine) as conn:
            return (await conn.execute(statement(sql))).scalar()

    async def unpublished(self) -> int:
        return int(await self.scalar("SELECT count(*) FROM outbox WHERE published_at IS NULL"))

    async def stored(self) -> list[int]:
        """Revisions of all events in the stream, in its order."""
        jetstream = self.bus.client.jetstream()
        state = await self.bus.stream_state()
        found = []
        for sequence in range(max(1, state.first), state.last + 1):
            message = await jetstream.get_msg(STREAM, sequence)
            events = decode(message.data or b"", sequence).events
            found += [each.revision for each in events if each.resource == "thing"]
        return found

    async def events(self) -> list[ReceivedEvent]:
        """All events of the stream."""
        jetstream = self.bus.client.jetstream()
        state = await self.bus.stream_state()
        messages = [await jetstream.get_msg(STREAM, seq) for seq in range(1, state.last + 1)]
        return [each for one in messages for each in decode(one.data or b"", 0).events]

    async def published(self) -> None:
        """Return when nothing waits to be published."""

        async def is_done() -> bool:
            return await self.unpublished() == 0

        await eventually(is_done)


@asynccontextmanager
async def system(database_url: str, nats_url: str) -> AsyncIterator[System]:
    engine = create_engine(database_url, "probe")
    bus = await Bus.connect(nats_url, "", "test")
    made = System(engine, bus)
    try:
        yield made
    finally:
        await made.stop()
        await bus.close()
        await engine.dispose()


@pytest.fixture
def url(database: DatabaseFactory) -> str:
    return database("probe")


@pytest.fixture
async def one(url: str, nats_url: str) -> AsyncIterator[System]:
    async with system(url, nats_url) as made:
        yield made


async def test_what_is_committed_is_published_and_the_rest_is_not(one: System) -> None:
    async def fail() -> None:
        async with transaction(one.engine) as conn:
            await one.outbox.append(conn, [event(666)])
            raise KeyError

    one.start()
    await one.commit(event(1))
    with pytest.raises(KeyError):
        await fail()
    await one.commit(event(2), event(3))
    await one.published()
    assert await one.stored() == [1, 2, 3]


async def test_what_was_committed_before_the_start_is_published(one: System) -> None:
    async with transaction(one.engine) as conn:
        await append(conn, SystemClock(), [event(1)])
        await append(conn, SystemClock(), [])
    one.start()
    await one.published()
    assert await one.stored() == [1]


async def test_a_commit_is_published_at_once(one: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "POLL_SECONDS", 3600)
    one.start()
    await eventually(lambda: one.relay.is_active)
    for n in range(20):
        await one.commit(event(n))
        await one.published()
    assert await one.stored() == list(range(20))


async def test_a_row_whose_transaction_commits_late_is_not_skipped(one: System) -> None:
    one.start()
    async with transaction(one.engine) as late:
        await one.outbox.append(late, [event(1, new_id())])
        await one.commit(event(2))
        await eventually_stored(one, [2])
    await one.published()
    assert await one.stored() == [2, 1]


async def eventually_stored(one: System, revisions: list[int]) -> None:
    async def is_stored() -> bool:
        return await one.stored() == revisions

    await eventually(is_stored)


async def test_only_one_relay_is_active_and_another_takes_over(url: str, nats_url: str) -> None:
    async with system(url, nats_url) as first, system(url, nats_url) as second:
        first.start()
        await eventually(lambda: first.relay.is_active)
        second.start()
        await first.commit(event(1))
        await second.commit(event(2))
        await first.published()
        assert not second.relay.is_active
        await first.stop()
        await eventually(lambda: second.relay.is_active)
        await first.commit(event(3))
        await second.published()
        assert await second.stored() == [1, 2, 3]


async def test_a_standby_passes_the_word_on(
    url: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "POLL_SECONDS", 3600)
    async with system(url, nats_url) as first, system(url, nats_url) as second:
        first.start()
        await eventually(lambda: first.relay.is_active)
        second.start()
        for n in range(5):
            await second.commit(event(n))
            await first.published()
        assert not second.relay.is_active


async def test_a_later_row_of_a_resource_never_overtakes_one_that_failed(one: System) -> None:
    other = new_id()
    bus = Flaky(one.bus, fail_on={2, 5, 6})
    one.relay = Relay(one.engine, bus, "probe")
    for revision in range(1, 9):
        await one.commit(event(revision), event(100 + revision, other))
    one.start()
    await one.published()
    stored = await one.stored()
    assert [each for each in stored if each < 100] == list(range(1, 9))
    assert [each for each in stored if each > 100] == list(range(101, 109))


class Flaky(Bus):
    """A bus that does not send some messages, by the order in which they are tried."""

    def __init__(self, bus: Bus, fail_on: set[int]) -> None:
        self.__dict__.update(bus.__dict__)
        self._bus = bus
        self._fail_on = fail_on
        self._tries = 0

    async def publish_window(self, messages: Any) -> list[int | AppError]:
        results: list[int | AppError] = []
        for message in messages:
            self._tries += 1
            if self._tries in self._fail_on:
                results.append(Unavailable("not this one"))
            else:
                results += await self._bus.publish_window([message])
        return results

    @property
    def is_connected(self) -> bool:
        return self._bus.is_connected

    @property
    def connections(self) -> int:
        return self._bus.connections


async def test_a_message_stored_but_not_acknowledged_is_stored_once(one: System) -> None:
    await one.commit(event(1))
    await one.bus.ensure_stream()
    one.start()
    await one.published()
    # As after a crash between the acknowledgement and the mark.
    await one.scalar("UPDATE outbox SET published_at = NULL RETURNING 1")
    one.relay.wake()
    await one.published()
    assert await one.stored() == [1]


async def test_two_databases_do_not_take_each_others_rows_for_duplicates(
    database: DatabaseFactory, nats_url: str
) -> None:
    async def stored_after(revision: int) -> list[int]:
        async with system(database("probe"), nats_url) as made:
            await made.commit(event(revision))
            made.start()
            await made.published()
            return await made.stored()

    assert await stored_after(1) == [1]
    assert await stored_after(2) == [1, 2]


async def test_published_rows_are_kept_for_an_hour_and_then_deleted(
    one: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "_CLEAN_SECONDS", 0)
    monkeypatch.setattr(relay, "_CLEAN_ROWS", 3)
    one.start()
    for revision in range(10):
        await one.commit(event(revision))
    await one.published()
    old = "UPDATE outbox SET published_at = published_at - interval '61 minutes' WHERE id <> (SELECT max(id) FROM outbox) RETURNING 1"
    await one.scalar(old)

    async def is_clean() -> bool:
        one.relay.wake()
        return bool(await one.scalar("SELECT count(*) FROM outbox") == 1)

    await eventually(is_clean)


async def test_a_stream_made_again_gets_the_kept_rows_again(
    one: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "_VERIFY_SECONDS", 0)
    one.start()
    for revision in range(1, 6):
        await one.commit(event(revision))
    await one.published()
    await one.bus.client.jetstream().delete_stream(STREAM)
    await one.bus.ensure_stream()
    one.relay.wake()
    await eventually_stored(one, [1, 2, 3, 4, 5])


async def test_rows_of_a_lost_end_are_published_again(one: System) -> None:
    one.start()
    for revision in range(1, 11):
        await one.commit(event(revision))
    await one.published()
    await one.stop()
    # What a power cut leaves: the last messages are gone, and others have taken their numbers.
    jetstream = one.bus.client.jetstream()
    kept = [await jetstream.get_msg(STREAM, n) for n in range(1, 7)]
    created = await one.scalar("SELECT created_at FROM outbox_stream")
    await jetstream.delete_stream(STREAM)
    await one.bus.ensure_stream()
    for message in kept:
        assert message.headers is not None
        await one.bus.publish(
            message.subject or "", message.data or b"", message.headers["Nats-Msg-Id"]
        )
    other = payload(event(resource="other"))
    strange = [Outgoing("outbound.v1.x.other.y", other, f"strange-{n}") for n in range(20)]
    await one.bus.publish_window(strange)
    state = await one.bus.stream_state()
    async with transaction(one.engine) as conn:
        await conn.execute(
            statement("UPDATE outbox_stream SET created_at = :now WHERE created_at = :before"),
            {"now": state.created, "before": created},
        )
    one.relay = Relay(one.engine, one.bus, "probe")
    one.start()
    await eventually_stored(one, list(range(1, 11)))


async def test_nothing_is_lost_when_nats_is_killed_and_comes_back(url: str) -> None:
    with own_nats() as server:
        async with system(url, server.url()) as made:
            made.start()
            await made.commit(event(1))
            await made.published()
            await end(server, signal.SIGKILL)
            await made.bus.wait_lost()
            for revision in range(2, 20):
                await made.commit(event(revision))
            await asyncio.to_thread(server.start)
            await made.published()
            assert await made.stored() == list(range(1, 20))


async def test_nothing_is_lost_when_postgresql_crashes_and_comes_back(nats_url: str) -> None:
    with own_postgres() as server:
        await migrate.migrate(server.url(), "probe")
        async with system(server.url(), nats_url) as made:
            made.start()
            await made.commit(event(1))
            await made.published()
            await restart(server)
            await made.commit(event(2))
            await made.published()
            assert await made.stored() == [1, 2]


async def test_nothing_is_lost_when_both_come_and_go_under_load() -> None:
    with own_postgres() as postgres, own_nats() as nats:
        await migrate.migrate(postgres.url(), "probe")
        async with system(postgres.url(), nats.url()) as made:
            made.start()
            committed = await _committing_through(made, postgres, nats)
            await made.published()
            stored = await made.stored()
            assert set(committed) <= set(stored)
            # At least once, and the first time each is seen in order.
            assert list(dict.fromkeys(stored)) == sorted(set(stored))


async def _committing_through(made: System, postgres: Postgres, nats: Any) -> list[int]:
    """Commit one event after another while the servers are restarted; revisions that succeeded."""
    committed: list[int] = []
    stop = asyncio.Event()

    async def commit() -> None:
        revision = 0
        while not stop.is_set():
            revision += 1
            try:
                await made.commit(event(revision, RESOURCE))
                committed.append(revision)
            except Unavailable:
                await asyncio.sleep(0.01)

    task = asyncio.create_task(commit())

    async def fifty_more() -> None:
        count = len(committed)
        await eventually(lambda: len(committed) > count + 50)

    for server in (nats, postgres, nats):
        await fifty_more()
        await restart(server)
    await fifty_more()
    stop.set()
    await task
    return committed
