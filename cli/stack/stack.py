"""The whole system as processes of one machine: started in order, watched, stopped in order."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cli.embedded.asterisk import PrivateAsterisk
from cli.embedded.errors import EmbeddedError
from cli.embedded.nats import Nats
from cli.embedded.postgres import SUPERUSER, Postgres
from cli.errors import CommandError, ExitCode
from cli.stack import database
from cli.stack.folder import ClockSettings, DataFolder, utc_now
from cli.stack.ports import require_free
from cli.stack.processes import Child, ProcessSpec, grpc_health, http_health
from cli.stack.secrets import Secrets
from cli.stack.telephony import (
    FILE_VARIABLE,
    HTTP_PORT,
    SIP_PORT,
    about_phones,
    dialer_environment,
    make_asterisk,
    write_pbx_file,
)
from services.common import natsauth
from services.common.config import database_url_fault

SCHEMAS = ("campaign", "outdial", "queue", "dialer", "gateway")
_HEALTH_SECONDS = 90.0
_WATCH_SECONDS = 0.1
CARRIERS = ("simulated", "asterisk")


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What `outbound up` was asked for."""

    data_dir: Path
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    carrier: str = "simulated"
    trunk: tuple[str, int] | None = None
    sip: tuple[str, int] | None = None
    time_scale: float = 1.0
    dialer_count: int = 2
    network_profile: Path | None = None
    network_seed: str = ""
    fsync: bool = True
    extra_environment: Mapping[str, str] = field(default_factory=dict)


