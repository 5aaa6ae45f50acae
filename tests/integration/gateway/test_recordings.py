"""Recordings through the gateway: listed, downloaded whole and in part, by their owner only."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from outbound.dialer.v1 import dialer_service_pb2 as dialer_pb

from services.common.errors import Unavailable
from tests.integration.gateway.conftest import ACCESS_KEY, System

SOUND = b"RIFF0123456789"
KEY = {"Authorization": f"Bearer {ACCESS_KEY}"}


async def customer_of(system: System) -> str:
    return str((await system.ok("GET", "/customer"))["id"])


async def put(
    system: System, sound: bytes | None = SOUND, *, customer_id: str = "", **members: Any
) -> str:
    """A recording with its file."""
    recording = dialer_pb.Recording(
        **{
            "id": str(uuid.uuid4()),
            "customer_id": customer_id or await customer_of(system),
            "campaign_id": str(uuid.uuid4()),
            "reference_type": "call",
            "reference_id": str(uuid.uuid4()),
            "format": "wav",
            "status": "ended",
            "duration_ms": 1500,
            "size_bytes": len(sound or b""),
            **members,
        }
    )
    recording.tm_create.GetCurrentTime()
    system.backends.recordings.rows[recording.id] = recording
    if sound is not None:
        system.backends.files[recording.id] = sound
    return recording.id


async def download(system: System, recording_id: str, method: str = "GET", **headers: str) -> Any:
    path = f"/recordingfiles/{recording_id}"
    return await system.http.request(method, path, headers={**KEY, **headers})


async def test_recordings_are_listed_by_call_and_campaign(system: System) -> None:
    one, two = await put(system), await put(system)
    listed = (await system.ok("GET", "/recordings"))["result"]
    assert {each["id"] for each in listed} == {one, two}
    found = await system.ok("GET", f"/recordings/{one}")
    assert (found["duration"], found["size"], found["status"]) == (1500, len(SOUND), "ended")
    for name in ("reference_id", "campaign_id"):
        page = await system.ok("GET", f"/recordings?{name}={found[name]}")
        assert [each["id"] for each in page["result"]] == [one]
    await system.ok("DELETE", f"/recordings/{one}")
    assert [each["id"] for each in (await system.ok("GET", "/recordings"))["result"]] == [two]


async def test_a_file_is_downloaded_whole(system: System) -> None:
    recording_id = await put(system)
    response = await download(system, recording_id)
    assert (response.status_code, response.content) == (200, SOUND)
    assert response.headers["content-type"] == "audio/wav"
    assert response.headers["content-length"] == str(len(SOUND))
    assert response.headers["accept-ranges"] == "bytes"
    assert f"{recording_id}.wav" in response.headers["content-disposition"]
    head = await download(system, recording_id, "HEAD")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(SOUND)))
    assert system.backends.asked.count("ReadRecording") == 1


@pytest.mark.parametrize(
    ("asked", "sent", "said"),
    [
        ("bytes=0-3", b"RIFF", "bytes 0-3/14"),
        ("bytes=4-", b"0123456789", "bytes 4-13/14"),
        ("bytes=-2", b"89", "bytes 12-13/14"),
        ("bytes=-99", SOUND, "bytes 0-13/14"),
        ("bytes=10-99", b"6789", "bytes 10-13/14"),
        ("bytes=13-13", b"9", "bytes 13-13/14"),
    ],
)
async def test_a_part_is_downloaded(system: System, asked: str, sent: bytes, said: str) -> None:
    response = await download(system, await put(system), Range=asked)
    assert (response.status_code, response.content) == (206, sent)
    assert response.headers["content-range"] == said
    assert response.headers["content-length"] == str(len(sent))


@pytest.mark.parametrize("asked", ["bytes=0-1,3-4", "lines=0-1", "bytes=-", "bytes=5-2", "x"])
async def test_what_is_no_single_part_gets_the_whole(system: System, asked: str) -> None:
    response = await download(system, await put(system), Range=asked)
    assert (response.status_code, response.content) == (200, SOUND)


@pytest.mark.parametrize("asked", ["bytes=14-", "bytes=99-100", "bytes=-0"])
async def test_a_part_behind_the_end_is_refused(system: System, asked: str) -> None:
    response = await download(system, await put(system), Range=asked)
    assert response.status_code == 416
    assert response.headers["content-range"] == "bytes */14"
    assert response.json()["error"]["reason"] == "INVALID_ARGUMENT"


async def test_an_empty_file_is_a_file(system: System) -> None:
    response = await download(system, await put(system, b""))
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("path", ["/recordings/{}", "/recordingfiles/{}"])
async def test_anothers_is_forbidden_and_an_unknown_one_not_found(
    system: System, path: str
) -> None:
    foreign = await put(system, customer_id=str(uuid.uuid4()))
    await system.refused(403, "GET", path.format(foreign))
    error = await system.refused(404, "GET", path.format(uuid.uuid4()))
    assert error["reason"] == "RECORDING_NOT_FOUND"
    assert (await system.http.get(path.format(foreign))).status_code == 401
    for trick in ("..%2f..%2fetc%2fpasswd", "../../etc/passwd", "a.wav"):
        response = await system.http.get(path.format(trick), headers=KEY)
        assert response.status_code in (400, 404)


@pytest.mark.parametrize(
    ("members", "code", "reason"),
    [
        ({"status": "recording"}, 409, "STATE_INVALID"),
        ({"status": "failed"}, 404, "RECORDING_FILE_NOT_FOUND"),
    ],
)
async def test_a_recording_without_a_file_says_why(
    system: System, members: dict[str, str], code: int, reason: str
) -> None:
    recording_id = await put(system, None, **members)
    error = await system.refused(code, "GET", f"/recordingfiles/{recording_id}")
    assert error["reason"] == reason


async def test_a_deleted_recordings_file_is_gone(system: System) -> None:
    recording_id = await put(system)
    await system.ok("DELETE", f"/recordings/{recording_id}")
    await system.refused(404, "GET", f"/recordingfiles/{recording_id}")


async def test_a_file_that_is_not_found_after_all_is_not_found(system: System) -> None:
    recording_id = await put(system, None, size_bytes=5)
    error = await system.refused(404, "GET", f"/recordingfiles/{recording_id}")
    assert error["reason"] == "RECORDING_FILE_NOT_FOUND"


async def test_a_dialer_that_is_not_there_is_said_before_anything_is_sent(system: System) -> None:
    recording_id = await put(system)
    system.backends.fail["ReadRecording"] = lambda: Unavailable("dialer-2 is not running")
    error = await system.refused(503, "GET", f"/recordingfiles/{recording_id}")
    assert error["status"] == "UNAVAILABLE"


async def test_the_document_tells_of_parts(system: System) -> None:
    document = await system.ok("GET", "/openapi.json", headers={})
    operation = document["paths"]["/recordingfiles/{id}"]["get"]
    assert {"200", "206", "416"} <= set(operation["responses"])
    assert "audio/wav" in operation["responses"]["200"]["content"]
