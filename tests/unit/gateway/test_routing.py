from __future__ import annotations

import pytest

from gateway.router import Router
from gateway.table import ROUTES
from gateway.upstreams import STUBS

ROUTER = Router(ROUTES)


@pytest.mark.parametrize("prefix", ["", "/v1.0"])
@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/campaigns", "/campaigns"),
        ("HEAD", "/campaigns", "/campaigns"),
        ("PUT", "/campaigns/1/status", "/campaigns/{id}/status"),
        ("POST", "/outdials/1/targets:batch", "/outdials/{id}/targets:batch"),
        ("POST", "/outdials/1/targets/import", "/outdials/{id}/targets/import"),
        ("GET", "/outdials/1/targets/2", "/outdials/{id}/targets/{target_id}"),
        ("PUT", "/outplans/1/dials", "/outplans/{id}/dial_info"),
        ("POST", "/queuecalls/reference_id/1/kick", "/queuecalls/reference_id/{id}/kick"),
        ("POST", "/queues/1/direct_hash_regenerate", "/queues/{id}/direct-hash-regenerate"),
        ("POST", "/auth/login", "/auth/login"),
    ],
)
def test_paths_find_their_route(prefix: str, method: str, path: str, route: str) -> None:
    found = ROUTER.match(method, prefix + path)
    assert found is not None
    assert found[0].path == route


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/campaigns"),
        ("GET", "/campaigns/"),
        ("GET", "/campaigns//status"),
        ("GET", "/v1.0/v1.0/campaigns"),
        ("GET", "/v2/campaigns"),
        ("GET", ""),
        ("GET", "/Campaigns"),
        ("GET", "/campaigns/1/2/3/4"),
    ],
)
def test_everything_else_finds_none(method: str, path: str) -> None:
    assert ROUTER.match(method, path) is None


def test_parameters_are_named_as_their_own_route_names_them() -> None:
    found = ROUTER.match("GET", "/v1.0/outdials/a/imports/b/rejects")
    assert found is not None
    assert found[1] == {"id": "a", "import_id": "b"}


def test_known_methods_of_a_path() -> None:
    assert ROUTER.methods("/v1.0/campaigns/x") == ["GET", "PUT", "DELETE"]
    assert ROUTER.methods("/nothing") == []


def test_a_route_cannot_be_declared_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        Router([*ROUTES, ROUTES[0]])


def test_every_rpc_named_by_a_route_exists() -> None:
    methods = {
        service: {
            attribute for attribute in vars(type_of_stub(service)) if not attribute.startswith("_")
        }
        for service in STUBS
    }
    for route in ROUTES:
        closure = getattr(route.handler, "__closure__", None) or ()
        for cell in closure:
            asked = cell.cell_contents
            if type(asked).__name__ == "Rpc":
                assert asked.method in methods[asked.service]


def type_of_stub(service: str) -> type:
    """The servicer beside the stub: its methods are known without a channel."""
    stub = STUBS[service][1]
    module = __import__(stub.__module__, fromlist=["x"])
    found: type = getattr(module, stub.__name__.removesuffix("Stub") + "Servicer")
    return found
