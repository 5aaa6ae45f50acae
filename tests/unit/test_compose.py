"""docker-compose.yml, Dockerfile and deploy/, checked without a container engine."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.embedded import postgres
from cli.stack.secrets import ISSUERS
from deploy import keys
from services.common import config
from simnet import config as simnet_config

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
JOBS = {"keys", "migrate"}
FOREIGN = {"postgres", "nats"}
OURS = {"campaign", "outdial", "queue", "dialer-1", "dialer-2", "gateway"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the job `keys` makes."""
    made = tmp_path_factory.mktemp("keys")
    keys.settle(made, "postgres:5432", {})
    return made


def mounts(name: str) -> dict[str, str]:
    """Volume -> place, of one service."""
    pairs = (volume.split(":") for volume in SERVICES[name].get("volumes", []))
    return {volume: place for volume, place, *_ in pairs}


def key_folder(name: str) -> str:
    """Sub-folder of the keys that one service sees as /keys."""
    (volume,) = [each for each, place in mounts(name).items() if place == "/keys"]
    return volume.removeprefix("keys-")


def module_of(name: str) -> str:
    command = SERVICES[name]["command"]
    assert command[:2] == ["python", "-m"], name
    return str(command[2])


def settings_class(module: str) -> type[config.ServiceSettings]:
    """The settings a process reads: the most special class of its config module."""
    found = importlib.import_module(f"{module}.config")
    classes = [
        each
        for _, each in inspect.getmembers(found, inspect.isclass)
        if issubclass(each, config.ServiceSettings)
    ]
    return max(classes, key=lambda each: len(each.__mro__))


def in_folder(value: str, name: str, folder: Path) -> str:
    """The value with /keys/ replaced by the folder that is mounted there."""
    return value.replace("/keys/", f"{folder / key_folder(name)}/")


def test_every_part_of_the_system_is_there() -> None:
    assert SERVICES.keys() == JOBS | FOREIGN | OURS | {"simnet"}


def test_everything_that_stays_has_a_health_check_and_is_started_again() -> None:
    for name in SERVICES.keys() - JOBS:
        check = SERVICES[name]["healthcheck"]
        assert check["test"][0] == "CMD", name
        assert {"interval", "timeout", "retries", "start_period"} <= check.keys(), name
        assert SERVICES[name]["restart"] == "unless-stopped", name


def test_jobs_run_once() -> None:
    for name in JOBS:
        assert SERVICES[name]["restart"] == "no"
        assert "healthcheck" not in SERVICES[name]


def test_start_waits_for_what_a_process_stands_on() -> None:
    for name, service in SERVICES.items():
        for other, wanted in service.get("depends_on", {}).items():
            done = "service_completed_successfully" if other in JOBS else "service_healthy"
            assert wanted == {"condition": done}, f"{name} -> {other}"
    for name in OURS:
        assert SERVICES[name]["depends_on"].keys() >= {"migrate", "nats"}, name
    assert "keys" in SERVICES["nats"]["depends_on"]
    assert "keys" in SERVICES["postgres"]["depends_on"]
    assert "postgres" in SERVICES["migrate"]["depends_on"]


def test_commands_and_checks_name_modules_that_can_be_run() -> None:
    modules = {module_of(name) for name in JOBS | OURS | {"simnet"}}
    modules |= {
        check[3]
        for name in SERVICES.keys() - JOBS
        if (check := SERVICES[name]["healthcheck"]["test"])[1] == "python"
    }
    for module in modules:
        spec = importlib.util.find_spec(module)
        assert spec is not None, module
        if spec.submodule_search_locations is not None:
            assert importlib.util.find_spec(f"{module}.__main__") is not None, module


def test_every_image_of_ours_is_the_one_image() -> None:
    for name in SERVICES.keys() - FOREIGN:
        assert (SERVICES[name]["image"], SERVICES[name]["build"]) == ("outbound", ".")


def test_volumes_are_declared_and_used() -> None:
    used = {volume for name in SERVICES for volume in mounts(name)}
    assert used == COMPOSE["volumes"].keys()


def test_each_process_sees_its_own_keys_only() -> None:
    for name in SERVICES.keys() - {"keys"}:
        own = [volume for volume in mounts(name) if volume.startswith("keys-")]
        if name == "simnet":
            assert own == []
            continue
        assert own == [f"keys-{name.partition('-')[0]}"], name
        assert f"{own[0]}:/keys:ro" in SERVICES[name]["volumes"], name


def test_no_secret_stands_in_the_file() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|ACCESS_KEY|DATABASE_URL|CREDENTIALS|KEY", variable):
                is_reference = value.startswith("/keys/") or value == f"${{{variable}:-}}"
                assert is_reference, f"{name}: {variable}"
            assert not re.search(r"://[^/]*@", str(value)), f"{name}: {variable}"


