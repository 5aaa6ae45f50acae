"""mTLS between processes: both sides need a certificate of the common authority."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.common.clients import TlsFiles
from services.common.errors import Unavailable
from tests.integration.common import echo

START = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
END = datetime.datetime(2120, 1, 1, tzinfo=datetime.UTC)


def authority(folder: Path, name: str) -> TlsFiles:
    """A new authority and a certificate of it for the loopback address."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} authority")])
    ca = _certificate(ca_name, ca_name, ca_key, ca_key, x509.BasicConstraints(True, None))
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    own_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    cert = _certificate(own_name, ca_name, key, ca_key, address)
    files = TlsFiles(*(str(folder / f"{name}.{part}") for part in ("cert", "key", "ca")))
    Path(files.cert).write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    Path(files.ca).write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    Path(files.key).write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    builder = x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=START,
        not_valid_after=END,
    )
    return builder.add_extension(extension, critical=False).sign(signer, hashes.SHA256())


async def repeat(text: str) -> str:
    return text


async def test_only_certificates_of_the_authority_are_let_in(tmp_path: Path) -> None:
    ours, foreign = authority(tmp_path, "ours"), authority(tmp_path, "foreign")
    half = TlsFiles(foreign.cert, foreign.key, ours.ca)
    server = echo.echo_server(repeat, tls=ours)
    await server.start()
    serving = asyncio.create_task(server.run())

    async def say(tls: TlsFiles | None) -> str:
        channels = echo.channels(tls=tls)
        try:
            return await echo.Stub(channels.channel(server.address, "echo")).say("a", timeout=5)
        finally:
            await channels.close()

    assert await say(ours) == "a"
    for tls in (None, foreign, half):
        with pytest.raises(Unavailable):
            await say(tls)
    server.stop()
    await serving
