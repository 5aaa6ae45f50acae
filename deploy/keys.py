"""Make the keys, passwords and server files of a deployment: `python -m deploy.keys FOLDER`.

Each process gets a sub-folder with what it may know and nothing else, so that each can be mounted
alone. The folder `master` keeps what they were made from. What exists is kept: running this again
changes no key, and adds what a newer version needs.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cli.stack.database import DATABASE, role_of
from cli.stack.folder import write_private
from cli.stack.secrets import Secrets
from cli.stack.stack import SCHEMAS
from services.common import natsauth

SUPERUSER = "postgres"
_PASSWORD_BYTES = 24
# The settings `outbound up` gives its own NATS server, at the addresses of a container.
_NATS_SETTINGS = """\
listen: 0.0.0.0:4222
http: 127.0.0.1:8222
max_payload: 8MB
jetstream { store_dir: "/data" }
"""


def main() -> None:
    """Settle the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the keys go")
    parser.add_argument(
        "--database", default="postgres:5432", metavar="HOST:PORT", help="address of PostgreSQL"
    )
    arguments = parser.parse_args()
    settle(arguments.folder, arguments.database, os.environ)


def settle(folder: Path, database: str, environment: Mapping[str, str]) -> None:
    """Make what is missing below `folder`; `database` is host:port as the processes see it.

    OUTBOUND_BOOTSTRAP_* of `environment` choose the first customer's credentials the first time.
    """
    master = Secrets(folder / "master" / "secrets")
    master.folder.mkdir(parents=True, exist_ok=True)
    master.settle(environment)
    urls = _database_urls(master.folder / "database_passwords.json", database)
    for service in SCHEMAS:
        _write(
            folder / service,
            {
                "key.pem": master.key(service).read_text(),
                "trusted_keys.json": master.trusted_keys.read_text(),
                "nats.creds": master.nats_services.read_text(),
                "database_url": urls[service],
            },
        )
    first_customer = master.bootstrap_values()
    _write(folder / "gateway", {"login_secret": master.login_secret.read_text(), **first_customer})
    _write(folder / "migrate", {"databases.json": json.dumps(urls, indent=2)})
    # These two are read by users of other images; their folders are mounted nowhere else.
    _write(folder / "postgres", {"password": _password_of(urls[SUPERUSER])}, mode=0o644)
    _write(
        folder / "nats",
        {"nats.conf": _NATS_SETTINGS + natsauth.server_config(master.operator())},
        mode=0o644,
    )


def _database_urls(path: Path, address: str) -> dict[str, str]:
    """Address with password for each service's role and for the superuser."""
    passwords: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    for name in (*SCHEMAS, SUPERUSER):
        passwords.setdefault(name, secrets.token_hex(_PASSWORD_BYTES))
    write_private(path, json.dumps(passwords, indent=2))
    roles = {name: role_of(name) for name in SCHEMAS} | {SUPERUSER: SUPERUSER}
    return {
        name: f"postgresql://{role}:{passwords[name]}@{address}/{DATABASE}"
        for name, role in roles.items()
    }


def _password_of(url: str) -> str:
    return url.partition("://")[2].partition("@")[0].partition(":")[2]


def _write(folder: Path, files: Mapping[str, str], *, mode: int = 0o600) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_private(folder / name, text)
        (folder / name).chmod(mode)


if __name__ == "__main__":
    main()
