"""Processes of the benchmark's own: started, asked what they cost (Linux's /proc), and ended."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

ROOT = Path(__file__).parents[2]
_READY_TIMEOUT_S = 90.0
_END_TIMEOUT_S = 15.0
_TICKS = os.sysconf("SC_CLK_TCK")
_LAST_LINES = 15


class ProcessFailed(Exception):
    """A process of the benchmark ended early, or did not get ready in time."""


def environment(**more: str) -> dict[str, str]:
    """Without the developer's settings and keys; this checkout before any installed one."""
    others = ("CORNERMAN_", "OPENAI_", "LANGSMITH_", "LANGCHAIN_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


@asynccontextmanager
async def started(
    name: str, command: Sequence[str], env: Mapping[str, str], folder: Path
) -> AsyncIterator[Process]:
    """The process, in `folder`, where its output is `<name>.log`; ended when the block is left."""
    log = folder / f"{name}.log"
    with log.open("ab") as out:
        process = await anyio.open_process(
            command, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        yield process
    except ProcessFailed as exc:
        raise ProcessFailed(f"{exc}; the last words of {name}:\n{_tail(log)}") from exc
    finally:
        await end(process)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:])


async def end(process: Process) -> None:
    """By SIGTERM, or by SIGKILL when that takes too long."""
    with anyio.CancelScope(shield=True):
        if process.returncode is None:
            process.terminate()
        with anyio.move_on_after(_END_TIMEOUT_S):
            await process.wait()
        if process.returncode is None:
            process.kill()
        await process.aclose()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def answers(url: str, process: Process) -> None:
    """Returns once the server says that it is well. Raises ProcessFailed."""
    async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
        with anyio.move_on_after(_READY_TIMEOUT_S):
            while process.returncode is None:
                try:
                    if (await client.get(f"{url}/ok")).is_success:
                        return
                except httpx.TransportError:
                    pass
                await anyio.sleep(0.1)
    raise ProcessFailed(f"no server answers at {url}")


async def line(process: Process, timeout_s: float) -> str:
    """The next line that the process says. Raises ProcessFailed."""
    assert process.stdout is not None
    said = ""
    try:
        with anyio.fail_after(timeout_s):
            async for part in TextReceiveStream(process.stdout):
                said += part
                if "\n" in said:
                    return said.strip()
    except TimeoutError as exc:
        raise ProcessFailed(f"process {process.pid} said nothing within {timeout_s:g} s") from exc
    raise ProcessFailed(f"process {process.pid} ended before it was done; see above")


async def tell(process: Process) -> None:
    """Lets a process go on that waits for a line."""
    assert process.stdin is not None
    await process.stdin.send(b"\n")


def cpu_s(pids: Iterable[int]) -> float:
    """User and system time of these processes, without those they started; in steps of 10 ms."""
    return sum(_cpu_s(pid) for pid in pids)


def _cpu_s(pid: int) -> float:
    # Field 2, the name, may hold spaces; behind it, utime and stime are fields 14 and 15 (proc(5)).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def rss_bytes(pid: int) -> int:
    """Resident memory of one process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024
