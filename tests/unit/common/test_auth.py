import json
import os
import uuid
from pathlib import Path

import jwt
import pytest
from structlog.testing import capture_logs

from services.common import auth, clock
from services.common.auth import Acting, Role, TokenIssuer, TokenVerifier
from services.common.errors import PermissionDenied, Unauthenticated

CUSTOMER = uuid.uuid4()
AGENT = uuid.uuid4()
GATEWAY, CLIENT, STRANGER = (auth.generate_key_pair() for _ in range(3))
DOCUMENT = auth.trusted_keys_document(
    {
        "gateway": (Role.GATEWAY, GATEWAY.public_key),
        "console": (Role.CLIENT, CLIENT.public_key),
    }
)


@pytest.fixture
def verifier() -> TokenVerifier:
    return TokenVerifier("campaign", auth.trusted_keys(DOCUMENT))


def gateway() -> TokenIssuer:
    return TokenIssuer("gateway", GATEWAY.private_pem)


def test_a_token_says_who_acts_for_whom(verifier: TokenVerifier) -> None:
    token = gateway().issue("campaign", customer_id=CUSTOMER, agent_id=AGENT, permissions=96)
    caller = verifier.verify(token)
    assert caller == auth.Caller(Role.GATEWAY, "gateway", CUSTOMER, AGENT, 96)


def test_the_role_comes_from_the_key_and_not_from_the_token(verifier: TokenVerifier) -> None:
    claims = {"iss": "console", "aud": "campaign", "exp": 4_000_000_000, "role": "dialer"}
    claims["customer"] = str(CUSTOMER)
    token = jwt.encode(claims, CLIENT.private_pem, algorithm="EdDSA")
    assert verifier.verify(token).role is Role.CLIENT


def test_a_token_for_another_service_is_refused(verifier: TokenVerifier) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify(gateway().issue("queue"))
    assert verifier.verify(gateway().issue(["queue", "campaign"])).issuer == "gateway"


def test_strangers_and_false_signatures_are_refused(verifier: TokenVerifier) -> None:
    for issuer in ("gateway", "nobody"):
        with pytest.raises(Unauthenticated):
            verifier.verify(TokenIssuer(issuer, STRANGER.private_pem).issue("campaign"))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.ü.ö"])
