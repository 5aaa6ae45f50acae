"""Settings of the gateway, read from the environment (prefix `OUTBOUND_`, see the README's table)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from gateway.timeforms import TimeForm
from services.common.config import ServiceSettings
from services.common.credentials import access_key_fault, password_fault, username_fault

MEBIBYTE = 1024 * 1024


class GatewaySettings(ServiceSettings):
    """What the gateway is told beside the settings every process has."""

    trusted_keys_file: str = ""
    """Not used: nobody calls the gateway over gRPC."""
    http_listen: str = "127.0.0.1:8080"
    """Address of the HTTP server; port 0 takes a free one."""
    campaign_address: str = "127.0.0.1:50051"
    """host:port of the campaign process."""
    outdial_address: str = "127.0.0.1:50052"
    """host:port of the outdial process."""
    queue_address: str = "127.0.0.1:50053"
    """host:port of the queue process."""
    dialer_address: str = "127.0.0.1:50054"
    """host:port of the dialer processes, separated by commas; any of them answers for every call."""

    login_secret: SecretStr
    """Signs login tokens and derives generated credentials: at least 32 characters, kept secret."""
    bootstrap_access_key: SecretStr = SecretStr("")
    """Access key of the first customer; empty generates one."""
    bootstrap_username: str = "admin@outbound.local"
    """Login of the first customer's administrator, shaped like an e-mail address."""
    bootstrap_password: SecretStr = SecretStr("")
    """Password of that administrator, at least 8 characters; empty generates one."""

    max_body_bytes: int = Field(default=MEBIBYTE, ge=1024, le=16 * MEBIBYTE)
    """Largest JSON body; larger ones get 413. Imports stream and have no limit."""
    max_batch_body_bytes: int = Field(default=8 * MEBIBYTE, ge=1024, le=16 * MEBIBYTE)
    """Largest body of a batch of up to 1,000 targets."""
    body_seconds: float = Field(default=30.0, gt=0, le=3600)
    """How long a client may take to send a JSON body, and be silent within an import, real seconds."""
    header_bytes: int = Field(default=32 * 1024, ge=4096, le=MEBIBYTE)
    """Largest request line and headers together."""
    header_seconds: float = Field(default=15.0, gt=0, le=600)
    """How long a client may take to send them, real seconds."""
    keep_alive_seconds: float = Field(default=30.0, gt=0, le=3600)
    """How long an idle connection is kept, real seconds."""
    request_seconds: float = Field(default=15.0, gt=0.5, le=600)
    """How long a request may take in all, real seconds; imports and event streams are exempt."""
    forwarded_allow_ips: str = ""
    """Proxies whose X-Forwarded-For and -Proto are believed, separated by commas; empty: none."""
    time_format: TimeForm = TimeForm.GUIDE
    """How times are written unless a request asks otherwise: guide or rfc3339."""

    rate_preset: Literal["default", "original", "off"] = "default"
    """default: the rate_customer figures; original: those of the documented service; off: none."""
    rate_customer_per_second: float = Field(default=1000.0, gt=0)
    """Requests a second of one customer, per gateway process (preset default)."""
    rate_customer_burst: float = Field(default=2000.0, ge=1)
    """Requests one customer may send at once before the rate holds (preset default)."""
    rate_ip_per_second: float = Field(default=0.0, ge=0)
    """Requests a second of one address; 0 sets no limit (preset default)."""
    rate_ip_burst: float = Field(default=400.0, ge=1)
    """Requests one address may send at once before the rate holds (preset default)."""

    streams_per_customer: int = Field(default=100, ge=1, le=10_000)
    """Event streams one customer may hold open at once in this process."""

    @field_validator("login_secret")
    @classmethod
    def _secret_form(cls, value: SecretStr) -> SecretStr:
        if len(value) < 32:
            raise ValueError("accepted: at least 32 characters")
        return value

    @field_validator("bootstrap_access_key")
    @classmethod
    def _key_form(cls, value: SecretStr) -> SecretStr:
        return _given(value, access_key_fault)

    @field_validator("bootstrap_username")
    @classmethod
    def _username_form(cls, value: str) -> str:
        if fault := username_fault(value):
            raise ValueError(f"accepted: {fault}")
        return value

    @field_validator("bootstrap_password")
    @classmethod
    def _password_form(cls, value: SecretStr) -> SecretStr:
        return _given(value, password_fault)


def _given(value: SecretStr, fault_of: Callable[[str], str]) -> SecretStr:
    if value and (fault := fault_of(value.get_secret_value())):
        raise ValueError(f"accepted: {fault}, or nothing")
    return value
