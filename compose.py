"""The composition root: opens what a process of the installation needs, and wires it."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from anyio import CancelScope, Event, create_task_group, move_on_after
from langchain_core.language_models import BaseChatModel
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.store.base import BaseStore
from redis.asyncio import Redis

from compose_knowledge import make_memory, open_embedders, reach_knowledge
from graphs import GRAPHS, INGEST
from ingestion.artifacts import sweep_artifacts
from ingestion.embedders.bm25 import Bm25Embedder
from ingestion.leftovers import sweep_hourly
from ingestion.opening import Setup, make_pipeline, open_reader
from ingestion.pipeline import Pipeline
from ingestion.reading import Reader
from ingestion.remote import SharedKnowledge
from nodes.scripts import SCRIPTS
from runtime.answers import RedisAnswers
from runtime.assistants import Assistants
from runtime.auth import check_exposure, read_keys
from runtime.catalog import Catalog
from runtime.checkpoints import RedisSaver
from runtime.commands import Commands
from runtime.context import OPERATOR, Context, Role, User
from runtime.crons import Crons
from runtime.engine import Engine
from runtime.errors import KnowledgeUnavailable, PermissionDenied, ProfileMismatch
from runtime.events import EventLog
from runtime.execution import RunLimits
from runtime.hub import open_hub
from runtime.models import open_model
from runtime.narrowing import ANYTHING, Filters
from runtime.passage import Passage
from runtime.project import Project
from runtime.queue import RunQueue
from runtime.redis import connect, open_redis
from runtime.runs import Runs
from runtime.settings import Settings
from runtime.store import RedisStore
from runtime.thread_removal import ThreadRemoval
from runtime.thread_state import ThreadState
from runtime.threads import Threads
from runtime.worker import Worker
from runtime.working import serve_queue

_WORKERS_POLL_S = 1.0
"""A worker that died is believed to live for some seconds."""
_INGESTING: frozenset[Role] = frozenset({"manager", "engineer", "admin"})
_QUEUE_CONNECTIONS = 16
"""Beside those of the worker's slots: subscriptions, enqueueing, the calls' queue."""


@dataclass(frozen=True)
class Installation:
    """What one process has open."""

    settings: Settings
    redis_url: str = field(repr=False)
    """May hold a password."""
    users: Mapping[str, User] = field(repr=False)
    """By API key."""
    engine: Engine
    """What the protocol's operations act on."""
    queue: RunQueue
    model: BaseChatModel
    knowledge: SharedKnowledge
    pipeline: Pipeline
    answers: Callable[[str], RedisAnswers] | None = None
    """Those that may be given again, by tenant; None where they are not kept."""

    def context_for(self, user: User) -> Context:
        """What a run of this user may use."""

        async def search(query: str, *, limit: int = 5, filters: Filters = ANYTHING) -> list[Passage]:
            try:
                return await self.knowledge.current.search(user.tenant, query, limit=limit, filters=filters)
            except ProfileMismatch as exc:
                # Whoever asks can do nothing about it; `doctor` says what is to be done.
                raise KnowledgeUnavailable("the index holds vectors that this process cannot make") from exc

        async def revision() -> str:
            return await self.knowledge.current.revision(user.tenant)

        async def ingest(
            stage: str, state: Mapping[str, Any], report: Callable[[int, int], None]
        ) -> dict[str, Any]:
            if not user.roles & _INGESTING:
                raise PermissionDenied(
                    f"{user.subject!r} may not ingest; that takes one of {sorted(_INGESTING)}"
                )
            return await self.pipeline.step(user.tenant, stage, state, report, roots=self._roots(user))

        return Context(
            user,
            lambda: self.model,
            search,
            self.settings.packs_dir,
            ingest,
            passage_tokens=self.settings.passage_tokens,
            search_timeout_s=self.settings.search_timeout_s,
            answers=self.answers(user.tenant) if self.answers else None,
            knowledge_revision=revision,
        )

    def _roots(self, user: User) -> list[Path] | None:
        """The folders whose files the user's runs may read; None: any that this process may.

        Whoever uses this machine may: its commands, and the local user where no keys are configured.
        """
        return None if user.subject == OPERATOR or not self.users else self.settings.roots


