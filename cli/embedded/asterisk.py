"""A private Asterisk in its own process: phones and a trunk around one port, ruled over one loopback port.

Configuration, sounds, recordings and logs lie in one folder; the files are made from the templates in
`deploy/asterisk/` at each start.
"""

from __future__ import annotations

import base64
import shutil
import signal
import socket
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.embedded.asterisk_user import choose_user, hand_over, let_enter, let_read
from cli.embedded.errors import EmbeddedError, PortTaken, StartFailed, folder_error
from cli.embedded.music import write_music
from cli.embedded.process import ServerProcess, User, last_line, run_once
from cli.embedded.telephony_packages import Asterisk, find_asterisk

TEMPLATES = Path(__file__).resolve().parents[2] / "deploy" / "asterisk"
ARI_USER = "outbound"
PHONE_NUMBERS = range(1000, 1020)
TIMER_B_MS = 8000
"""A peer that does not answer at all is given up after this long."""
# Below the ports of our own servers, and of outgoing connections.
RTP_PORTS = (10000, 19999)
_HOST = "127.0.0.1"
_READY_SECONDS = 30.0
# It would wait for the calls it ends; nobody is left to hear of them.
_STOP_SECONDS = 3.0
# Read by modules that complain when they are missing, and empty.
_EMPTY = [
    "ccss",
    "cdr",
    "cel",
    "chan_websocket",
    "codecs",
    "dnsmgr",
    "enum",
    "features",
    "manager",
    "pjproject",
    "sorcery",
    "stasis",
    "udptl",
    "websocket_client",
]
_ITS_OWN = ("lib", "spool", "log", "cache")  # folders that it writes to
_PARTS = ("pjsip_trunk.conf", "pjsip_phone.conf")  # not files of their own
_SWITCHED_OFF = {"cdr": "enable = no", "cel": "enable = no", "manager": "enabled = no"}


