"""A PostgreSQL server of the benchmark's own: default settings, a unix socket, a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import psycopg  # type: ignore[import-not-found, unused-ignore]
from anyio.abc import Process

_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 15.0
_DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian keeps the binaries, by version and off PATH."""
_USERS = ("postgres", "nobody")
"""Whom the server runs as when we are root, which it refuses: the first that exists."""


class ServerMissing(Exception):
    """The server cannot be run here; the message says what to install."""


@asynccontextmanager
async def postgres_server() -> AsyncIterator[str]:
    """The conninfo of its superuser, without a database name. Raises ServerMissing."""
    binaries = _find()
    with tempfile.TemporaryDirectory(prefix="cornerman-pg-") as name:
        folder, user = Path(name), _user()
        if user:
            shutil.chown(folder, user.pw_uid, user.pw_gid)
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        await _create(binaries / "initdb", folder, as_user)
        process = await _start(binaries / "postgres", folder, as_user)
        try:
            conninfo = f"host={folder} user=bench"
            await _wait_until_it_answers(process, conninfo, folder / "log")
            yield conninfo
        finally:
            with anyio.CancelScope(shield=True):
                await _stop(process)


def _find() -> Path:
    """The folder of the binaries: those on PATH, or else Debian's newest."""
    if on_path := shutil.which("postgres"):
        return Path(on_path).resolve().parent
    found = sorted(_DEBIAN.glob("*/bin/postgres"), key=lambda binary: float(binary.parts[-3]))
    if not found:
        raise ServerMissing("no PostgreSQL server; on Debian: apt-get install postgresql")
    return found[-1].parent


def _user() -> pwd.struct_passwd | None:
    """None when the server may run as we do."""
    if os.geteuid() != 0:
        return None
    users = {user.pw_name: user for user in pwd.getpwall()}
    return next(users[name] for name in _USERS if name in users)


async def _create(initdb: Path, folder: Path, as_user: dict[str, Any]) -> None:
    command = [str(initdb), "-D", str(folder / "data"), "-U", "bench", "-A", "trust"]
    command += ["-E", "UTF8", "--no-locale", "--no-sync"]
    await anyio.run_process(command, cwd=folder, **as_user)


async def _start(postgres: Path, folder: Path, as_user: dict[str, Any]) -> Process:
    command = [str(postgres), "-D", str(folder / "data"), "-k", str(folder), "-c", "listen_addresses="]
    if guard := shutil.which("setpriv"):
        # Linux ends the server when the benchmark dies, SIGKILL included.
        command = [guard, "--pdeathsig", "INT", "--", *command]
    with (folder / "log").open("wb") as log:
        # A session of its own: Ctrl-C is for the benchmark, which then stops the server in order.
        return await anyio.open_process(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
            **as_user,
        )


async def _wait_until_it_answers(process: Process, conninfo: str, log: Path) -> None:
    deadline = anyio.current_time() + _START_TIMEOUT_S
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(f"{conninfo} dbname=postgres")
        except psycopg.OperationalError as exc:
            if process.returncode is not None or anyio.current_time() > deadline:
                raise ServerMissing(f"PostgreSQL did not start: {log.read_text()[-400:]}") from exc
            await anyio.sleep(0.05)
        else:
            await connection.close()
            return


async def _stop(process: Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGINT)  # Its fast shutdown: clients are disconnected.
    with anyio.move_on_after(_STOP_TIMEOUT_S):
        await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
    await process.aclose()
