"""The private Asterisk: starts, keeps its ports, survives kill -9, registers phones, ends with its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cli.embedded import telephony_packages
from cli.embedded.asterisk import ARI_USER, TEMPLATES, AsteriskOptions, PrivateAsterisk
from cli.embedded.errors import BinaryMissing, PortTaken
from cli.stack.ports import find_free_port, spread
from tests.fixtures.asterisk import HOST, PORTS
from tests.support import sound
from tests.support.servers import open_folder
from tests.support.softphone import softphone
from tests.support.waiting import wait_for


def make_options() -> AsteriskOptions:
    http_port, sip_port = (find_free_port(HOST, spread(*PORTS)) for _ in range(2))
    return AsteriskOptions(http_port, sip_port, ari_password="ruler", phone_password="ringer")


@pytest.fixture
def server() -> Iterator[PrivateAsterisk]:
    with open_folder() as folder:
        made = PrivateAsterisk(folder / "asterisk", make_options())
        yield made
        made.stop()


def get(server: PrivateAsterisk, path: str, password: str = "ruler") -> httpx.Response:
    return httpx.get(server.ari_url + path, auth=(ARI_USER, password), trust_env=False)


def test_it_is_ruled_with_the_password_only(server: PrivateAsterisk) -> None:
    server.start()
    assert get(server, "/asterisk/ping").status_code == 200
    assert get(server, "/asterisk/ping", "guess").status_code == 401
    assert (server.folder / "etc" / "ari.conf").stat().st_mode & 0o027 == 0


def test_it_comes_back_after_kill_at_the_same_address(server: PrivateAsterisk) -> None:
    server.start()
    url = server.ari_url
    os.kill(server.pid, signal.SIGKILL)
    wait_for(lambda: not server.is_running())
    server.start()
    assert server.ari_url == url
    assert get(server, "/asterisk/ping").status_code == 200


def test_everything_it_needs_was_loaded(server: PrivateAsterisk) -> None:
    server.start()
    wanted = [
        line.removeprefix("load = ").strip()
        for line in (TEMPLATES / "modules.conf").read_text().splitlines()
        if line.startswith("load = ")
    ]
    running = {each["name"] for each in get(server, "/asterisk/modules").json()}
    assert set(wanted) - running == set()
    assert "ERROR" not in (server.folder / "log" / "messages.log").read_text()


def owner_of(server: PrivateAsterisk) -> int:
    return Path(f"/proc/{server.pid}").stat().st_uid


def test_it_is_not_root_nor_may_it_change_what_it_is_told(server: PrivateAsterisk) -> None:
    server.start()
    owner = owner_of(server)
    assert owner != 0
    assert (owner == os.geteuid()) == (os.geteuid() != 0)
    for path in (server.folder / "etc").iterdir():
        assert path.stat().st_uid == os.geteuid()
        assert path.stat().st_mode & 0o027 == 0
    # Once more with what is there by now.
    os.kill(server.pid, signal.SIGKILL)
    wait_for(lambda: not server.is_running())
    server.start()
    assert owner_of(server) == owner


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user's choice")
def test_where_no_other_user_may_go_it_stays_root_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    tmp_path.chmod(0o700)
    server = PrivateAsterisk(tmp_path / "asterisk", make_options(), say=said.append)
    try:
        server.start()
        assert owner_of(server) == 0
        assert [line for line in said if "runs as root" in line and "may not enter" in line]
    finally:
        server.stop()


def test_music_is_audible(server: PrivateAsterisk) -> None:
    server.start()
    music = sound.read_wav(server.folder / "data" / "moh" / "music.wav")
    assert len(music) > 10 * sound.RATE
    assert sound.loudness(music) > 500
    assert "music" in server.command_line("moh show files")


def test_twenty_softphones_have_a_place(server: PrivateAsterisk) -> None:
    server.start()
    endpoints = {each["resource"] for each in get(server, "/endpoints/PJSIP").json()}
    assert {"1000", "1019", "uri"} <= endpoints
    assert "trunk" not in endpoints


def test_a_softphone_registers_with_its_password_and_is_rung(server: PrivateAsterisk) -> None:
    server.start()
    registrar = (HOST, server.options.sip_port)
    with softphone("1001", "a guess", registrar) as stranger:
        assert stranger.register() == 401
    with softphone("1000", "ringer", registrar) as phone:
        assert phone.register() == 200
        query = {"endpoint": "PJSIP/1000", "context": "outbound-call", "extension": "s"}
        made = httpx.post(
            f"{server.ari_url}/channels", params=query, auth=(ARI_USER, "ruler"), trust_env=False
        )
        assert made.status_code == 200
        assert "m=audio" in phone.rung()


def test_a_taken_sip_port_is_one_clear_line(server: PrivateAsterisk) -> None:
    server.start()
    options = make_options()
    taken = AsteriskOptions(
        options.http_port, server.options.sip_port, ari_password="a", phone_password="b"
    )
    other = PrivateAsterisk(server.folder.with_name("other"), taken)
    with pytest.raises(PortTaken, match="--sip"):
        other.start()


def test_a_named_root_wins_and_a_wrong_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = telephony_packages.find_asterisk()
    assert found.version >= telephony_packages.OLDEST
    monkeypatch.setenv(telephony_packages.ROOT_VARIABLE, str(tmp_path))
    with pytest.raises(BinaryMissing, match="usr/sbin/asterisk"):
        telephony_packages.find_asterisk()
    monkeypatch.setenv(telephony_packages.ROOT_VARIABLE, str(found.root))
    assert "OUTBOUND_ASTERISK_ROOT" in telephony_packages.find_asterisk().how


def test_it_ends_when_its_parent_is_killed() -> None:
    options = make_options()
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from cli.embedded.asterisk import AsteriskOptions, PrivateAsterisk\n"
        "options = AsteriskOptions(int(sys.argv[2]), int(sys.argv[3]), 'a', 'b')\n"
        "server = PrivateAsterisk(Path(sys.argv[1]), options)\n"
        "server.start()\n"
        "print(server.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with open_folder() as folder:
        arguments = [str(folder), str(options.http_port), str(options.sip_port)]
        parent = subprocess.Popen(
            [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True
        )
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        parent.stdout.close()
        wait_for(lambda: not _is_alive(pid), "the end of Asterisk")


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
