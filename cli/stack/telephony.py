"""The stack's own Asterisk: how it is made, and what the dialers are told of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cli.embedded.asterisk import (
    ARI_USER,
    PHONE_NUMBERS,
    TIMER_B_MS,
    AsteriskOptions,
    PrivateAsterisk,
    Trunk,
)
from cli.stack.folder import DataFolder, write_private
from cli.stack.secrets import Secrets

HTTP_PORT, SIP_PORT = "asterisk-http", "asterisk-sip"
FILE_VARIABLE = "OUTBOUND_ASTERISK_FILE"


def make_asterisk(
    folder: DataFolder,
    secrets: Secrets,
    ports: Mapping[str, int],
    sip: tuple[str, int] | None,
    trunk: tuple[str, int] | None,
    say: Callable[[str], None],
) -> PrivateAsterisk:
    """An Asterisk within the data folder, not started; `sip` is where phones reach it."""
    passwords = secrets.asterisk_values()
    host, port = sip or ("127.0.0.1", ports[SIP_PORT])
    options = AsteriskOptions(
        http_port=ports[HTTP_PORT],
        sip_port=port,
        sip_host=host,
        ari_password=passwords["ari_password"],
        phone_password=passwords["phone_password"],
        trunk=Trunk(*trunk) if trunk is not None else None,
        sounds=_speech(folder),
    )
    return PrivateAsterisk(folder.path / "asterisk", options, say=say)


def write_pbx_file(secrets: Secrets, server: PrivateAsterisk) -> Path:
    """The file of PBXs and trunks for the dialers; it holds the password."""
    trunks: list[dict[str, Any]] = [
        # One phone that is switched off says nothing of the others.
        {
            "name": "phones",
            "address_types": ["extension"],
            "dial": "PJSIP/{target}",
            "rest_after": 0,
        },
        {"name": "uri", "address_types": ["sip"], "dial": "PJSIP/uri/{uri}", "rest_after": 0},
    ]
    if server.options.trunk is not None:
        trunks.append({"name": "trunk", "address_types": ["tel"], "dial": "PJSIP/{target}@trunk"})
    pbx = {
        "name": "own",
        "ari_url": server.ari_url,
        "user": ARI_USER,
        "password": server.options.ari_password,
        "timer_b_ms": TIMER_B_MS,
        "trunks": trunks,
    }
    write_private(secrets.asterisk_pbxs, json.dumps({"pbxs": [pbx]}, indent=2))
    return secrets.asterisk_pbxs


def dialer_environment(folder: DataFolder, pbx_file: Path | None) -> dict[str, str]:
    """What a dialer on a real network is told; without a file the caller's own variables name one."""
    environment = {
        "OUTBOUND_MEDIA_DIR": str(folder.path / "media"),
        "OUTBOUND_SPEECH_CACHE_DIR": str(_speech(folder)),
        "OUTBOUND_RECORDINGS_DIR": str(folder.recordings),
    }
    if pbx_file is not None:
        environment[FILE_VARIABLE] = str(pbx_file)
    return environment


def _speech(folder: DataFolder) -> Path:
    return folder.path / "speech"


def about_phones(server: PrivateAsterisk, secrets: Secrets) -> list[str]:
    """For the person who wants to hear it work."""
    options = server.options
    first, last = PHONE_NUMBERS[0], PHONE_NUMBERS[-1]
    return [
        f"Asterisk {'.'.join(map(str, server.program.version))}: {server.program.how}",
        f"softphones register as {first} to {last} at sip:{options.sip_host}:{options.sip_port} (UDP), "
        f"with the phone_password in {secrets.asterisk}",
    ]