def test_only_the_gateway_is_published_and_on_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"gateway": ["127.0.0.1:${OUTBOUND_HTTP_PORT:-8080}:8080"]}


@pytest.mark.parametrize("name", sorted(OURS))
def test_settings_are_known_and_accepted_by_the_process(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cls = settings_class(module_of(name))
    known = {f"{config.PREFIX}{field.upper()}" for field in cls.model_fields}
    for variable, value in SERVICES[name]["environment"].items():
        assert variable in known or variable.removesuffix("_FILE") in known, variable
        monkeypatch.setenv(variable, in_folder(value, name, folder))
    settings = config.load(cls)
    for place in (settings.key_file, settings.trusted_keys_file, settings.nats_credentials):
        assert Path(place).is_file(), place
    assert settings.database_url.endswith("@postgres:5432/outbound")


def test_simnet_knows_its_variables() -> None:
    environment = SERVICES["simnet"]["environment"]
    source = Path(str(simnet_config.__file__)).read_text()
    for variable in environment:
        assert f'"{variable}"' in source
    assert simnet_config.load(environment).listen == "0.0.0.0:50051"


def addresses() -> Iterator[tuple[str, str]]:
    for name in OURS:
        for variable, value in SERVICES[name]["environment"].items():
            if variable.endswith("_ADDRESS"):
                yield from ((name, each) for each in value.split(","))


def test_addresses_lead_to_where_the_peers_listen() -> None:
    for name, address in addresses():
        peer, _, port = address.partition(":")
        environment = SERVICES[peer]["environment"]
        listens = environment.get("OUTBOUND_GRPC_LISTEN", environment.get("OUTBOUND_SIMNET_LISTEN"))
        assert listens == f"0.0.0.0:{port}", f"{name}: {address}"


def test_dialers_differ_in_who_and_where_they_are() -> None:
    first, second = (SERVICES[f"dialer-{number}"]["environment"] for number in (1, 2))
    own = {"OUTBOUND_DIALER_ID": "dialer-1", "OUTBOUND_DIALER_ADVERTISE": "dialer-1:50051"}
    assert {name: first[name] for name in first if first[name] != second[name]} == own


def test_postgres_has_the_settings_of_outbound_up() -> None:
    command = SERVICES["postgres"]["command"]
    given = dict(part.removeprefix("-c").split("=") for part in command[1:])
    assert given == dict(postgres._SETTINGS)


def test_postgres_reads_the_password_of_the_superuser(folder: Path) -> None:
    environment = SERVICES["postgres"]["environment"]
    password = Path(in_folder(environment["POSTGRES_PASSWORD_FILE"], "postgres", folder))
    urls = json.loads((folder / "migrate" / "databases.json").read_text())
    assert f":{password.read_text()}@" in urls[keys.SUPERUSER]


def test_nats_demands_credentials(folder: Path) -> None:
    text = (folder / "nats" / "nats.conf").read_text()
    assert "resolver_preload" in text
    assert SERVICES["nats"]["command"] == ["--config", "/keys/nats.conf"]
    assert mounts("nats")["nats-data"] == "/data"


def test_keys_stay_the_same_when_made_again(folder: Path) -> None:
    def contents() -> dict[str, str]:
        return {
            str(path.relative_to(folder)): path.read_text()
            for path in folder.rglob("*")
            # Renewed at each start on purpose; the account they are signed with stays.
            if path.is_file() and path.suffix not in (".creds", ".conf")
        }

    before = contents()
    keys.settle(folder, "postgres:5432", {})
    assert contents() == before


def test_private_keys_go_to_their_process_alone(folder: Path) -> None:
    for issuer in ISSUERS:
        text = (folder / "master" / "secrets" / f"{issuer}_key.pem").read_text()
        holders = {
            path.parent.name
            for path in folder.rglob("*.pem")
            if path.read_text() == text and "master" not in path.parts
        }
        assert holders == ({issuer} if issuer != "client" else set())
    for path in folder.rglob("*"):
        if path.is_file() and path.parent.name not in ("postgres", "nats"):
            assert path.stat().st_mode & 0o077 == 0, path


def test_dockerfile_installs_the_lock_and_runs_as_nobody_special() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("FROM ")] == [
        "FROM python:3.11-slim AS packages",
        "FROM python:3.11-slim",
    ]
    assert "USER outbound" in lines
    installs = [line for line in lines if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line for line in installs)


def test_image_has_what_its_commands_need() -> None:
    kept = {
        line.removeprefix("!").split("/")[0]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    modules = {module_of(name).split(".")[0] for name in SERVICES.keys() - FOREIGN}
    assert modules | {"cli", "proto", "requirements"} <= kept
    folders = re.search(r"for name in ([\w ]+);", (ROOT / "Dockerfile").read_text())
    assert folders is not None
    made = {f"keys-{name}" for name in folders[1].split()}
    assert made == {volume for volume in COMPOSE["volumes"] if volume.startswith("keys-")}
