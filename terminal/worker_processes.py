"""Worker processes beside a server, which the demo can kill."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
from anyio.abc import Process

from runtime.errors import AppError
from runtime.settings import Settings

_READY_TIMEOUT_S = 60.0
OWN_WORLD: dict[str, None] = dict.fromkeys(("openai_api_key", "model_base_url", "api_keys", "redis_url"))
"""Settings of an installation that uses nothing of what is configured."""


class WorkerFailed(AppError):
    """A worker process did not start."""

    code = "worker_failed"


class WorkerProcesses:
    """`cornerman worker` processes of this installation."""

    def __init__(self, processes: list[Process]) -> None:
        self._processes = processes

    @property
    def pids(self) -> list[int]:
        """Of those that live."""
        return [p.pid for p in self._processes if p.returncode is None]

    async def ready(self) -> None:
        """Waits until each has said that it works. Raises WorkerFailed."""
        for process in self._processes:
            assert process.stdout is not None
            try:
                with anyio.fail_after(_READY_TIMEOUT_S):
                    await process.stdout.receive()
            except (TimeoutError, anyio.EndOfStream) as exc:
                raise WorkerFailed(f"worker process {process.pid} did not start; see worker.log") from exc

    async def kill(self, pid: int) -> None:
        """SIGKILL to one of these processes, and to no other."""
        for process in self._processes:
            if process.pid == pid and process.returncode is None:
                process.kill()
                await process.wait()


@asynccontextmanager
async def open_workers(settings: Settings, count: int) -> AsyncIterator[WorkerProcesses]:
    """`count` workers on the same data folder until the block is left; their log is `worker.log` there."""
    # Empty values also hide what an `.env` file says.
    environment = {
        **os.environ,
        **dict.fromkeys(("CORNERMAN_OPENAI_API_KEY", "CORNERMAN_MODEL_BASE_URL", "CORNERMAN_API_KEYS"), ""),
        **dict.fromkeys(("OPENAI_API_KEY", "OPENAI_BASE_URL", "CORNERMAN_REDIS_URL"), ""),
        "CORNERMAN_DATA_DIR": str(settings.data_dir.resolve()),
        "CORNERMAN_HEARTBEAT_S": str(settings.heartbeat_s),
        "CORNERMAN_SCRIPTED_TOKEN_DELAY_S": str(settings.scripted_token_delay_s),
    }
    async with AsyncExitStack() as stack:
        log = stack.enter_context((settings.data_dir / "worker.log").open("ab"))
        processes = [
            await anyio.open_process(
                [sys.executable, "-m", "cli", "worker"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
            for _ in range(count)
        ]
        for process in processes:
            stack.push_async_callback(_end, process)
        yield WorkerProcesses(processes)


async def _end(process: Process) -> None:
    with anyio.CancelScope(shield=True):
        if process.returncode is None:
            process.terminate()
            with anyio.move_on_after(10):
                await process.wait()
        if process.returncode is None:
            process.kill()
        await process.aclose()
