from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from services.common.config import ServiceSettings
from services.common.foundation import main
from services.common.process import Life


class Settings(ServiceSettings):
    """A process's own."""

    token: SecretStr = SecretStr("")


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


async def test_what_cannot_start_is_closed() -> None:
    done: list[str] = []

    async def note(word: str) -> None:
        done.append(word)

    async def fail() -> None:
        raise OSError("the port is taken")

    life = Life(
        name="x",
        on_start=[fail],
        background=[("worker", lambda: note("worked"))],
        on_drain=[lambda: note("drained")],
        on_close=[lambda: note("closed")],
    )
    with pytest.raises(OSError, match="taken"):
        await life.run()
    assert done == ["closed"]


async def test_every_hook_of_the_end_is_awaited_whatever_became_of_the_one_before() -> None:
    done: list[str] = []

    async def fail(word: str) -> None:
        done.append(word)
        raise RuntimeError(word)

    life = Life(
        name="x",
        on_drain=[lambda: fail("drain 1"), lambda: fail("drain 2")],
        on_close=[lambda: fail("close 1"), lambda: fail("close 2")],
    )
    life.stopping.set()
    await life.run()
    assert done == ["drain 1", "drain 2", "close 1", "close 2"]


def test_main_tells_its_settings_without_secrets_and_ends_with_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (
        ("DATABASE_URL", "postgresql://me:hunter2@db/o"),
        ("KEY_FILE", "/k"),
        ("TRUSTED_KEYS_FILE", "/t"),
        ("TOKEN", "correct horse"),
    ):
        monkeypatch.setenv(f"OUTBOUND_{name}", value)
    # uvloop would leave its mark on how this process hears of its children.
    monkeypatch.setattr("services.common.process.uvloop.run", asyncio.run)
    seen: list[str] = []

    class Once:
        def stop(self) -> None: ...

        async def run(self) -> None:
            seen.append("ran")

    async def build(settings: Settings) -> Once:
        seen.append(settings.token.get_secret_value())
        return Once()

    with pytest.raises(SystemExit) as caught:
        main(Settings, "x", build)
    assert caught.value.code == 0
    assert seen == ["correct horse", "ran"]
    told = json.loads(capsys.readouterr().err.splitlines()[0])
    assert (told["event"], told["process"], told["token"]) == ("settings", "x", "•••")
    assert "hunter2" not in json.dumps(told)


async def test_the_tasks_end_with_the_life() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("worker")

    life = Life(name="x", background=[("worker", work)], on_drain=[lambda: asyncio.sleep(0)])
    running = asyncio.create_task(life.run())
    await asyncio.sleep(0)
    life.stopping.set()
    await running
    assert ended == ["worker"]