def test_malformed_tokens_are_refused(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify(token)


def test_an_unsigned_token_is_refused(verifier: TokenVerifier) -> None:
    claims = {"iss": "gateway", "aud": "campaign", "exp": 4_000_000_000}
    with pytest.raises(Unauthenticated):
        verifier.verify(jwt.encode(claims, "", algorithm="none"))


def test_a_public_key_used_as_a_shared_secret_is_refused(verifier: TokenVerifier) -> None:
    claims = {"iss": "gateway", "aud": "campaign", "exp": 4_000_000_000}
    token = jwt.encode(claims, GATEWAY.public_key, algorithm="HS256")
    with pytest.raises(Unauthenticated):
        verifier.verify(token)


@pytest.mark.parametrize("missing", ["aud", "exp"])
def test_a_token_without_audience_or_end_is_refused(verifier: TokenVerifier, missing: str) -> None:
    claims = {"iss": "gateway", "aud": "campaign", "exp": 4_000_000_000}
    del claims[missing]
    with pytest.raises(Unauthenticated):
        verifier.verify(jwt.encode(claims, GATEWAY.private_pem, algorithm="EdDSA"))


def test_a_clients_token_must_name_its_customer(verifier: TokenVerifier) -> None:
    console = TokenIssuer("console", CLIENT.private_pem)
    with pytest.raises(Unauthenticated, match="customer"):
        verifier.verify(console.issue("campaign"))
    assert verifier.verify(console.issue("campaign", customer_id=CUSTOMER)).customer_id == CUSTOMER


def test_a_remembered_token_ends_with_its_life(
    verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = gateway().issue("campaign", ttl=60)
    verifier.verify(token)
    later = clock.wall_seconds() + 70
    monkeypatch.setattr(auth, "wall_seconds", lambda: later)
    monkeypatch.setattr(jwt.api_jwt, "datetime", _Later(later))
    with pytest.raises(Unauthenticated):
        verifier.verify(token)


def test_tokens_for_repeated_calls_are_made_once() -> None:
    issuer = gateway()
    whom = Acting(CUSTOMER)
    assert issuer.token("campaign", whom) is issuer.token("campaign", whom)
    assert issuer.token("campaign", whom) != issuer.token("queue", whom)
    assert issuer.token("campaign", whom) != issuer.token("campaign", Acting())


def test_keys_are_added_and_withdrawn_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_RELOAD_SECONDS", -1)
    path = tmp_path / "trusted.json"
    path.write_text(DOCUMENT)
    verifier = TokenVerifier.from_file(path, "campaign")
    token = gateway().issue("campaign")
    verifier.verify(token)
    path.write_text("{ half")
    assert verifier.verify(token).issuer == "gateway"
    path.write_text(json.dumps({}))
    os.utime(path, ns=(1, 1))
    with pytest.raises(Unauthenticated):
        verifier.verify(token)


def test_an_unreadable_file_of_trusted_keys_is_told_of_once_for_each_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_RELOAD_SECONDS", -1)
    path = tmp_path / "trusted.json"
    path.write_text(DOCUMENT)
    verifier = TokenVerifier.from_file(path, "campaign")
    token = gateway().issue("campaign")
    told = []
    for wrong in ("{ half", "[]", None):
        if wrong is None:
            path.unlink()
        else:
            path.write_text(wrong)
        with capture_logs() as logs:
            for _ in range(3):
                assert verifier.verify(token).issuer == "gateway"
        told += [(each["event"], each["path"]) for each in logs]
    assert told == [("trusted_keys_unreadable", str(path))] * 3


def test_an_issuer_may_change_keys_with_both_believed() -> None:
    old, new = auth.generate_key_pair(), auth.generate_key_pair()
    entry = {"role": "queue", "public_key": [old.public_key, new.public_key]}
    verifier = TokenVerifier("campaign", auth.trusted_keys(json.dumps({"queue": entry})))
    for pair in (old, new):
        token = TokenIssuer("queue", pair.private_pem).issue("campaign")
        assert verifier.verify(token).role is Role.QUEUE


@pytest.mark.parametrize(
    "entry",
    [
        {"role": "king", "public_key": GATEWAY.public_key},
        {"role": "queue"},
        {"role": "queue", "public_key": "AAAA"},
        "queue",
    ],
)
def test_a_wrong_entry_of_the_trusted_keys_is_named(entry: object) -> None:
    with pytest.raises(ValueError, match="issuer 'x'"):
        auth.trusted_keys(json.dumps({"x": entry}))


def test_a_wrong_key_file_is_refused() -> None:
    with pytest.raises(ValueError, match="Ed25519"):
        TokenIssuer("x", "no key")


def test_outside_of_a_request_nobody_calls() -> None:
    with pytest.raises(Unauthenticated):
        auth.current_caller()


def test_requirements_look_at_the_current_caller() -> None:
    with auth.calling(auth.Caller(Role.DIALER, "dialer-1", None, None, 0)):
        assert auth.require_role(Role.QUEUE, Role.DIALER).issuer == "dialer-1"
        with pytest.raises(PermissionDenied, match="dialer-1 has the role dialer"):
            auth.require_role(Role.GATEWAY)
        with pytest.raises(Unauthenticated, match="customer"):
            auth.require_customer()
    with auth.calling(auth.Caller(Role.GATEWAY, "gateway", CUSTOMER, None, 0)):
        assert auth.require_customer() == CUSTOMER


def test_acting_for_ends_with_its_block() -> None:
    assert auth.acting() == Acting()
    with auth.acting_for(CUSTOMER, AGENT, 64):
        assert auth.acting() == Acting(CUSTOMER, AGENT, 64)
    assert auth.acting() == Acting()


class _Later:
    """Stands for the datetime class inside PyJWT, at a later time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def now(self, tz: object = None) -> "_Later":
        return self

    def timestamp(self) -> float:
        return self._seconds
