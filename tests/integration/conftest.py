"""The models that every graph is tested with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from langchain_core.language_models import BaseChatModel

from nodes.scripts import SCRIPTS
from runtime.models import open_model
from runtime.scripted import ScriptedModel
from tests.openai_server import openai_server

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
