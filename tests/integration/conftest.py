"""The models that every graph is tested with, and the servers that the checkpointer and the store are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast

import pytest
from langchain_core.language_models import BaseChatModel
from langgraph_sdk import get_client
from redis.asyncio import Redis

from ingestion.memory import Memory
from ingestion.opening_knowledge import open_memory
from nodes.scripts import SCRIPTS
from runtime.checkpoints import RedisSaver
from runtime.models import open_model
from runtime.redis import connect
from runtime.scripted import ScriptedModel
from tests.openai_server import openai_server
from tests.project_server import serving_project
from tests.servers import KINDS, MissingServer, Server, running

MODELS: Final = ("scripted", "endpoint")
"""The scripted model in the process, and behind an OpenAI-compatible endpoint over HTTP."""


@asynccontextmanager
async def open_kind(kind: str) -> AsyncIterator[BaseChatModel]:
    """One of MODELS."""
    scripted = ScriptedModel(scripts=SCRIPTS)
    if kind == "scripted":
        yield scripted
        return
    async with (
        openai_server(scripted) as server,
        open_model(
            "some-model",
            SCRIPTS,
            base_url=server.base_url,
            api_key=None,
            timeout_s=10,
            max_retries=0,
            temperature=0,
        ) as endpoint,
    ):
        yield endpoint


@pytest.fixture(params=MODELS)
async def model(request: pytest.FixtureRequest) -> AsyncIterator[BaseChatModel]:
    """Each of MODELS."""
    async with open_kind(request.param) as opened:
        yield opened


@pytest.fixture(scope="session", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of each kind, one for all the tests that ask for it."""
    try:
        with running(request.param, tmp_path_factory.mktemp(request.param)) as started:
            yield started
    except MissingServer as missing:
        pytest.skip(str(missing))


@pytest.fixture
async def any_client(server: Server) -> AsyncIterator[Redis]:
    """A client of each kind of server, with nothing in it."""
    async with server.connect() as client:
        await client.flushall()
        # A cluster's client has all the methods that the tests call.
        yield cast(Redis, client)


@pytest.fixture
def saver(any_client: Redis) -> RedisSaver:
    """A saver on each kind of server."""
    return RedisSaver(any_client)


@pytest.fixture(scope="session")
def project_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of the project in `sdk_project`, one for all the tests that ask for it."""
    with serving_project(tmp_path_factory.mktemp("project")) as url:
        yield url


@pytest.fixture
async def project_client(project_url: str) -> AsyncIterator[Any]:
    """The stock asynchronous SDK, which has no types of its own for what tests do with it."""
    client = get_client(url=project_url)
    yield client
    await client.aclose()


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the test's own server."""
    async with connect(redis_url) as client:
        yield client


@pytest.fixture
async def memory(tmp_path: Path) -> AsyncIterator[Memory]:
    """An index of the store's items."""
    async with open_memory(tmp_path, timeout_s=10) as memory:
        yield memory
