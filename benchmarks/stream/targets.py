"""The servers that are measured: ours in one process and in several, and the peer."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.stream.load import Target
from benchmarks.stream.processes import ROOT, ProcessFailed, answers, environment, free_port, started
from runtime.redis import connect

PROJECT = Path(__file__).parent / "project"
_PEER = ROOT / ".venv-bench-stream" / "bin" / "langgraph"
_OURS = [sys.executable, "-m", "cli"]
_GRAPHS = ["--config", str(PROJECT / "langgraph.json")]
"""Options of both `serve` and `worker` that name the graphs."""


@asynccontextmanager
async def ours(workers: int) -> AsyncIterator[Target]:
    """A server in an empty data folder, with a Redis of its own; with `workers` they run the graphs, else it.

    Raises ProcessFailed.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="cornerman-")))
        inline = str(not workers)
        env = environment(
            CORNERMAN_DATA_DIR=str(folder), CORNERMAN_WORKER_INLINE=inline, CORNERMAN_LOG_LEVEL="warning"
        )
        port = free_port()
        serve, work = [*_OURS, "serve", *_GRAPHS, "--port", str(port)], [*_OURS, "worker", *_GRAPHS]
        server = await stack.enter_async_context(started("server", serve, env, folder))
        await answers(url := f"http://127.0.0.1:{port}", server)
        working = [
            await stack.enter_async_context(started(f"worker-{n}", work, env, folder)) for n in range(workers)
        ]
        redis_url = f"unix://{folder / 'redis' / 'redis.sock'}"
        async with connect(redis_url) as client:
            redis = int((await client.info("server"))["process_id"])
        pids = {"server": [server.pid], "redis": [redis]}
        if workers:
            pids["worker"] = [process.pid for process in working]
        yield Target(
            f"server + {workers} worker" if workers else "server, works itself", url, redis_url, pids
        )


@asynccontextmanager
async def peer() -> AsyncIterator[Target]:
    """LangGraph's own server, in memory, with as many slots as it has by default. Raises ProcessFailed."""
    if not _PEER.exists():
        raise ProcessFailed("it is not installed; make bench-stream does that")
    env = environment(
        FF_OPTIMIZED_STREAMING="true",
        LANGSMITH_TRACING="false",
        LANGGRAPH_CLI_NO_ANALYTICS="1",
        PYTHONPATH="",
    )
    with TemporaryDirectory(prefix="langgraph-") as name:
        # It writes its state beside the project.
        folder = Path(shutil.copytree(PROJECT, Path(name) / "project"))
        port = free_port()
        options = ["--no-browser", "--no-reload", "--server-log-level", "ERROR", "--port", str(port)]
        async with started("langgraph", [str(_PEER), "dev", *options], env, folder) as process:
            await answers(url := f"http://127.0.0.1:{port}", process)
            yield Target("langgraph-api, in memory", url, pids={"server": [process.pid]})
