"""Ctrl-C while documents are read."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketStream

from tests.server_process import ROOT, command, environment
from tests.site import serving

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("times", [1, 3])
async def test_what_was_done_is_said(tmp_path: Path, times: int) -> None:
    """However often: what has ended stays, the rest is cancelled, in one table; no traceback; code 130."""
    asked = anyio.Event()

    async def hang(stream: SocketStream, path: str) -> None:
        asked.set()
        await anyio.sleep_forever()

    (tmp_path / "a.md").write_text("Seats cost 39.")
    (tmp_path / "c.md").write_text("Thirty days.")
    async with serving(hang) as site:
        # One document after the other: when the site is asked, the one before is over.
        settings = {"CORNERMAN_INGEST_HOSTS": f"127.0.0.1:{site.port}", "CORNERMAN_WORKER_CONCURRENCY": "1"}
        named = (str(tmp_path / "a.md"), f"http://127.0.0.1:{site.port}/b.md", str(tmp_path / "c.md"))
        async with await anyio.open_process(
            command("ingest", *named),
            env=environment(tmp_path / "data", **settings),
            cwd=ROOT,
            start_new_session=True,
        ) as process:
            assert process.stdout is not None and process.stderr is not None
            with anyio.fail_after(60):
                await asked.wait()
                # As a terminal does it: to the command, and to all processes that it has started.
                for _ in range(times):
                    os.killpg(process.pid, signal.SIGINT)
                    await anyio.sleep(0.05)  # Two at once are one signal.
                shown = "".join([part.decode() async for part in process.stdout])
                complaints = "".join([part.decode() async for part in process.stderr])
                assert await process.wait() == 130, shown + complaints
    for name, status in (("a.md", "ingested"), ("b.md", "cancelled"), ("c.md", "cancelled")):
        assert re.search(rf"{re.escape(name)}\W+{status}", shown), shown
    assert "2 cancelled, 1 ingested" in shown
    assert "Traceback" not in complaints and "Error" not in complaints, complaints
