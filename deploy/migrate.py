"""Bring a deployment's database up to date: `python -m deploy.migrate FILE`.

FILE is the `databases.json` of deploy.keys. Makes the database, one role and one schema for each
service, sets the roles' passwords and applies the migrations. Safe to repeat.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from cli.stack import database
from deploy.keys import SUPERUSER


def main() -> None:
    """Work through the file that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m deploy.migrate databases.json")
    migrate(json.loads(Path(sys.argv[1]).read_text()))


def migrate(urls: dict[str, str]) -> None:
    """`urls` is service -> address with its role's password, and the superuser's."""
    superuser = urls[SUPERUSER]
    services = {name: url for name, url in urls.items() if name != SUPERUSER}

    def address(name: str, _user: str) -> str:
        return urlsplit(superuser)._replace(path=f"/{name}").geturl()

    database.prepare(address, SUPERUSER, list(services))
    with psycopg.connect(superuser, autocommit=True) as connection:
        for name, url in services.items():
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                    sql.Identifier(database.role_of(name)), sql.Literal(urlsplit(url).password)
                )
            )
    database.apply_migrations(services)
    print(f"database is up to date for {', '.join(services)}")


if __name__ == "__main__":
    main()
