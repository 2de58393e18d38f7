"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runtime.embedded_redis import embedded_redis


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
