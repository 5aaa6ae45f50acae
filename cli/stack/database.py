"""The stack's database: one role and one schema for each process, so none can read another's tables."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import psycopg
from psycopg import sql

from cli.errors import CommandError, ExitCode
from services.common.migrate import MigrationError, migrate

DATABASE = "outbound"


def role_of(service: str) -> str:
    """Name of the role a service logs in with."""
    return f"outbound_{service}"


def prepare(url: Callable[[str, str], str], superuser: str, services: Sequence[str]) -> None:
    """Make database, roles and schemas where missing; `url` is the address for a database and user."""
    with psycopg.connect(url("postgres", superuser), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if found.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    with psycopg.connect(url(DATABASE, superuser), autocommit=True) as connection:
        for service in services:
            _prepare_service(connection, service)


def apply_migrations(urls: Mapping[str, str]) -> None:
    """Bring each service's schema up to date; `urls` is service -> address. Raises CommandError."""
    for service, url in urls.items():
        try:
            asyncio.run(migrate(url, service))
        except (MigrationError, psycopg.Error) as error:
            reason = str(error).strip().splitlines()[0]
            raise CommandError(f"schema {service}: {reason}", ExitCode.UNAVAILABLE) from error


def _prepare_service(connection: psycopg.Connection[tuple[object, ...]], service: str) -> None:
    role = sql.Identifier(role_of(service))
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role_of(service)])
    if found.fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
    # `CREATE SCHEMA IF NOT EXISTS`, as the migrations say it, asks for the right even when there is one.
    connection.execute(
        sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(sql.Identifier(DATABASE), role)
    )
    schema = sql.Identifier(service)
    connection.execute(
        sql.SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}").format(schema, role)
    )
