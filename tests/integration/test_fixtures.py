"""The databases and streams tests are given are theirs alone."""

import nats
import psycopg

from tests.fixtures.postgres import DatabaseFactory


def test_every_call_gives_another_migrated_database(database: DatabaseFactory) -> None:
    first, second = database("outdial"), database("outdial")
    with psycopg.connect(first, autocommit=True) as connection:
        connection.execute("CREATE TABLE outdial.mine (id int)")
    with psycopg.connect(second) as connection:
        found = connection.execute(
            "SELECT to_regclass('outdial.mine') IS NULL, count(*) > 0"
            " FROM pg_tables WHERE schemaname = 'outdial'"
        )
        assert found.fetchone() == (True, True)


async def test_database_can_be_made_while_a_loop_runs(database: DatabaseFactory) -> None:
    async with await psycopg.AsyncConnection.connect(database("outdial", "campaign")) as connection:
        found = await connection.execute(
            "SELECT count(DISTINCT schemaname) FROM pg_tables"
            " WHERE schemaname IN ('outdial', 'campaign')"
        )
        assert await found.fetchone() == (2,)


async def test_streams_of_one_test_are_gone_in_the_next(nats_url: str) -> None:
    await _make_stream_where_there_is_none(nats_url)


async def test_streams_of_one_test_are_gone_in_the_next_too(nats_url: str) -> None:
    await _make_stream_where_there_is_none(nats_url)


async def _make_stream_where_there_is_none(nats_url: str) -> None:
    connection = await nats.connect(nats_url)
    jetstream = connection.jetstream()
    assert await jetstream.streams_info() == []
    await jetstream.add_stream(name="LEFT", subjects=["left.>"])
    await connection.close()
