"""A softphone that can register and be rung; nothing more of SIP."""

from __future__ import annotations

import hashlib
import re
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

_SECONDS = 10.0


class Softphone:
    """One number at one registrar."""

    def __init__(self, number: str, password: str, registrar: tuple[str, int]) -> None:
        self._number = number
        self._password = password
        self._registrar = registrar
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(_SECONDS)
        self._socket.bind(("127.0.0.1", 0))
        self._call_id = uuid.uuid4().hex
        self._count = 0

    def close(self) -> None:
        self._socket.close()

    def register(self) -> int:
        """The status it ends with."""
        answer = self._ask("")
        found = re.search(r'nonce="([^"]+)"', answer)
        realm = re.search(r'realm="([^"]+)"', answer)
        if found is None or realm is None:
            return _status(answer)
        return _status(self._ask(self._login(realm.group(1), found.group(1), answer)))

    def rung(self) -> str:
        """The INVITE, as soon as one comes."""
        while not (request := self._receive()).startswith("INVITE "):
            pass
        return request

    def _ask(self, login: str) -> str:
        self._count += 1
        host, port = self._registrar
        own_host, own_port = self._socket.getsockname()
        request = (
            f"REGISTER sip:{host}:{port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {own_host}:{own_port};branch=z9hG4bK{uuid.uuid4().hex};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{self._number}@{host}>;tag={self._call_id[:8]}\r\n"
            f"To: <sip:{self._number}@{host}>\r\nCall-ID: {self._call_id}\r\n"
            f"CSeq: {self._count} REGISTER\r\n"
            f"Contact: <sip:{self._number}@{own_host}:{own_port}>\r\nExpires: 300\r\n{login}"
            "Content-Length: 0\r\n\r\n"
        )
        self._socket.sendto(request.encode(), self._registrar)
        while (answer := self._receive()).startswith("SIP/2.0 1"):
            pass
        return answer

    def _login(self, realm: str, nonce: str, answer: str) -> str:
        host, port = self._registrar
        uri = f"sip:{host}:{port}"
        secret = _md5(f"{self._number}:{realm}:{self._password}")
        question = _md5(f"REGISTER:{uri}")
        login = f'Digest username="{self._number}", realm="{realm}", nonce="{nonce}", uri="{uri}"'
        if "qop=" in answer:
            response = _md5(f"{secret}:{nonce}:00000001:c:auth:{question}")
            login += ', qop=auth, nc=00000001, cnonce="c"'
        else:
            response = _md5(f"{secret}:{nonce}:{question}")
        opaque = re.search(r'opaque="([^"]+)"', answer)
        if opaque is not None:
            login += f', opaque="{opaque.group(1)}"'
        return f'Authorization: {login}, response="{response}", algorithm=MD5\r\n'

    def _receive(self) -> str:
        return self._socket.recv(65536).decode()


@contextmanager
def softphone(number: str, password: str, registrar: tuple[str, int]) -> Iterator[Softphone]:
    """One that is closed afterwards."""
    phone = Softphone(number, password, registrar)
    try:
        yield phone
    finally:
        phone.close()


def _status(answer: str) -> int:
    return int(answer.split(" ", 2)[1])


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
