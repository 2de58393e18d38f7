"""Fixtures that every test may use."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from coverage import Coverage

from runtime.embedded_redis import embedded_redis

_MOST_WORKERS = 4
_MEASURED = "COVERAGE_PROCESS_CONFIG"
_MEASURING = os.environ.pop(_MEASURED, None) if "PYTEST_XDIST_WORKER" in os.environ else None
"""By this variable coverage follows into the processes that tests start. It doubles their time, imports and
all, and their code is called by other tests in their own process; see `measured_processes`."""


def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`: one more than there are cores, since a third of the tests' time is waiting."""
    return min((os.cpu_count() or 1) + 1, _MOST_WORKERS)


@pytest.fixture
def anyio_backend() -> str:
    """redis-py, SAQ and LangGraph run on asyncio."""
    return "asyncio"


@pytest.fixture(autouse=True)
def no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A key or URL in the environment or in `.env` must not turn a test into a call to somebody's model."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "CORNERMAN_REDIS_URL", "CORNERMAN_API_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CORNERMAN_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
async def redis_url(tmp_path: Path) -> AsyncIterator[str]:
    """A real redis-server of the test's own."""
    async with embedded_redis(tmp_path / "redis") as socket:
        yield f"unix://{socket}"


@pytest.fixture
def measured_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Coverage of the processes that the test starts: for code that runs nowhere else."""
    if _MEASURING:
        monkeypatch.setenv(_MEASURED, _MEASURING)


@pytest.fixture
def unmeasured() -> Iterator[None]:
    """No coverage of the test, which runs the same lines ten thousand times: it would double its time."""
    measuring = Coverage.current()
    if measuring is None:
        yield
        return
    measuring.stop()
    yield
    measuring.start()