class Stack:
    """Starts and keeps the system. Use: `start`, then `watch` until told to stop, then `stop`.

    PostgreSQL and NATS are started too, unless OUTBOUND_DATABASE_URL or OUTBOUND_NATS_URL name
    servers to use instead; likewise Asterisk for that carrier, unless OUTBOUND_ASTERISK_FILE does.
    """

    def __init__(self, options: StackOptions, say: Callable[[str], None]) -> None:
        """Describe a stack; `say` is given one line at a time for the person who watches."""
        self.options = options
        self.folder = DataFolder(options.data_dir)
        self.secrets = Secrets(self.folder.secrets)
        self._say = say
        self._postgres: Postgres | None = None
        self._nats: Nats | None = None
        self._asterisk: PrivateAsterisk | None = None
        self._pbx_file: Path | None = None
        self._children: list[Child] = []
        self._ports: dict[str, int] = {}
        self._clock: ClockSettings | None = None

    @property
    def url(self) -> str:
        """Address of the gateway."""
        host = self.options.http_host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.options.http_port}"

    def child_pids(self) -> dict[str, int | None]:
        """Process ids by name, None for one that is down."""
        pids: dict[str, int | None] = {child.spec.name: child.pid for child in self._children}
        if self._postgres is not None:
            pids["postgres"] = self._postgres.pid if self._postgres.is_running() else None
        if self._nats is not None:
            pids["nats"] = self._nats.pid if self._nats.is_running() else None
        if self._asterisk is not None:
            pids["asterisk"] = self._asterisk.pid if self._asterisk.is_running() else None
        return pids

    def start(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Start everything and return when all of it is healthy.

        Raises EmbeddedError or CommandError with one clear line; what was started is then stopped.
        """
        options = self.options
        if options.carrier not in CARRIERS:
            raise CommandError(
                f"--carrier {options.carrier} is not built; there are: {', '.join(CARRIERS)}",
                ExitCode.USAGE,
            )
        self._check_carrier()
        self._check_database()
        self.folder.acquire()
        try:
            require_free(options.http_host, options.http_port, "--http")
            self.secrets.settle(os.environ)
            self._clock = self.folder.settle_clock(options.time_scale, utc_now())
            self._ports = self.folder.settle_ports(self._port_names())
            self._start_servers()
            self._start_children(is_stopping)
        except BaseException:
            self.stop()
            raise
        self._publish()

    def watch(self) -> None:
        """Look after every process once: start again what died."""
        servers = {"PostgreSQL": self._postgres, "NATS": self._nats, "Asterisk": self._asterisk}
        for name, server in servers.items():
            if server is not None and not server.is_running():
                self._say(f"{name} ended; starting it again")
                try:
                    server.start()
                except EmbeddedError as error:
                    self._say(f"{name}: {error}")
                self._publish()
        changed = False
        for child in self._children:
            before = child.pid
            if said := child.watch():
                self._say(said)
            changed = changed or before != child.pid
        if changed:
            self._publish()
        time.sleep(_WATCH_SECONDS)

    def stop(self) -> None:
        """Stop everything in the order that loses nothing; safe to repeat."""
        # The edge first, then who places calls, then who keeps the facts, then the phones.
        for tier in (_is_gateway, _is_dialer, _is_keeper, _is_network):
            leaving = [child for child in self._children if tier(child.spec.name)]
            for child in leaving:
                child.ask_to_stop()
            for child in leaving:
                child.stop()
        self._children.clear()
        for server in (self._asterisk, self._nats, self._postgres):
            if server is not None:
                server.stop()
        self.folder.release()

    def _start_servers(self) -> None:
        if not os.environ.get("OUTBOUND_DATABASE_URL"):
            self._say("starting PostgreSQL")
            self._postgres = Postgres(self.folder.path / "postgres", fsync=self.options.fsync)
            self._postgres.start()
            for note in self._postgres.notes:
                self._say(note)
            database.prepare(self._postgres.url, SUPERUSER, SCHEMAS)
        database.apply_migrations({service: self._database_url(service) for service in SCHEMAS})
        if not os.environ.get("OUTBOUND_NATS_URL"):
            self._say("starting NATS")
            operator = self.secrets.operator()
            self._nats = Nats(
                self.folder.path / "nats",
                port=self._ports["nats"],
                config=natsauth.server_config(operator),
            )
            self._nats.start()
        if self.options.carrier == "asterisk" and not os.environ.get(FILE_VARIABLE):
            self._start_asterisk()

    def _start_asterisk(self) -> None:
        self._say("starting Asterisk")
        self._asterisk = make_asterisk(
            self.folder, self.secrets, self._ports, self.options.sip, self.options.trunk, self._say
        )
        self._asterisk.start()
        self._pbx_file = write_pbx_file(self.secrets, self._asterisk)
        for line in about_phones(self._asterisk, self.secrets):
            self._say(line)

    def _check_carrier(self) -> None:
        options = self.options
        is_real = options.carrier == "asterisk"
        if is_real and options.time_scale != 1.0:
            raise CommandError(
                f"--time-scale {options.time_scale}: real people have real time; "
                "the carrier asterisk needs 1",
                ExitCode.USAGE,
            )
        own = is_real and not os.environ.get(FILE_VARIABLE)
        if (options.trunk or options.sip) and not own:
            raise CommandError(
                f"--trunk and --sip are for the stack's own Asterisk: with --carrier asterisk and "
                f"without {FILE_VARIABLE}",
                ExitCode.USAGE,
            )

    def _check_database(self) -> None:
        url = os.environ.get("OUTBOUND_DATABASE_URL")
        if url and (fault := database_url_fault(url)):
            # It may hold a password: not repeated.
            raise CommandError(f"OUTBOUND_DATABASE_URL: accepted is {fault}", ExitCode.USAGE)

    def _start_children(self, is_stopping: Callable[[], bool]) -> None:
        specs = self._specs()
        deadline = time.monotonic() + _HEALTH_SECONDS
        for spec in specs:
            self._children.append(Child(spec, self.folder.logs / f"{spec.name}.log"))
        self._say("starting " + ", ".join(spec.name for spec in specs))
        for child in self._children:
            child.start()
        for child in self._children:
            if not is_stopping():
                child.await_health(deadline, is_stopping)

    def _specs(self) -> list[ProcessSpec]:
        return [*(self._service(name) for name in self._grpc_names()), self._gateway()]

    def _grpc_names(self) -> list[str]:
        dialers = [f"dialer-{number}" for number in range(1, self.options.dialer_count + 1)]
        network = ["simnet"] if self.options.carrier == "simulated" else []
        return [*network, "campaign", "outdial", "queue", *dialers]

    def _port_names(self) -> list[str]:
        names = self._grpc_names()
        return [
            "nats",
            HTTP_PORT,
            SIP_PORT,
            *names,
            *(f"{name}-metrics" for name in (*names, "gateway")),
        ]

    def _service(self, name: str) -> ProcessSpec:
        service = "dialer" if name.startswith("dialer-") else name
        environment = self._environment(service)
        address = self._address(name)
        environment["OUTBOUND_GRPC_LISTEN"] = address
        environment["OUTBOUND_METRICS_LISTEN"] = self._address(f"{name}-metrics")
        module = f"services.{service}"
        if name == "simnet":
            module = "simnet"
            environment["OUTBOUND_SIMNET_LISTEN"] = address
            environment["OUTBOUND_SIMNET_METRICS_LISTEN"] = self._address(f"{name}-metrics")
            environment["OUTBOUND_SIMNET_LEDGER"] = str(self.folder.path / "ledger.jsonl")
            if self.options.network_profile is not None:
                profile = self.options.network_profile.absolute()
                environment["OUTBOUND_SIMNET_PROFILE"] = str(profile)
            if self.options.network_seed:
                environment["OUTBOUND_SIMNET_SEED"] = self.options.network_seed
        if service == "dialer":
            environment["OUTBOUND_DIALER_ID"] = name
            environment["OUTBOUND_CARRIER"] = self.options.carrier
            if self.options.carrier == "asterisk":
                environment |= dialer_environment(self.folder, self._pbx_file)
        environment |= self.options.extra_environment
        return ProcessSpec(name, module, environment, grpc_health(address))

    def _gateway(self) -> ProcessSpec:
        environment = self._environment("gateway")
        listen = f"{self.options.http_host}:{self.options.http_port}"
        environment["OUTBOUND_HTTP_LISTEN"] = listen
        environment["OUTBOUND_METRICS_LISTEN"] = self._address("gateway-metrics")
        environment["OUTBOUND_LOGIN_SECRET_FILE"] = str(self.secrets.login_secret)
        environment |= self.secrets.bootstrap_environment()
        environment |= self.options.extra_environment
        return ProcessSpec("gateway", "gateway", environment, http_health(f"{self.url}/health"))

    def _environment(self, service: str) -> dict[str, str]:
        assert self._clock is not None
        environment = dict(os.environ)
        environment["OUTBOUND_DATABASE_URL"] = self._database_url(service)
        environment["OUTBOUND_NATS_URL"] = self._nats_url()
        if self._nats is not None:
            environment["OUTBOUND_NATS_CREDENTIALS"] = str(self.secrets.nats_services)
        if service in SCHEMAS:
            environment["OUTBOUND_KEY_FILE"] = str(self.secrets.key(service))
        environment["OUTBOUND_TRUSTED_KEYS_FILE"] = str(self.secrets.trusted_keys)
        environment["OUTBOUND_CLOCK_REAL_EPOCH"] = self._clock.real_epoch.isoformat()
        environment["OUTBOUND_CLOCK_VIRTUAL_EPOCH"] = self._clock.virtual_epoch.isoformat()
        environment["OUTBOUND_CLOCK_SCALE"] = str(self._clock.scale)
        for name in ("simnet", "campaign", "outdial", "queue"):
            if name not in self._ports:
                continue
            environment[f"OUTBOUND_{name.upper()}_ADDRESS"] = self._address(name)
        environment["OUTBOUND_DIALER_ADDRESS"] = ",".join(self._dialer_addresses())
        environment["PYTHONUNBUFFERED"] = "1"
        return environment

    def _dialer_addresses(self) -> list[str]:
        return [self._address(name) for name in self._ports if _is_dialer(name)]

    def _address(self, name: str) -> str:
        return f"127.0.0.1:{self._ports[name]}"

    def _nats_url(self) -> str:
        return self._nats.url() if self._nats is not None else os.environ["OUTBOUND_NATS_URL"]

    def _database_url(self, service: str) -> str:
        if self._postgres is not None:
            return self._postgres.url(database.DATABASE, database.role_of(service))
        # A configured server is used as configured: making roles there is its owner's business.
        return os.environ["OUTBOUND_DATABASE_URL"]

    def _publish(self) -> None:
        """Tell the other commands (and a person) where everything is."""
        if not self._children:
            return
        self.folder.write_run(
            {
                "url": self.url,
                "pid": os.getpid(),
                "pids": self.child_pids(),
                "grpc": {name: self._address(name) for name in self._grpc_names()},
                "metrics": {name: self._address(name) for name in self._ports if _is_metrics(name)},
                "nats_url": self._nats_url(),
                "secrets": str(self.folder.secrets),
                "python": sys.executable,
            }
        )


def _is_gateway(name: str) -> bool:
    return name == "gateway"


def _is_network(name: str) -> bool:
    return name == "simnet"


def _is_keeper(name: str) -> bool:
    return name in SCHEMAS and not _is_gateway(name)


def _is_dialer(name: str) -> bool:
    return name.startswith("dialer-") and not _is_metrics(name)


def _is_metrics(name: str) -> bool:
    return name.endswith("-metrics")
