"""The main job, as `make run` plays it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server_process import run

pytestmark = pytest.mark.anyio


@pytest.mark.usefixtures("measured_processes")
async def test_the_demo_holds_without_a_terminal(tmp_path: Path) -> None:
    """All seven steps check themselves; nothing needs a key, a network or a person, and it ends by itself."""
    done = await run(tmp_path, "demo", timeout_s=180)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All 7 steps hold" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
