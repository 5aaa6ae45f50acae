"""Recordings of calls: `/recordings`, and their files: `/recordingfiles`."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from outbound.dialer.v1 import dialer_service_pb2 as pb
from starlette.responses import Response, StreamingResponse

from gateway.errors import error_response
from gateway.fields import REFERENCE, Field
from gateway.members import ID, INTEGER, TEXT, TIME, Member, Shape, text_of
from gateway.resources.common import by_id, deleting, listing, page_of, reading, rpc
from gateway.routes import Call, Plain, Route
from gateway.upstreams import Rpc
from services.common.errors import FailedPrecondition, NotFound, invalid

TAG = "recordings"
WAV = "audio/wav"
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)

RECORDING = Shape(
    "Recording",
    "What was recorded of a call.",
    [
        Member("id", ID),
        Member("customer_id", ID),
        Member("campaign_id", ID),
        Member("activeflow_id", ID),
        Member("reference_type", TEXT, "Always call."),
        Member("reference_id", ID, "The call."),
        Member("format", TEXT, "Always wav."),
        Member(
            "status",
            text_of("initiating", "recording", "ended", "failed"),
            "ended: there is a file; failed: there is none, detail says why.",
        ),
        Member("detail", TEXT, "Why it failed; empty otherwise."),
        Member("duration", INTEGER, "Milliseconds; 0 until ended.", "duration_ms"),
        Member("size", INTEGER, "Bytes of the file; 0 until ended.", "size_bytes"),
        Member("tm_start", TIME),
        Member("tm_end", TIME),
        Member("tm_create", TIME),
        Member("tm_update", TIME),
        Member("tm_delete", TIME),
    ],
)


def _part(header: str, size: int) -> tuple[int, int] | None:
    """First byte and number of bytes that a Range header asks for; None for the whole file.

    Several parts, and what is no range, are answered with the whole file, as HTTP allows. A part that
    begins behind the end has no bytes.
    """
    found = _RANGE.fullmatch(header.replace(" ", ""))
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last), size)
        return size - length, length
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < int(first):
        return None
    return int(first), max(0, end - int(first) + 1)


async def _file(call: Call) -> Response:
    """The file, or a part of it, streamed from the dialer that has it."""
    recording = await call.parts.upstreams.call(
        Rpc("dialer", "GetRecording"), pb.GetRecordingRequest(id=call.ids["id"]), call.identity
    )
    if recording.HasField("tm_delete") or recording.status == "failed":
        raise NotFound(
            f"recording {recording.id} has no file (any more)", reason="RECORDING_FILE_NOT_FOUND"
        )
    if recording.status != "ended":
        raise FailedPrecondition(f"recording {recording.id} is on; its file is there at its end")
    size = recording.size_bytes
    headers = {
        "accept-ranges": "bytes",
        "cache-control": "no-store",
        "content-disposition": f'attachment; filename="{recording.id}.wav"',
    }
    part = _part(call.request.headers.get("range", ""), size)
    if part is None:
        return await _sent(call, recording.id, 0, size, 200, headers)
    offset, length = part
    if not length:
        refused = error_response(
            invalid("Range", call.request.headers["range"], f"bytes of 0 to {size - 1}"),
            status=416,
        )
        refused.headers["content-range"] = f"bytes */{size}"
        return refused
    headers["content-range"] = f"bytes {offset}-{offset + length - 1}/{size}"
    return await _sent(call, recording.id, offset, length, 206, headers)


async def _sent(
    call: Call,
    recording_id: str,
    offset: int,
    length: int,
    code: int,
    headers: Mapping[str, str],
) -> Response:
    headers = {**headers, "content-length": str(length)}
    if call.request.method == "HEAD" or not length:
        return Response(status_code=code, media_type=WAV, headers=headers)
    request = pb.ReadRecordingRequest(id=recording_id, offset=offset, length=length)
    # Errors come with the first piece: it is waited for while the status can still tell of them.
    pieces = await call.parts.upstreams.begun_stream(
        Rpc("dialer", "ReadRecording"), request, call.caller
    )
    return StreamingResponse(_bytes(pieces), status_code=code, media_type=WAV, headers=headers)


async def _bytes(pieces: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        yield piece.chunk


ROUTES = (
    listing(
        TAG,
        "/recordings",
        "List recordings",
        rpc(
            "dialer",
            "ListRecordings",
            page_of(
                pb.ListRecordingsRequest, reference_id="reference_id", campaign_id="campaign_id"
            ),
        ),
        RECORDING,
        "recordings",
        Field("reference_id", REFERENCE, "Only the recordings of this call."),
        Field("campaign_id", REFERENCE, "Only the recordings of this campaign."),
    ),
    reading(
        TAG,
        "/recordings/{id}",
        "Get a recording",
        rpc("dialer", "GetRecording", by_id(pb.GetRecordingRequest)),
        RECORDING,
    ),
    deleting(
        TAG,
        "/recordings/{id}",
        "Delete a recording that is over, with its file",
        rpc("dialer", "DeleteRecording", by_id(pb.DeleteRecordingRequest)),
        RECORDING,
    ),
    Route(
        "GET",
        "/recordingfiles/{id}",
        "Download the file of a recording",
        TAG,
        _file,
        Plain({"type": "string", "format": "binary"}, WAV),
        has_deadline=False,
        has_parts=True,
        about="The id is that of the recording. 404 when there is no file (any more), 409 while it is "
        "being recorded.",
    ),
)