@dataclass(frozen=True, slots=True)
class Trunk:
    """A SIP peer that takes calls to telephone numbers."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class AsteriskOptions:
    """What a private Asterisk is made of. Ports are free ones that the caller has claimed."""

    http_port: int
    sip_port: int
    ari_password: str
    phone_password: str
    sip_host: str = _HOST
    trunk: Trunk | None = None
    timer_b_ms: int = TIMER_B_MS
    sounds: Path | None = None  # folder of ours that it plays files of


class PrivateAsterisk:
    """One Asterisk with its folder. Not shared between threads."""

    def __init__(
        self,
        folder: Path,
        options: AsteriskOptions,
        *,
        program: Asterisk | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Describe a server; nothing is touched before `start`. `say` is told of a download."""
        self.folder = folder.absolute()
        self.options = options
        self._program = program
        self._say = say
        self._run: Path | None = None
        self._process: ServerProcess | None = None

    @property
    def program(self) -> Asterisk:
        """What is run; unpacked on first use. Raises BinaryMissing."""
        if self._program is None:
            self._program = find_asterisk(self._say)
        return self._program

    @property
    def ari_url(self) -> str:
        """Where it is ruled."""
        return f"http://{_HOST}:{self.options.http_port}/ari"

    @property
    def log_file(self) -> Path:
        """What the process writes itself; its warnings are in log/messages.log."""
        return self.folder / "asterisk.log"

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        return self._running().pid

    def is_running(self) -> bool:
        """Whether the server was started and has not ended."""
        return self._process is not None and self._process.is_running()

    def start(self) -> None:
        """Start the server and return when it takes calls.

        Does nothing when it runs already; may be called again after it died. Raises a subclass of
        EmbeddedError.
        """
        if self.is_running():
            return
        self.stop()
        program = self.program
        self._run = Path(tempfile.mkdtemp(prefix="outbound-ast-"))
        try:
            self._write(program)
            user = self._settle_user(program)
        except OSError as error:
            raise folder_error(self.folder, error) from error
        if not _is_udp_free(self.options.sip_host, self.options.sip_port):
            raise PortTaken(
                f"{self.options.sip_host}:{self.options.sip_port} is taken or not an address here; "
                "choose another with --sip"
            )
        self._process = ServerProcess(
            [*self._command(program), "-f", "-n"],
            log_file=self.log_file,
            end_signal=signal.SIGTERM,
            user=user,
            environment={"HOME": str(self.folder), "TZ": "UTC", "LC_ALL": "C"},
            temporary=self._run,
        )
        if not self._process.wait_until(self._is_ready, _READY_SECONDS):
            raise self._failure()

    def stop(self) -> None:
        """End the server and its calls. Safe to repeat."""
        if self._process is not None:
            self._process.stop(_STOP_SECONDS)
            self._process = None
        if self._run is not None:
            shutil.rmtree(self._run, ignore_errors=True)
            self._run = None

    def command_line(self, command: str) -> str:
        """What the server's own command line answers, such as `core show channels`."""
        self._running()
        return run_once([*self._command(self.program), "-r", "-x", command]).stdout

    # ---------------------------------------------------------------------------------- inside

    def _running(self) -> ServerProcess:
        if self._process is None:
            raise EmbeddedError("Asterisk has not been started")
        return self._process

    def _command(self, program: Asterisk) -> list[str]:
        return [*program.words, "-C", str(self.folder / "etc" / "asterisk.conf")]

    def _write(self, program: Asterisk) -> None:
        for name in (
            "etc",
            "lib/agi-bin",
            "lib/keys",
            "spool/recording",
            "spool/tmp",
            "log",
            "cache",
        ):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        # Conversations lie there until they have been fetched.
        (self.folder / "spool").chmod(0o700)
        if self.options.sounds is not None:
            self.options.sounds.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._link_data(program)
        values = self._values(program)
        etc = self.folder / "etc"
        for name in _EMPTY:
            (etc / f"{name}.conf").write_text(f"[general]\n{_SWITCHED_OFF.get(name, '')}\n")
        (etc / "acl.conf").touch()  # has no [general]
        for template in sorted(TEMPLATES.glob("*.conf")):
            if template.name not in _PARTS:
                _write_private(etc / template.name, fill(template.read_text(), values))

    def _settle_user(self, program: Asterisk) -> User | None:
        """Who it runs as. What it is told stays ours, what it writes is its own."""
        assert self._run is not None
        user = choose_user(self.folder, program, self.options.sip_port, self._say)
        if user is not None:
            hand_over([self._run, *(self.folder / name for name in _ITS_OWN)], user)
            let_read((self.folder / "etc").iterdir(), user)
            if self.options.sounds is not None:
                let_enter(self.options.sounds, user)
        return user

    def _link_data(self, program: Asterisk) -> None:
        """A data folder of our own with music in it, beside what the program brought along."""
        data = self.folder / "data"
        (data / "moh").mkdir(parents=True, exist_ok=True)
        (data / "sounds").mkdir(exist_ok=True)
        if not (data / "moh" / "music.wav").exists():
            write_music(data / "moh" / "music.wav")
        for name in ("documentation", "rest-api"):
            link = data / name
            link.unlink(missing_ok=True)
            link.symlink_to(program.data / name)

    def _values(self, program: Asterisk) -> Mapping[str, str]:
        options = self.options
        values = {
            "FOLDER": str(self.folder),
            "RUN": str(self._run),
            "MODULES": str(program.modules),
            "HTTP_PORT": str(options.http_port),
            "ARI_USER": ARI_USER,
            "ARI_PASSWORD": options.ari_password,
            "SIP_HOST": options.sip_host,
            "SIP_PORT": str(options.sip_port),
            "MEDIA_ADDRESS": options.sip_host,
            # Asterisk wants 64 times the one within the other.
            "TIMER_T1_MS": str(options.timer_b_ms // 64),
            "TIMER_B_MS": str(options.timer_b_ms),
            "PHONE_PASSWORD": options.phone_password,
            "RTP_FIRST": str(RTP_PORTS[0]),
            "RTP_LAST": str(RTP_PORTS[1]),
            "TRUNK": "",
        }
        if options.trunk is not None:
            peer = f"{options.trunk.host}:{options.trunk.port}"
            about = {"TRUNK_URI": f"sip:{peer}", "TRUNK_PEER": peer}
            values["TRUNK"] = fill((TEMPLATES / "pjsip_trunk.conf").read_text(), about)
        phone = (TEMPLATES / "pjsip_phone.conf").read_text()
        values["PHONES"] = "".join(fill(phone, {"NUMBER": str(one)}) for one in PHONE_NUMBERS)
        return values

    def _is_ready(self) -> bool:
        request = urllib.request.Request(f"{self.ari_url}/asterisk/ping")
        login = f"{ARI_USER}:{self.options.ari_password}".encode()
        request.add_header("Authorization", f"Basic {base64.b64encode(login).decode()}")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=2):
                pass
        except (urllib.error.URLError, OSError):
            return False
        return "fully booted" in self.command_line("core waitfullybooted")

    def _failure(self) -> EmbeddedError:
        process = self._running()
        log = process.log()
        messages = self.folder / "log" / "messages.log"
        self.stop()
        if messages.exists():
            log += messages.read_text(errors="replace")[-8192:]
        if "Address already in use" in log:
            port = self.options.http_port
            return PortTaken(f"port {port} on {_HOST} is taken; choose another for Asterisk")
        errors = [line for line in log.splitlines() if "ERROR" in line]
        return StartFailed(f"Asterisk did not start: {last_line(errors[-1] if errors else log)}")


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with every @NAME@ replaced by its value."""
    for name, value in values.items():
        template = template.replace(f"@{name}@", value)
    return template


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _is_udp_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
