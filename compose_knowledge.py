"""The knowledge of an installation: who reaches the index itself, and how the others ask for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from functools import partial

from anyio import create_task_group, sleep
from anyio.abc import TaskStatus
from redis.asyncio import Redis

from ingestion.embedders.configured import Embedders
from ingestion.embedders.dense import Model
from ingestion.knowledge import Knowledge
from ingestion.leftovers import sweep_hourly
from ingestion.opening_knowledge import (
    EmbedderSetup,
    Server,
    make_embedders,
    make_reranker,
    open_knowledge,
    open_memory,
    open_shared_knowledge,
)
from ingestion.remote import RemoteKnowledge, SharedKnowledge, functions
from ingestion.remote_memory import SharedMemory
from runtime.embeddings import open_embeddings
from runtime.errors import KnowledgeUnavailable
from runtime.remote import Caller, Function, answering
from runtime.settings import Settings

_OWNER_POLL_S = 1.0


@asynccontextmanager
async def open_embedders(settings: Settings) -> AsyncIterator[Embedders]:
    """Those that are configured; models are loaded when they are first used. Raises SettingsInvalid."""
    if not settings.embedding_base_url:
        yield make_embedders(_setup(settings, None))
        return
    opening = open_embeddings(
        settings.embedding_model,
        base_url=settings.embedding_base_url,
        api_key=settings.embedding_api_key,
        timeout_s=settings.embedding_timeout_s,
        max_retries=settings.model_retries,
    )
    async with opening as endpoint:
        yield make_embedders(_setup(settings, endpoint))


def _setup(settings: Settings, endpoint: Model | None) -> EmbedderSetup:
    return EmbedderSetup(
        default=settings.embedder,
        timeout_s=settings.embedding_timeout_s,
        query_timeout_s=settings.search_timeout_s / 2,
        cache=settings.data_dir / "vectors.sqlite" if settings.embedding_cache_bytes else None,
        cache_bytes=settings.embedding_cache_bytes,
        endpoint=endpoint,
        endpoint_model=settings.embedding_model,
        endpoint_size=settings.embedding_size,
        endpoint_languages=settings.languages,
        bge=settings.bge_dir,
        bge_device=settings.bge_device,
        bge_max_tokens=settings.bge_max_tokens,
        bge_colbert=settings.bge_colbert,
        reranker=settings.reranker_dir,
    )


@asynccontextmanager
async def open_index(settings: Settings) -> AsyncIterator[Knowledge]:
    """The index of this installation, without the others'. Raises KnowledgeUnavailable naming its owner."""
    async with open_embedders(settings) as embedders:
        if server := _server(settings):
            async with open_shared_knowledge(server, embedders) as (knowledge, _):
                yield knowledge
            return
        async with open_knowledge(settings.data_dir, embedders, settings.search_timeout_s) as knowledge:
            yield knowledge


def _server(settings: Settings) -> Server | None:
    if settings.qdrant_url is None:
        return None
    key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else None
    return Server(settings.qdrant_url, key, settings.qdrant_prefix, settings.search_timeout_s)


def make_memory(settings: Settings, waiting: Redis) -> SharedMemory | None:
    """The store's items, where they are to be searched."""
    return SharedMemory(Caller(waiting), settings.search_timeout_s) if settings.store_search else None


async def reach_knowledge(
    stack: AsyncExitStack,
    settings: Settings,
    embedders: Embedders,
    waiting: Redis,
    memory: SharedMemory | None,
    own_index: bool,
) -> SharedKnowledge:
    """The knowledge of a process: on a Qdrant server, or with `own_index` embedded as soon as nobody has it.

    Raises SettingsInvalid.
    """
    knowledge = SharedKnowledge(RemoteKnowledge(Caller(waiting), settings.search_timeout_s))
    reranker = make_reranker(_setup(settings, None))
    if server := _server(settings):
        opening = open_shared_knowledge(server, embedders, reranker)
        reached, items = await stack.enter_async_context(opening)
        knowledge.owned = reached
        tasks = await stack.enter_async_context(create_task_group())
        stack.callback(tasks.cancel_scope.cancel)
        tasks.start_soon(sweep_hourly, reached.sweep)
        if memory:
            await stack.enter_async_context(memory.own(nullcontext(items)))
    elif own_index:
        tasks = await stack.enter_async_context(create_task_group())
        stack.callback(tasks.cancel_scope.cancel)
        opening_embedded = partial(
            open_knowledge, settings.data_dir, embedders, settings.search_timeout_s, reranker
        )
        await tasks.start(_own_index, knowledge, memory, settings, opening_embedded, waiting)
    return knowledge


async def _own_index(
    knowledge: SharedKnowledge,
    memory: SharedMemory | None,
    settings: Settings,
    open_embedded: Callable[[], AbstractAsyncContextManager[Knowledge]],
    waiting: Redis,
    *,
    task_status: TaskStatus[None],
) -> None:
    """Owns the index and answers the others. Started after the first try: another may own it for now."""
    tried = False
    while True:
        items: AbstractAsyncContextManager[Mapping[str, Function]] = nullcontext({})
        if memory:
            items = memory.own(open_memory(settings.data_dir, settings.search_timeout_s))
        try:
            async with (
                open_embedded() as owned,
                items as more,
                answering(waiting, {**functions(owned), **more}),
            ):
                knowledge.owned = owned
                if not tried:
                    task_status.started()
                await sweep_hourly(owned.sweep)
        except KnowledgeUnavailable:
            if not tried:
                task_status.started()
            tried = True
        finally:
            knowledge.owned = None
        await sleep(_OWNER_POLL_S)
