"""`cornerman` as its users start it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio.abc import Process

ROOT = Path(__file__).parents[1]


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "cli", *args]


def environment(data: Path, **more: str) -> dict[str, str]:
    """A clean one: no key, no URL of the developer's."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CORNERMAN_", "OPENAI_"))}
    return {**kept, "CORNERMAN_DATA_DIR": str(data), "COLUMNS": "200", "NO_COLOR": "1", **more}


async def run(
    data: Path, *args: str, stdin: str = "", timeout_s: float = 60, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The finished command, whatever its exit code; `settings` are environment."""
    with anyio.fail_after(timeout_s):
        done = await anyio.run_process(
            command(*args),
            input=stdin.encode(),
            check=False,
            env=environment(data, **(settings or {})),
            cwd=ROOT,
        )
    return subprocess.CompletedProcess(args, done.returncode, done.stdout.decode(), done.stderr.decode())


@asynccontextmanager
async def serving(data: Path, **more: str) -> AsyncIterator[tuple[Process, str]]:
    """A `cornerman serve` that answers, and its URL; ended in order if it still lives."""
    async with await anyio.open_process(
        command("serve", "--port", "0"), env=environment(data, **more), cwd=ROOT, stderr=None
    ) as process:
        try:
            yield process, await _url(process)
        finally:
            with anyio.CancelScope(shield=True):
                if process.returncode is None:
                    process.terminate()
                await process.wait()


async def _url(process: Process) -> str:
    said = ""
    assert process.stdout is not None
    with anyio.fail_after(60):
        while "http://" not in said or "·" not in said:
            said += (await process.stdout.receive()).decode()
    return said[said.index("http://") :].split()[0]
