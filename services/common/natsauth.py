"""Who may do what in NATS: an operator, two accounts, and users confined to what they need.

NATS admits no anonymous client. Our processes are users of the account `outbound`, which holds the
stream, with full rights in it. Subscribers of customers are users of the account `subscribers`, which
can reach nothing but the few JetStream requests that it imports, and each user only those for its own
consumers; see `customer_credentials`. A user is signed by its account's key, so that a new one works
without telling or restarting the server.

Why two accounts: NATS does not check the reply subject of a request. Within the stream's account a
user that may only fetch could name `$JS.API.STREAM.DELETE.OUTBOUND`, or another customer's subject, as
its reply and have the server publish there (the tests show it). Across accounts a reply cannot leave
the asker's own account. Within that account only inboxes listen, and whoever wants to send something
there has to know the random name that a client gave its inbox. Requests for consumers, whose bodies
say where the server is to publish, go through a guard of ours; see natsguard.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import nkeys

from services.common.clock import wall_seconds
from services.common.jetstream import PREFIX, STREAM

CONSUMERS = 4
"""How many consumers one customer's subscribers may have at once, in all."""
DOMAIN = "outbound"
"""JetStream domain that subscribers set in their client, which makes its requests begin with API."""
API = f"$JS.{DOMAIN}.API"
"""Prefix of the requests in the subscribers' account, where `$JS.API` is that account's own."""
GUARD = "outbound_guard.consumer_create"
"""Where a request for a consumer arrives, with its name and filter behind this; see natsguard."""
_UNLIMITED = -1
_ACKS = f"$JS.ACK.{STREAM}.>"
_CREATE = f"{API}.CONSUMER.CREATE.{STREAM}.>"
_REQUESTS = (
    f"CONSUMER.INFO.{STREAM}.*",
    f"CONSUMER.MSG.NEXT.{STREAM}.*",
)


@dataclass(frozen=True, slots=True)
class Operator:
    """The seeds everything is signed with. Secret: whoever has them may be anybody."""

    operator_seed: str
    system_seed: str
    account_seed: str
    subscribers_seed: str

    def to_json(self) -> str:
        """For a file that only its owner may read."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, document: str) -> Operator:
        """What to_json wrote."""
        return cls(**json.loads(document))


def create_operator() -> Operator:
    """New seeds for an operator and its accounts."""
    return Operator(
        operator_seed=_new_seed(nkeys.PREFIX_BYTE_OPERATOR),
        system_seed=_new_seed(nkeys.PREFIX_BYTE_ACCOUNT),
        account_seed=_new_seed(nkeys.PREFIX_BYTE_ACCOUNT),
        subscribers_seed=_new_seed(nkeys.PREFIX_BYTE_ACCOUNT),
    )


def server_config(operator: Operator) -> str:
    """The lines of a nats-server configuration that make it demand credentials of ours."""
    accounts = {
        operator.system_seed: _account_jwt(operator, operator.system_seed, "system"),
        operator.account_seed: _account_jwt(operator, operator.account_seed, "outbound"),
        operator.subscribers_seed: _account_jwt(operator, operator.subscribers_seed, "subscribers"),
    }
    return "\n".join(
        [
            f"operator: {_operator_jwt(operator)}",
            f"system_account: {_public(operator.system_seed)}",
            "resolver: MEMORY",
            "resolver_preload: {",
            *(f"  {_public(seed)}: {token}" for seed, token in accounts.items()),
            "}",
            "",
        ]
    )


def service_credentials(operator: Operator, name: str) -> str:
    """The .creds text of one of our own processes: everything within the account, for ever."""
    return _credentials(operator.account_seed, name, {}, None)


def consumer_names(customer_id: UUID) -> Sequence[str]:
    """The only consumers a customer's subscribers may use."""
    return [f"c_{customer_id.hex}_{number}" for number in range(1, CONSUMERS + 1)]


def customer_filter(customer_id: UUID) -> str:
    """The only subjects a customer's consumers may be filtered by."""
    return f"{PREFIX}.{customer_id}.>"


def inbox_prefix(customer_id: UUID) -> str:
    """What a customer's subscriber must set as its client's inbox prefix."""
    return f"_INBOX_{customer_id.hex}"


