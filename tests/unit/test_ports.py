"""Ports of stacks that start side by side."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from cli.embedded.errors import PortTaken
from cli.stack.ports import claim_port, find_free_port

HOST = "127.0.0.1"
CLAIM = "import sys; from cli.stack.ports import claim_port; print(claim_port('127.0.0.1', int(sys.argv[1])))"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def claimed_elsewhere(port: int) -> bool:
    """Whether another process may have the port."""
    command = [sys.executable, "-c", CLAIM, str(port)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout == "True\n"


def test_a_claimed_port_is_nobody_elses_before_its_server_listens() -> None:
    port = free_port()
    assert claim_port(HOST, port)
    assert not claimed_elsewhere(port)
    assert not claim_port(HOST, port)


def test_a_claim_ends_with_its_process() -> None:
    port = free_port()
    assert claimed_elsewhere(port)
    assert claim_port(HOST, port)


def test_a_port_somebody_listens_on_is_passed_over() -> None:
    other = free_port()
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert find_free_port(HOST, [port, other]) == other
        with pytest.raises(PortTaken, match="none of 1 ports"):
            find_free_port(HOST, [port])
