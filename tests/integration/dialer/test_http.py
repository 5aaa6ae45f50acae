"""What flows may reach of the web, and what not: against a server on this host."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.common.ids import new_id
from services.common.public import is_public
from services.dialer.clients_http import MAX_ANSWER_BYTES, HttpClient
from services.dialer.domain.webhooks import HttpAnswer, HttpFailedError, HttpRequest

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Server:
    """Notes each request whole and answers as the test says."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.reply: Reply = text(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        self.port = 0
        self.let_go = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = 0
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            self.requests.append(head + await reader.readexactly(length))
            await self.reply(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def text(raw: bytes) -> Reply:
    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return reply


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        server.let_go.set()
        listening.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as one:
        yield one


@asynccontextmanager
async def client(**options: object) -> AsyncIterator[HttpClient]:
    # Reading the usual authorities takes longer than all the rest.
    given = {"allows_private": True, "seconds": 5.0, "trusting": NOBODY, **options}
    made = HttpClient(**given)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        await made.close()


async def send(uri: str, method: str = "GET", body: bytes = b"", **options: Any) -> HttpAnswer:
    async with client(**options) as made:
        headers = {"Content-Type": "application/json"} if body else {}
        return await made.send(HttpRequest(method, uri, new_id(), headers, body))


def naming(*addresses: str) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    """A name service that gives these for every name."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


async def test_a_request_is_sent_and_its_answer_given_back(server: Server) -> None:
    request = HttpRequest(
        "POST", f"{server.url}/a?b=c", new_id(), {"Content-Type": "application/json"}, b"{}"
    )
    async with client() as made:
        assert await made.send(request) == HttpAnswer(200, b"ok")
    (sent,) = server.requests
    assert sent.startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert sent.endswith(b"\r\n\r\n{}")
    assert f"Idempotency-Key: {request.key}".encode() in sent
    assert b"Content-Type: application/json" in sent
    assert b"Accept-Encoding: identity" in sent


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_every_method_is_sent(server: Server, method: str) -> None:
    await send(server.url, method)
    assert server.requests[0].startswith(method.encode())


async def test_the_address_connected_to_is_the_one_that_was_looked_up(server: Server) -> None:
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(f"{host}:{port}")
        # A name that is looked up twice could have another address the second time.
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    await send(f"http://web.test:{server.port}/x", resolve=resolve)
    assert asked == [f"web.test:{server.port}"]
    assert f"Host: web.test:{server.port}".encode() in server.requests[0]


async def test_an_address_that_does_not_answer_is_followed_by_the_next(server: Server) -> None:
    answer = await send(f"http://web.test:{server.port}", resolve=naming("127.0.0.2", "127.0.0.1"))
    assert answer.status == 200


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:{port}",
        "http://localhost:{port}",
        "http://2130706433:{port}",
        "http://0x7f.1:{port}",
        "http://[::1]:{port}",
        "http://[::ffff:127.0.0.1]:{port}",
        "http://0.0.0.0:{port}",
    ],
)
async def test_this_host_cannot_be_reached_however_it_is_written(server: Server, uri: str) -> None:
    with pytest.raises(HttpFailedError):
        await send(uri.format(port=server.port), allows_private=False)
    assert server.requests == []


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "fd00::1", "fe80::1",
     "::1", "224.0.0.1", "ff02::1", "0.0.0.0", "255.255.255.255", "::ffff:10.0.0.1",
     "2002:0a00:0001::1", "2001:0:a::1", "64:ff9b::10.0.0.1", "198.18.0.1", "::127.0.0.1", "fec0::1",
     "64:ff9b:1::7f00:1", "2001:db8::1"],
)  # fmt: skip
async def test_private_addresses_are_refused_whatever_name_leads_to_them(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(HttpFailedError, match="not in the public internet"):
        await send("http://web.test/", allows_private=False, resolve=naming(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::8.8.8.8"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


async def test_a_redirection_is_not_followed(server: Server) -> None:
    server.reply = text(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"
    )
    answer = await send(server.url)
    assert (answer.status, answer.is_success) == (302, False)
    assert len(server.requests) == 1


async def test_an_answer_has_a_largest_size(server: Server) -> None:
    size = MAX_ANSWER_BYTES
    for length, is_too_long in ((size, False), (size + 1, True)):
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length
        server.reply = text(head + b"x" * length)
        answer = await send(server.url)
        assert (answer.is_too_long, len(answer.body)) == (is_too_long, 0 if is_too_long else size)


async def test_what_is_packed_is_not_unpacked(server: Server) -> None:
    server.reply = text(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"
    )
    assert (await send(server.url)).body == b"abc"


async def test_a_server_that_says_nothing_is_waited_for_so_long(server: Server) -> None:
    async def silent(writer: asyncio.StreamWriter) -> None:
        await server.let_go.wait()

    server.reply = silent
    with pytest.raises(HttpFailedError, match=r"no answer within 0.3 s"):
        await send(server.url, seconds=0.3)


async def test_a_server_that_drips_is_not_waited_for_longer(server: Server) -> None:
    async def dripping(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not server.let_go.is_set():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    server.reply = dripping
    with pytest.raises(HttpFailedError, match="no answer within"):
        await send(server.url, seconds=0.3)


@pytest.mark.parametrize(
    "raw", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"]
)
async def test_an_answer_that_is_none_is_a_failure(server: Server, raw: bytes) -> None:
    server.reply = text(raw)
    with pytest.raises(HttpFailedError):
        await send(server.url)


@pytest.mark.parametrize(
    "uri",
    ["ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http://[::1", "//x", "http://no.such.name.invalid/",
     "http://127.0.0.1:1/", "http://\udcff/"],
)  # fmt: skip
async def test_what_cannot_be_reached_is_a_failure_with_a_reason(uri: str) -> None:
    with pytest.raises(HttpFailedError) as caught:
        await send(uri)
    assert str(caught.value)


async def test_a_certificate_must_be_that_of_the_name(tmp_path: Path) -> None:
    tls, trusting = certificates(tmp_path, "web.test")
    async with serving(tls) as server:
        found: dict[str, Any] = {"resolve": naming("127.0.0.1"), "trusting": trusting}
        assert (await send(f"https://web.test:{server.port}", **found)).status == 200
        for host in ("other.test", "127.0.0.1"):
            with pytest.raises(HttpFailedError, match=r"(?i)certificate"):
                await send(f"https://{host}:{server.port}", **found)


def certificates(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for the name, and a client's that trusts its issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "web.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))
