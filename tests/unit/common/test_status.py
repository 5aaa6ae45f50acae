import base64
from urllib.parse import quote

import grpc
import pytest
from grpc.aio import AioRpcError, Metadata

from services.common import errors, status

CLASSES = list(status.CODES)


def over_the_wire(error: errors.AppError) -> errors.AppError:
    """What a caller restores from what the server sends."""
    failure = AioRpcError(
        status.code_of(error),
        Metadata(),
        Metadata(*status.trailers(error, "req_1")),
        details=status.message_of(error),
    )
    return status.from_rpc_error(failure, "campaign")


@pytest.mark.parametrize("cls", CLASSES)
def test_every_class_survives_the_wire(cls: type[errors.AppError]) -> None:
    sent = cls(
        "campaign 7 is RUN; stop it first",
        reason="CAMPAIGN_RUNS",
        violations=[errors.FieldViolation("status", "accepted: stop")],
        retry_after=1.25,
        campaign="7",
    )
    got = over_the_wire(sent)
    assert type(got) is cls
    assert vars(got) == vars(sent)


def test_a_long_text_is_cut_to_fit_the_trailers() -> None:
    violations = [errors.FieldViolation(f"rows[{n}]", "x" * 100) for n in range(1000)]
    for character in "xé":
        error = errors.InvalidArgument(character * 5000, violations=violations)
        error.metadata = {f"key{n}": "é" * 5000 for n in range(100)}
        text = len(quote(status.message_of(error)))
        details = sum(len(base64.b64encode(bytes(value))) for value in _binary(error))
        assert text + details < 8000
        assert 0 < len(over_the_wire(error).violations) < 1000


def _binary(error: errors.AppError) -> list[bytes]:
    trailers = status.trailers(error, "req_1")
    return [value for _, value in trailers if isinstance(value, bytes)]


def test_a_subclass_has_its_parents_code() -> None:
    class CampaignNotFound(errors.NotFound):
        default_reason = "CAMPAIGN_NOT_FOUND"

    got = over_the_wire(CampaignNotFound("no campaign 7"))
    assert type(got) is errors.NotFound
    assert got.reason == "CAMPAIGN_NOT_FOUND"


@pytest.mark.parametrize(
    ("code", "cls", "reason"),
    [
        (grpc.StatusCode.UNAVAILABLE, errors.Unavailable, "SERVICE_UNAVAILABLE"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, errors.Unavailable, "REQUEST_TIMEOUT"),
        (grpc.StatusCode.CANCELLED, errors.Unavailable, "REQUEST_CANCELED"),
        (grpc.StatusCode.UNIMPLEMENTED, errors.Internal, "INTERNAL"),
        (grpc.StatusCode.UNKNOWN, errors.Internal, "INTERNAL"),
        (grpc.StatusCode.NOT_FOUND, errors.NotFound, "RESOURCE_NOT_FOUND"),
    ],
)
def test_bare_codes_mean_something(
    code: grpc.StatusCode, cls: type[errors.AppError], reason: str
) -> None:
    failure = AioRpcError(code, Metadata(), Metadata(), details="as it is")
    got = status.from_rpc_error(failure, "queue")
    assert (type(got), got.reason) == (cls, reason)