def customer_credentials(operator: Operator, customer_id: UUID, ttl: timedelta) -> str:
    """The .creds text of a subscriber that can read the events of one customer, and nothing else.

    Its client needs the JetStream domain DOMAIN and the inbox prefix `inbox_prefix(customer_id)`. It
    makes or updates the consumers `consumer_names(customer_id)` of the stream OUTBOUND, each with one
    filter within `customer_filter(customer_id)`, fetches from them (pull only) and acknowledges.
    NATS closes its connection when `ttl` has passed.
    """
    permissions = {
        "pub": {
            "allow": [
                subject
                for name in consumer_names(customer_id)
                for subject in (
                    f"{API}.CONSUMER.CREATE.{STREAM}.{name}.{customer_filter(customer_id)}",
                    f"{API}.CONSUMER.INFO.{STREAM}.{name}",
                    f"{API}.CONSUMER.MSG.NEXT.{STREAM}.{name}",
                    f"$JS.ACK.{STREAM}.{name}.>",
                )
            ]
        },
        "sub": {"allow": [f"{inbox_prefix(customer_id)}.>"]},
        "subs": 100,
        "payload": 64 * 1024,
    }
    until = int(wall_seconds() + ttl.total_seconds())
    return _credentials(operator.subscribers_seed, f"customer-{customer_id}", permissions, until)


def _operator_jwt(operator: Operator) -> str:
    claims = {"type": "operator", "version": 2, "system_account": _public(operator.system_seed)}
    return _sign(operator.operator_seed, _public(operator.operator_seed), "outbound", claims, None)


def _account_jwt(operator: Operator, seed: str, name: str) -> str:
    limits = ["subs", "data", "payload", "imports", "exports", "conn", "leaf"]
    shared: dict[str, Any] = {}
    if name == "outbound":
        limits += ["mem_storage", "disk_storage", "streams", "consumer"]
        subjects = [*(f"$JS.API.{request}" for request in _REQUESTS), f"{GUARD}.>", _ACKS]
        # Several messages answer one request, hence `Stream`.
        shared["exports"] = [
            {"name": each, "subject": each, "type": "service", "response_type": "Stream"}
            for each in subjects
        ]
    elif name == "subscribers":
        # `$1` is what the first `*` stands for.
        ways = {f"$JS.API.{each}": f"{API}.{each.replace('*', '$1')}" for each in _REQUESTS}
        shared["imports"] = [
            {
                "name": there,
                "account": _public(operator.account_seed),
                "subject": there,
                "local_subject": here,
                "type": "service",
            }
            for there, here in {**ways, f"{GUARD}.>": _CREATE, _ACKS: _ACKS}.items()
        ]
    claims = {
        "type": "account",
        "version": 2,
        "limits": {**dict.fromkeys(limits, _UNLIMITED), "wildcards": True},
        "default_permissions": {"pub": {}, "sub": {}},
        **shared,
    }
    return _sign(operator.operator_seed, _public(seed), name, claims, None)


def _credentials(
    account_seed: str, name: str, permissions: Mapping[str, Any], until: int | None
) -> str:
    user_seed = _new_seed(nkeys.PREFIX_BYTE_USER)
    claims = {
        "type": "user",
        "version": 2,
        "pub": {},
        "sub": {},
        "subs": _UNLIMITED,
        "data": _UNLIMITED,
        "payload": _UNLIMITED,
        **permissions,
    }
    token = _sign(account_seed, _public(user_seed), name, claims, until)
    return (
        f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
        "************************* IMPORTANT *************************\n"
        "NKEY Seed printed below can be used to sign and prove identity.\n"
        "NKEYs are sensitive and should be treated as secrets.\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user_seed}\n------END USER NKEY SEED------\n\n"
        "*************************************************************\n"
    )


def _sign(
    issuer_seed: str, subject: str, name: str, claims: Mapping[str, Any], until: int | None
) -> str:
    """A NATS JWT: `claims` about `subject`, signed by the issuer's key."""
    body: dict[str, Any] = {
        "iat": int(wall_seconds()),
        "iss": _public(issuer_seed),
        "name": name,
        "sub": subject,
        "nats": dict(claims),
    }
    if until is not None:
        body["exp"] = until
    digest = hashlib.new("sha512_256", _json(body)).digest()
    body["jti"] = base64.b32encode(digest).decode().rstrip("=")
    header = _base64(_json({"typ": "JWT", "alg": "ed25519-nkey"}))
    signed = f"{header}.{_base64(_json(body))}"
    signature = _key(issuer_seed).sign(signed.encode())
    return f"{signed}.{_base64(signature)}"


def _key(seed: str) -> Any:
    # The library wipes what it is given, so it gets a copy.
    return nkeys.from_seed(bytearray(seed.encode()))


def _public(seed: str) -> str:
    public: bytes = _key(seed).public_key
    return public.decode()


def _new_seed(prefix: int) -> str:
    seed: bytes = nkeys.encode_seed(os.urandom(32), prefix)
    return seed.decode()


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
