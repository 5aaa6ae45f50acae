"""A thin HTTP client of the gateway for the commands: base address, key, errors as one line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any

import httpx

from cli.errors import CommandError, ExitCode

_TIMEOUT = httpx.Timeout(30.0, read=60.0)
# An import answers when its last row is in place; a large list takes a while after its last byte.
_IMPORT_TIMEOUT = httpx.Timeout(30.0, read=3600.0, write=3600.0)


class Client:
    """Requests to one gateway with one access key. Close it after use."""

    def __init__(self, url: str, access_key: str) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=f"{self.url}/v1.0",
            headers={"Authorization": f"Bearer {access_key}"},
            timeout=_TIMEOUT,
            trust_env=False,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The JSON object at a path."""
        return self._object(self._send("GET", path, params=query))

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """The JSON object answered to a POST."""
        return self._object(self._send("POST", path, json=body))

    def put(self, path: str, body: Any) -> dict[str, Any]:
        """The JSON object answered to a PUT."""
        return self._object(self._send("PUT", path, json=body))

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every object of a list, page after page."""
        token = ""
        while True:
            page = self.get(
                path, **query, page_size=100, **({"page_token": token} if token else {})
            )
            yield from page["result"]
            token = page["next_page_token"]
            if not page["result"] or not token:
                return

    def upload(
        self, path: str, chunks: Iterable[bytes], *, kind: str, key: str, **query: Any
    ) -> dict[str, Any]:
        """Stream a list; `key` makes the upload resumable."""
        headers = {"Content-Type": kind, "Idempotency-Key": key}
        response = self._send(
            "POST", path, params=query, content=chunks, headers=headers, timeout=_IMPORT_TIMEOUT
        )
        return self._object(response)

    def lines(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """The objects of a newline-delimited JSON answer."""
        with self._http.stream("GET", path, params=query) as response:
            self._check(response)
            for line in response.iter_lines():
                if line:
                    yield json.loads(line)

    def server_events(self, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and data of each server-sent event, until the server ends the stream."""
        timeout = httpx.Timeout(30.0, read=None)
        try:
            with self._http.stream("GET", path, timeout=timeout) as response:
                self._check(response)
                name, data = "message", []
                for line in response.iter_lines():
                    if line.startswith("event:"):
                        name = line[6:].strip()
                    elif line.startswith("data:"):
                        data.append(line[5:].strip())
                    elif not line and data:
                        yield name, json.loads("\n".join(data))
                        name, data = "message", []
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        self._check(response)
        return response

    def _check(self, response: httpx.Response) -> None:
        if response.status_code == 200:
            return
        response.read()
        try:
            error = response.json()["error"]
            message, request = error["message"], error["request_id"]
        except (ValueError, KeyError, TypeError):
            message, request = response.text[:200], response.headers.get("X-Request-Id", "")
        code = ExitCode.UNAVAILABLE if response.status_code == 503 else ExitCode.FAILED
        raise CommandError(f"{message} (HTTP {response.status_code}, request {request})", code)

    def _unreachable(self, error: httpx.HTTPError) -> CommandError:
        reason = str(error) or type(error).__name__
        return CommandError(f"{self.url}: {reason}", ExitCode.UNAVAILABLE)

    @staticmethod
    def _object(response: httpx.Response) -> dict[str, Any]:
        answer = response.json()
        if not isinstance(answer, dict):
            raise CommandError(f"{response.url}: the answer is not a JSON object")
        return answer
