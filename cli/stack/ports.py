"""Ports a server could listen on now."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable

from cli.embedded.errors import PortTaken

_claimed: set[int] = set()


def is_port_free(host: str, port: int) -> bool:
    """Whether a server could listen there now; False for port 0."""
    if port == 0:
        return False
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def claim_port(host: str, port: int) -> bool:
    """Whether a server could listen there, and no other process of ours has chosen it.

    A port that looks free is not taken before its server listens. Until this process ends, nobody who
    asks here gets the same one; the claim is a name in the kernel, so a crash leaves none behind.
    """
    if port in _claimed or not is_port_free(host, port):
        return False
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        claim.bind(f"\0outbound-port-{port}")
    except OSError:
        claim.close()
        return False
    claim.detach()  # Open for as long as the process lives.
    _claimed.add(port)
    return True


def require_free(host: str, port: int, option: str) -> None:
    """Raise PortTaken when nobody else could listen there."""
    if not is_port_free(host, port):
        raise PortTaken(
            f"{host}:{port} is taken or not an address here; choose another with {option}"
        )


def spread(first: int, last: int) -> list[int]:
    """The ports from `first` to `last`, begun elsewhere in every process: neighbours seldom meet."""
    start = os.getpid() % (last - first + 1)
    ports = range(first, last + 1)
    return [*ports[start:], *ports[:start]]


def find_free_port(host: str, candidates: Iterable[int]) -> int:
    """The first that can be claimed; raises PortTaken when none can."""
    tried = 0
    for port in candidates:
        if claim_port(host, port):
            return port
        tried += 1
    raise PortTaken(f"none of {tried} ports is free on {host}")
