"""Keys of a stack: made on its first start, kept in the data folder, never given a default."""

from __future__ import annotations

import json
import secrets as random
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.errors import CommandError, ExitCode
from cli.stack.folder import write_private
from services.common import natsauth
from services.common.auth import Role, generate_key_pair
from services.common.credentials import access_key_fault, password_fault, username_fault

# Who may call whom: the role belongs to the key, so the list of processes is also the list of roles.
ISSUERS: dict[str, Role] = {
    "gateway": Role.GATEWAY,
    "campaign": Role.CAMPAIGN,
    "outdial": Role.OUTDIAL,
    "queue": Role.QUEUE,
    "dialer": Role.DIALER,
    "client": Role.CLIENT,
}
NATS_SERVICE_USER = "services"
_BOOTSTRAP = "OUTBOUND_BOOTSTRAP_"
_BOOTSTRAP_FORMS = {
    "access_key": access_key_fault,
    "username": username_fault,
    "password": password_fault,
}


@dataclass(frozen=True, slots=True)
class Secrets:
    """Where the stack's secrets lie."""

    folder: Path

    @property
    def trusted_keys(self) -> Path:
        """Public keys and roles of every issuer."""
        return self.folder / "trusted_keys.json"

    @property
    def login_secret(self) -> Path:
        """Secret that signs the gateway's login tokens."""
        return self.folder / "login_secret"

    @property
    def nats_operator(self) -> Path:
        """Seeds of the NATS operator and account."""
        return self.folder / "nats_operator.json"

    @property
    def nats_services(self) -> Path:
        """NATS credentials of our own processes."""
        return self.folder / "nats_services.creds"

    @property
    def bootstrap(self) -> Path:
        """The first customer's access key and admin."""
        return self.folder / "bootstrap.json"

    @property
    def asterisk(self) -> Path:
        """Passwords of the stack's own Asterisk."""
        return self.folder / "asterisk.json"

    @property
    def asterisk_pbxs(self) -> Path:
        """How the dialers reach it."""
        return self.folder / "asterisk_pbxs.json"

    def asterisk_values(self) -> dict[str, str]:
        """ari_password and phone_password; made on first use."""
        if not self.asterisk.exists():
            fresh = {name: random.token_urlsafe(18) for name in ("ari_password", "phone_password")}
            write_private(self.asterisk, json.dumps(fresh, indent=2))
        values: dict[str, str] = json.loads(self.asterisk.read_text())
        return values

    def key(self, issuer: str) -> Path:
        """Private key of one issuer."""
        return self.folder / f"{issuer}_key.pem"

    def settle(self, environment: Mapping[str, str]) -> None:
        """Make what is missing; existing keys stay."""
        self._settle_keys(list(ISSUERS))
        if not self.login_secret.exists():
            write_private(self.login_secret, random.token_urlsafe(48))
        if not self.nats_operator.exists():
            write_private(self.nats_operator, natsauth.create_operator().to_json())
        # Renewed at each start, so that credentials never outlive the form this version gives them.
        operator = self.operator()
        write_private(self.nats_services, natsauth.service_credentials(operator, NATS_SERVICE_USER))

        self._settle_bootstrap(environment)

    def bootstrap_environment(self) -> dict[str, str]:
        """The variables that make the first customer when the database is empty."""
        known = self.bootstrap_values()
        return {f"{_BOOTSTRAP}{name.upper()}": value for name, value in known.items()}

    def bootstrap_values(self) -> dict[str, str]:
        """access_key, username and password of the first customer."""
        values: dict[str, str] = json.loads(self.bootstrap.read_text())
        return values

    def _settle_bootstrap(self, environment: Mapping[str, str]) -> None:
        """Given values win on the first start; what is missing is generated. Later starts keep them."""
        if self.bootstrap.exists():
            return
        alphabet = string.ascii_letters + string.digits
        generated = {
            "access_key": "vb_" + "".join(random.choice(alphabet) for _ in range(32)),
            "username": "admin@localhost.local",
            "password": random.token_urlsafe(18),
        }
        values = generated | _given(environment)
        write_private(self.bootstrap, json.dumps(values, indent=2))

    def operator(self) -> natsauth.Operator:
        """The NATS identities of this stack."""
        return natsauth.Operator.from_json(self.nats_operator.read_text())

    def _settle_keys(self, issuers: Sequence[str]) -> None:
        trusted: dict[str, dict[str, str]] = {}
        if self.trusted_keys.exists():
            trusted = json.loads(self.trusted_keys.read_text())
        for issuer in issuers:
            if issuer in trusted and self.key(issuer).exists():
                continue
            pair = generate_key_pair()
            write_private(self.key(issuer), pair.private_pem)
            trusted[issuer] = {"role": ISSUERS[issuer].value, "public_key": pair.public_key}
        write_private(self.trusted_keys, json.dumps(trusted, indent=2))


def _given(environment: Mapping[str, str]) -> dict[str, str]:
    """The bootstrap values of the environment; refused here, before the folder keeps them for good."""
    values = {}
    for name, fault_of in _BOOTSTRAP_FORMS.items():
        variable = f"{_BOOTSTRAP}{name.upper()}"
        if not (value := environment.get(variable)):
            continue
        if fault := fault_of(value):
            # It may be a secret in the wrong place: not repeated.
            raise CommandError(f"{variable} is not accepted: {fault}, or nothing", ExitCode.USAGE)
        values[name] = value
    return values