Work = bool | Literal["if_nobody_does"]


@asynccontextmanager
async def open_installation(
    settings: Settings, *, own_index: bool, work: Work, project: Project | None = None
) -> AsyncIterator[Installation]:
    """Opens everything, closes it in reverse order.

    `own_index`: take the embedded index if no other process has it, and answer the others' searches.
    `work`: also execute runs, or only as soon as no other process does. `project`: somebody's graphs, served
    beside ours. Raises SettingsInvalid, RedisUnavailable.
    """
    users = read_keys(settings.api_keys)
    check_exposure(settings.host, users)
    async with AsyncExitStack() as stack:
        given = settings.redis_url.get_secret_value() if settings.redis_url else None
        url = await stack.enter_async_context(open_redis(given, settings.data_dir))
        client = await stack.enter_async_context(connect(url))
        waiting = await stack.enter_async_context(
            connect(url, timeout_s=None, connections=settings.worker_concurrency + _QUEUE_CONNECTIONS)
        )
        installation = await _wire(stack, settings, url, users, client, waiting, own_index, project)
        if work == "if_nobody_does":
            tasks, done = await stack.enter_async_context(create_task_group()), Event()
            stack.callback(done.set)
            tasks.start_soon(_work_if_nobody_does, installation, waiting, done)
        elif work:
            await stack.enter_async_context(_working(installation, waiting))
        yield installation


async def _wire(
    stack: AsyncExitStack,
    settings: Settings,
    url: str,
    users: Mapping[str, User],
    client: Redis,
    waiting: Redis,
    own_index: bool,
    project: Project | None,
) -> Installation:
    memory = make_memory(settings, waiting)
    embedders = await stack.enter_async_context(open_embedders(settings))
    knowledge = await reach_knowledge(stack, settings, embedders, waiting, memory, own_index)
    queue = RunQueue(waiting, settings.heartbeat_s)
    return Installation(
        settings=settings,
        redis_url=url,
        users=users,
        engine=await _engine(
            stack, settings, client, waiting, queue, RedisStore(client, index=memory), project
        ),
        queue=queue,
        answers=_answers(settings, client),
        model=await stack.enter_async_context(_model(settings)),
        knowledge=knowledge,
        pipeline=await make_pipeline(
            setup_of(settings), knowledge, embedders, await stack.enter_async_context(open_reading(settings))
        ),
    )


async def _engine(
    stack: AsyncExitStack,
    settings: Settings,
    client: Redis,
    waiting: Redis,
    queue: RunQueue,
    store: BaseStore,
    project: Project | None,
) -> Engine:
    events = EventLog(client, settings.events_kept, settings.events_age_s)
    runs, threads = Runs(client, events, queue), Threads(client)
    # A project's state may hold classes of its own, which our strict default would not bring back to life.
    saver = RedisSaver(client, serde=JsonPlusSerializer()) if project else RedisSaver(client)
    catalog = make_catalog(saver, store, project)
    assistants, state = Assistants(client, [*catalog.names, *catalog.failed]), ThreadState(threads, catalog)
    commands = Commands(runs, threads, catalog, assistants, state, events, settings.max_message_chars)

    return Engine(
        catalog=catalog,
        assistants=assistants,
        threads=threads,
        state=state,
        removal=ThreadRemoval(client, saver),
        runs=runs,
        commands=commands,
        crons=Crons(client, queue, commands.start_scheduled),
        events=events,
        hub=await stack.enter_async_context(open_hub(waiting, events)),
        saver=saver,
        store=store,
    )


def make_catalog(saver: RedisSaver, store: BaseStore, project: Project | None) -> Catalog:
    """Our graphs and those of the project, which go before ours of the same name."""
    ours = {name: build() for name, build in GRAPHS.items()}
    return Catalog(
        {**ours, **(project.graphs if project else {})}, saver, store, project.failures if project else {}
    )


