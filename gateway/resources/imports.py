"""Imports: lists of any size, streamed into an outdial."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson
from outbound.outdial.v1 import outdial_service_pb2 as pb
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gateway.errors import slow_body
from gateway.fields import Field, FieldKind, words
from gateway.members import ID, INTEGER, TEXT, TIME, Member, Shape, enum_of, enum_words
from gateway.resources.common import doing, reading, rpc
from gateway.routes import Call, Plain, Route, parameter
from gateway.upstreams import Rpc
from services.common.errors import invalid

TAG = "imports"
CHUNK: Final = 256 * 1024
"""Bytes in one message to the outdial service."""
_H = pb.ImportHeader
_MAP_PREFIX = "map."
_FORMATS: Final = {word: number for number, word in enum_words(_H.Format).items()}
_MEDIA: Final = {
    "text/csv": _H.FORMAT_CSV,
    "application/csv": _H.FORMAT_CSV,
    "application/x-ndjson": _H.FORMAT_NDJSON,
    "application/ndjson": _H.FORMAT_NDJSON,
    "application/jsonl": _H.FORMAT_NDJSON,
}
_DUPLICATES: Final = {word: number for number, word in enum_words(_H.Duplicates).items()}

REJECT = Shape(
    "ImportReject",
    "A row that was not taken.",
    [
        Member("line", INTEGER, "Line on which the row begins, from 1."),
        Member("field", TEXT, "Column at fault; empty when the row itself is."),
        Member("value", TEXT, "What stood there, cut to 200 characters."),
        Member("reason", TEXT, "What is wrong and what is accepted."),
    ],
)
IMPORT = Shape(
    "Import",
    "How an import stands.",
    [
        Member("import_id", ID),
        Member("outdial_id", ID),
        Member(
            "state",
            enum_of(pb.ImportResult.State),
            "receiving: broken off or under way; send it again with the same Idempotency-Key.",
        ),
        Member("row_count", INTEGER, "Rows read."),
        Member("accepted_count", INTEGER, "Rows that became targets."),
        Member("rejected_count", INTEGER, "Rows rejected."),
        Member("duplicate_count", INTEGER, "Rows left out as duplicates."),
        Member("rejects", REJECT.list(), "The first 1,000 rejected rows."),
        Member("tm_create", TIME),
        Member("tm_end", TIME),
    ],
)


def _flag(value: str, path: str) -> bool:
    if value.lower() not in ("true", "false", "1", "0"):
        raise parameter(path, value, "true or false")
    return value.lower() in ("true", "1")


def _region(value: str, path: str) -> str:
    if len(value) != 2 or not value.isascii() or not value.isalpha():
        raise parameter(path, value, "a two-letter country code such as US")
    return value.upper()


_QUERY = (
    Field("format", words(_FORMATS), "Format, when the Content-Type does not say it."),
    Field(
        "duplicates",
        words(_DUPLICATES),
        "What to do with a row whose first address is already there; default `reject`.",
    ),
    Field(
        "region",
        FieldKind({"type": "string", "pattern": "^[A-Za-z]{2}$"}, _region),
        "Country of numbers without `+`; without it such numbers are rejected.",
    ),
    Field(
        "strict",
        FieldKind({"type": "string", "enum": ["true", "false", "1", "0"]}, _flag),
        "true: numbers must be valid, not only possible.",
    ),
)


def _header(call: Call) -> pb.ImportHeader:
    media = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    chosen = call.query.get("format") or _MEDIA.get(media)
    if chosen is None:
        raise invalid(
            "Content-Type", media, "text/csv or application/x-ndjson, or ?format=csv|ndjson"
        )
    mapping = {
        name.removeprefix(_MAP_PREFIX): value
        for name, value in call.request.query_params.items()
        if name.startswith(_MAP_PREFIX)
    }
    return pb.ImportHeader(
        import_id=call.new_id(),
        outdial_id=call.ids["id"],
        format=chosen,
        mapping=mapping,
        default_region=call.query.get("region", ""),
        duplicates=call.query.get("duplicates", _H.DUPLICATES_UNSPECIFIED),
        is_strict=call.query.get("strict", False),
    )


class _Upload:
    """The request's body as messages. Remembers why it broke off, which gRPC only calls cancelled."""

    def __init__(self, header: pb.ImportHeader, request: Request, silence: float) -> None:
        """`silence` is how long (real seconds) nothing may come."""
        self._header = header
        self._request = request
        self._silence = silence
        self.failure: Exception | None = None

    async def messages(self) -> AsyncIterator[pb.ImportTargetsRequest]:
        """The header, then the body; the next part is read when the service has taken the last."""
        try:
            yield pb.ImportTargetsRequest(header=self._header)
            pending = bytearray()
            async for part in self._parts():
                pending += part
                while len(pending) >= CHUNK:
                    yield pb.ImportTargetsRequest(chunk=bytes(pending[:CHUNK]))
                    del pending[:CHUNK]
            if pending:
                yield pb.ImportTargetsRequest(chunk=bytes(pending))
            yield pb.ImportTargetsRequest(end=pb.ImportEnd())
        except Exception as exc:
            self.failure = exc
            raise

    async def _parts(self) -> AsyncIterator[bytes]:
        """The body as it comes; Unavailable when nothing does for too long."""
        parts = aiter(self._request.stream())
        while True:
            try:
                async with asyncio.timeout(self._silence):
                    part = await anext(parts, None)
            except TimeoutError:
                raise slow_body() from None
            if part is None:
                return
            yield part


