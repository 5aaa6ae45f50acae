"""Sounds are fetched from the public internet only: against servers on this host."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType

import pytest

from services.common import public
from services.dialer.drivers.asterisk.media_web import FETCH_BYTES, MediaWeb
from services.dialer.drivers.asterisk.speech import SpeechFailed


class Server:
    """Notes what was asked for; `/to/ADDRESS` leads there."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[str] = []


@contextmanager
def serving(
    sound: bytes = b"a sound", headers: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Server]:
    made = Server(0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(f"{self.headers['Host']}{self.path}")
            is_moved = self.path.startswith("/to/")
            self.send_response(302 if is_moved else 200)
            if is_moved:
                host = self.path.removeprefix("/to/")
                self.send_header("Location", f"http://{host}:{made.port}/sound")
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"" if is_moved else sound)

        def log_message(self, *_: object) -> None:
            pass

    # Every address of 127.0.0.0/8 is this host's.
    server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0",
     "127.1", "127\u30020\u30020\u30021", "\u2460\u2461\u2466.0.0.1", "user:password@localhost", "[::127.0.0.1]"],
)  # fmt: skip
async def test_this_host_cannot_be_heard_however_it_is_written(
    server: Server, host: str, tmp_path: Path
) -> None:
    with pytest.raises(SpeechFailed, match=r"not in the public internet|not a canonical IPv4"):
        await MediaWeb().load(f"http://{host}:{server.port}/sound", tmp_path / "loaded")
    assert server.asked == []
    assert not (tmp_path / "loaded").exists()


@pytest.mark.parametrize("inner", ["127.0.0.2", "localhost"])
async def test_nor_by_a_redirection(
    server: Server, inner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One address of this host plays the public internet.
    monkeypatch.setattr(public, "is_public", lambda address: str(address) == "127.0.0.3")
    web, target = MediaWeb(), tmp_path / "loaded"
    first = f"127.0.0.3:{server.port}"
    with pytest.raises(SpeechFailed, match="not in the public internet"):
        await web.load(f"http://{first}/to/{inner}", target)
    assert server.asked == [f"{first}/to/{inner}"]
    await web.load(f"http://{first}/to/127.0.0.3", target)
    assert target.read_bytes() == b"a sound"


async def test_what_is_sent_packed_is_not_unpacked(tmp_path: Path) -> None:
    bomb = gzip.compress(b"x" * (FETCH_BYTES + 1))
    with serving(bomb, {"Content-Encoding": "gzip"}) as server:
        url = f"http://localhost:{server.port}/sound"
        await MediaWeb(allows_private=True).load(url, tmp_path / "loaded")
    assert (tmp_path / "loaded").read_bytes() == bomb


async def test_where_nobody_is_a_stranger_everything_can_be_heard(
    server: Server, tmp_path: Path
) -> None:
    await MediaWeb(allows_private=True).load(
        f"http://localhost:{server.port}/sound", tmp_path / "loaded"
    )
    assert (tmp_path / "loaded").read_bytes() == b"a sound"


@pytest.mark.parametrize("url", ["http://", "http://[", "http://a b/", "http://x.invalid/"])
async def test_what_is_no_address_is_a_failure_with_words(url: str, tmp_path: Path) -> None:
    with pytest.raises(SpeechFailed):
        await MediaWeb().load(url, tmp_path / "loaded")