def _model(settings: Settings) -> AbstractAsyncContextManager[BaseChatModel]:
    return open_model(
        settings.model,
        SCRIPTS,
        base_url=settings.model_base_url,
        api_key=settings.openai_api_key,
        timeout_s=settings.model_timeout_s,
        max_retries=settings.model_retries,
        temperature=settings.model_temperature,
        scripted_token_delay_s=settings.scripted_token_delay_s,
    )


def _answers(settings: Settings, client: Redis) -> Callable[[str], RedisAnswers] | None:
    if not settings.answer_cache:
        return None
    words, similarity = Bm25Embedder().weights, settings.answer_cache_similarity
    return lambda tenant: RedisAnswers(client, tenant, words, similarity=similarity)


def setup_of(settings: Settings) -> Setup:
    """What ingestion may use by these settings."""
    tokens = {"child_tokens": settings.child_tokens, "parent_tokens": settings.parent_tokens}
    return Setup(
        folder=settings.data_dir / "ingest",
        strategy={"name": "parent_child", "parameters": tokens},
        tokens=settings.tokens,
        processes=settings.ingest_processes,
        process_bytes=settings.ingest_process_bytes,
        budget_bytes=settings.ingest_budget_bytes,
        max_bytes=settings.ingest_max_bytes,
        limits=settings.ingest_limits,
        thresholds=settings.ingest_thresholds,
        hosts=settings.hosts,
        docling_artifacts=settings.docling_artifacts,
        ocr_timeout_s=settings.ocr_timeout_s,
        ocr_concurrency=settings.ocr_concurrency,
    )


@asynccontextmanager
async def open_reading(settings: Settings) -> AsyncIterator[Reader]:
    """What reads files by these settings, without an index. Raises SettingsInvalid."""
    async with AsyncExitStack() as stack:
        ocr = await stack.enter_async_context(_ocr(settings)) if settings.ocr_base_url else None
        yield await stack.enter_async_context(open_reader(setup_of(settings), ocr))


def _ocr(settings: Settings) -> AbstractAsyncContextManager[BaseChatModel]:
    return open_model(
        settings.ocr_model,
        {},
        base_url=settings.ocr_base_url,
        api_key=settings.ocr_api_key,
        timeout_s=settings.ocr_timeout_s,
        max_retries=settings.model_retries,
        temperature=0,
    )


async def _work_if_nobody_does(installation: Installation, waiting: Redis, done: Event) -> None:
    """Ends by `done` alone: SAQ complains on the terminal when it is cancelled."""
    while await installation.queue.workers():
        with move_on_after(_WORKERS_POLL_S):
            await done.wait()
            return
    with CancelScope(shield=True):
        async with _working(installation, waiting):
            await done.wait()


@asynccontextmanager
async def _working(installation: Installation, waiting: Redis) -> AsyncIterator[None]:
    settings = installation.settings
    engine = installation.engine
    worker = Worker(
        f"{socket.gethostname()}:{os.getpid()}",
        engine.runs,
        engine.removal,
        engine.events,
        installation.queue,
        engine.catalog,
        installation.context_for,
        RunLimits(
            run_timeout_s=settings.run_timeout_s,
            step_timeout_s=settings.step_timeout_s,
            stop_grace_s=settings.stop_grace_s,
            recursion=settings.recursion_limit,
            recursion_max=settings.recursion_limit_max,
            tokens=settings.run_tokens,
            long={INGEST: settings.ingest_timeout_s},
        ),
        heartbeat_s=settings.heartbeat_s,
        attempts=settings.run_attempts,
    )
    async with (
        serve_queue(
            worker,
            installation.queue,
            waiting,
            engine.crons,
            concurrency=settings.worker_concurrency,
            heartbeat_s=settings.heartbeat_s,
            grace_s=settings.shutdown_grace_s,
        ),
        create_task_group() as tasks,
    ):
        tasks.start_soon(sweep_hourly, partial(sweep_artifacts, installation.pipeline.means.folder))
        yield
        tasks.cancel_scope.cancel()
