"""PostgreSQL: engines, transactions, and what their failures mean to a caller.

One schema per service. A connection that broke while idle, for example because PostgreSQL was
restarted, is noticed and replaced at checkout without a round trip; one that breaks in the middle of
a transaction becomes `Unavailable`.
"""

from __future__ import annotations

import select
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import orjson
import psycopg
from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql.elements import TextClause

from services.common.errors import Aborted, AppError, Unavailable
from services.common.log import get_logger

_CHECKOUT_SECONDS = 5.0
_AFTER_COMMIT: WeakKeyDictionary[AsyncConnection, dict[object, Callable[[], None]]] = (
    WeakKeyDictionary()
)
# serialization_failure, deadlock_detected, lock_not_available: someone else was faster.
_RACES = frozenset({"40001", "40P01", "55P03"})
# A server that is stopping, starting, full, cut off, or has become a read-only replica.
_OUTAGES = frozenset({"57P01", "57P02", "57P03", "57P04", "57P05", "25006", "25P03"})
_OUTAGE_CLASSES = frozenset({"08", "53", "58"})


def create_engine(
    url: str, schema: str, *, pool_size: int = 4, max_overflow: int = 6, name: str | None = None
) -> AsyncEngine:
    """An engine whose connections see only `schema`, in UTC, as application `outbound-<name>`.

    At most `pool_size + max_overflow` connections; a caller that gets none within 5 s is answered
    with Unavailable. Nothing connects before the first use.
    """
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=_CHECKOUT_SECONDS,
        pool_use_lifo=True,
        pool_pre_ping=False,
        # Statements and errors may be logged; their values (phone numbers, hashes) must not be.
        hide_parameters=True,
        # jsonb spells 1e20 as an integer, which would come back as one that orjson cannot write again.
        json_deserializer=orjson.loads,
        connect_args=connect_arguments(schema, name or schema),
    )
    event.listen(engine.sync_engine, "checkout", _refuse_broken)
    return engine


def connect_arguments(schema: str, name: str) -> dict[str, Any]:
    """libpq settings of every connection: schema, zone, name, and limits on dead peers."""
    return {
        "application_name": f"outbound-{name}",
        "options": f"-c search_path={schema} -c timezone=UTC "
        "-c idle_in_transaction_session_timeout=60000",
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        # Two runs are enough to be worth preparing: services repeat a few statements for ever.
        "prepare_threshold": 2,
    }


async def dedicated(url: str, schema: str, name: str) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    """One autocommit connection outside every pool, for session locks and LISTEN."""
    return await psycopg.AsyncConnection.connect(
        libpq_url(url), autocommit=True, **connect_arguments(schema, name)
    )


def libpq_url(url: str | URL) -> str:
    """The URL as libpq takes it, without SQLAlchemy's driver name."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction: committed at the end, rolled back by an exception.

    Raises Unavailable when PostgreSQL is lost (if that happens within the commit, its outcome is
    unknown: callers must be idempotent) and Aborted when another transaction was faster. Constraint
    violations pass through; see violated_constraint.
    """
    try:
        async with engine.begin() as conn:
            yield conn
    except (DBAPIError, PoolTimeoutError, psycopg.Error) as exc:
        meant = outage(exc)
        if meant is None:
            raise
        raise meant from exc
    for hook in _AFTER_COMMIT.pop(conn, {}).values():
        try:
            hook()
        except Exception:
            # The commit has happened: a hook is a hint and cannot undo it.
            get_logger().exception("after_commit_failed")


def after_commit(conn: AsyncConnection, key: object, hook: Callable[[], None]) -> None:
    """Call `hook` once the transaction() that gave `conn` has committed; once per key.

    A hook is a hint: it is lost when the process dies after the commit.
    """
    _AFTER_COMMIT.setdefault(conn, {})[key] = hook


@lru_cache(maxsize=4096)
def statement(sql: str) -> TextClause:
    """The SQL with `:name` parameters, parsed once. `sql` must be a constant, never built of data."""
    return text(sql)


def violated_constraint(exc: BaseException) -> str | None:
    """Name of the constraint that a statement violated, or None if that was not the failure."""
    cause = exc.orig if isinstance(exc, DBAPIError) else exc
    if isinstance(cause, psycopg.IntegrityError):
        return cause.diag.constraint_name
    return None


def outage(exc: BaseException) -> AppError | None:
    """What a driver's failure means to a caller: Unavailable, Aborted, or None for a bug of ours."""
    if isinstance(exc, PoolTimeoutError):
        return Unavailable("the database is too busy; try again", retry_after=1.0)
    cause = exc.orig if isinstance(exc, DBAPIError) else exc
    if not isinstance(cause, psycopg.Error):
        return None
    state = cause.sqlstate
    if state in _RACES:
        return Aborted("another change was faster; read again and retry")
    if state == "57014":
        return Unavailable("the database took too long; try again", reason="REQUEST_TIMEOUT")
    lost = state is None and isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
    if lost or (state and (state in _OUTAGES or state[:2] in _OUTAGE_CLASSES)):
        return Unavailable("the database is not available; try again", retry_after=1.0)
    return None


def _refuse_broken(dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
    """Make the pool replace a connection whose server has hung up.

    Nothing is on its way to an idle connection, so a readable socket holds the server's farewell.
    (A parameter change after a configuration reload looks the same and costs one reconnect.)
    """
    pgconn = dbapi_connection.driver_connection.pgconn
    if pgconn.status != psycopg.pq.ConnStatus.OK:
        raise DisconnectionError("connection is closed")
    poll = select.poll()
    poll.register(pgconn.socket, select.POLLIN | select.POLLHUP | select.POLLERR)
    if poll.poll(0):
        raise DisconnectionError("the server has closed the connection")