async def _import(call: Call) -> Any:
    upload = _Upload(_header(call), call.request, call.parts.settings.body_seconds)
    try:
        return await call.parts.upstreams.import_targets(upload.messages(), call.caller)
    except BaseException:
        # Without this a client that went away would look like a fault of the service.
        if upload.failure is not None:
            raise upload.failure from None
        raise


def _named(message: Any, call: Call) -> Any:
    return message(outdial_id=call.ids["id"], import_id=call.ids["import_id"])


async def _rejects(call: Call) -> Response:
    batches = call.parts.upstreams.stream(
        Rpc("outdial", "ListImportRejects"), _named(pb.ListImportRejectsRequest, call), call.caller
    )
    # Errors come with the first message: wait for it while the status can still tell of them.
    first = await anext(batches, None)
    accept = call.request.headers.get("accept", "")
    wants_csv = call.query.get("format", 0) == _H.FORMAT_CSV or (
        "format" not in call.query and "text/csv" in accept
    )
    write, media = (_csv, "text/csv") if wants_csv else (_ndjson, "application/x-ndjson")

    async def lines() -> AsyncIterator[bytes]:
        if wants_csv:
            yield b"line,field,value,reason\r\n"
        if first is None:
            return
        yield b"".join(map(write, first.rejects))
        async for batch in batches:
            yield b"".join(map(write, batch.rejects))

    return StreamingResponse(lines(), media_type=f"{media}; charset=utf-8")


def _ndjson(reject: pb.ImportReject) -> bytes:
    return orjson.dumps(
        {
            "line": reject.line,
            "field": reject.field,
            "value": reject.value,
            "reason": reject.reason,
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )


def _csv(reject: pb.ImportReject) -> bytes:
    cells = (_cell(each) for each in (reject.field, reject.value, reject.reason))
    return f"{reject.line},{','.join(cells)}\r\n".encode()


def _cell(value: str) -> str:
    # A leading apostrophe keeps spreadsheets from running a rejected value as a formula.
    if value[:1] in ("=", "-", "@", "\t", "\r") or (value[:1] == "+" and not value[1:].isdigit()):
        value = f"'{value}"
    quoted = value.replace('"', '""')
    return f'"{quoted}"'


ROUTES = (
    doing(
        TAG,
        "/outdials/{id}/targets/import",
        "Import a list of any size",
        _import,
        IMPORT,
        query=_QUERY,
        body_media=("text/csv", "application/x-ndjson"),
        has_deadline=False,
        is_rate_limited=False,
        creates=True,
        about="CSV with a header line, or one JSON object a line; UTF-8. Columns are taken by name: "
        "name, detail, data, destination_0..4; phone, number and email mean destination_0; "
        "the rest goes to data. With `map.<column>=<field>` exactly the columns named are taken. "
        "All valid rows appear at once at the end, or none. With an Idempotency-Key a broken import "
        "is resumed by sending it again.",
    ),
    reading(
        TAG,
        "/outdials/{id}/imports/{import_id}",
        "Get an import",
        rpc("outdial", "GetImport", lambda call: _named(pb.GetImportRequest, call)),
        IMPORT,
    ),
    Route(
        "GET",
        "/outdials/{id}/imports/{import_id}/rejects",
        "Every rejected row of an import",
        TAG,
        _rejects,
        Plain({"type": "string"}, "application/x-ndjson", other_media=("text/csv",)),
        query=(Field("format", words(_FORMATS), "`csv` or `ndjson` (default; also by Accept)."),),
        has_deadline=False,
    ),
)
