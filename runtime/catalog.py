"""The graphs that an installation serves, ours and a project's, each opened for one use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel import Pregel
from langgraph.store.base import BaseStore
from langgraph_sdk.runtime import AccessContext

from runtime.context import Context, User
from runtime.errors import AppError, GraphUnavailable, UnknownAssistant
from runtime.graph import Graph
from runtime.project_makers import Maker, enter
from runtime.project_runtime import config_for, runtime_for
from runtime.tenant_store import TenantStore

GraphSource = Pregel[Any, Any, Any, Any] | StateGraph[Any, Any, Any, Any] | Maker
"""A compiled graph (an `@entrypoint` is one too), a builder, or a function that makes either."""


_MAKE_S = 60.0
"""How long a function may take to make a graph: no run's time limit has begun then."""


def accepts_our_context(graph: Pregel[Any, Any, Any, Any]) -> bool:
    """True for a graph whose nodes expect `runtime.context.Context`."""
    return graph.context_schema is Context


class Catalog:
    """Graphs by assistant name, all with one saver and one store, whatever they were compiled with."""

    def __init__(
        self,
        sources: Mapping[str, GraphSource],
        saver: BaseCheckpointSaver[Any],
        store: BaseStore,
        failures: Mapping[str, AppError] = {},
    ) -> None:
        """`failures`: graphs that could not be loaded, and why; opening one raises it."""
        self._saver = saver
        self._store = store
        self._failures = failures
        self._makers = {name: source for name, source in sources.items() if callable(source)}
        self._graphs = {
            name: self._prepared(name, source) for name, source in sources.items() if name not in self._makers
        }

    @property
    def names(self) -> list[str]:
        """The graphs that can be opened, sorted; without the failed ones."""
        return sorted([*self._graphs, *self._makers])

    @property
    def failed(self) -> list[str]:
        """The graphs that could not be loaded, sorted."""
        return sorted(self._failures)

    def __contains__(self, name: object) -> bool:
        return name in self._graphs or name in self._makers

    def takes(self, name: str, payload: Any) -> bool:
        """Whether this may be an input of the graph, as far as its state tells. Raises its failure to load.

        A state graph takes None, and objects of which it knows a key.
        """
        if name in self._failures:
            raise self._absence(name)
        graph = self._graphs.get(name)
        if payload is None or not isinstance(graph, CompiledStateGraph):
            return True
        known = graph.builder.schemas[graph.builder.input_schema]
        return isinstance(payload, dict) and (not payload or not known.keys().isdisjoint(payload))

    def open(
        self,
        name: str,
        access: AccessContext,
        user: User,
        config: RunnableConfig | None = None,
        context: Any = None,
    ) -> AbstractAsyncContextManager[Graph]:
        """The graph, for as long as the block lasts; enter and leave it in one task.

        `config` and `context` are the run's; a function that makes graphs is called anew each time, and gets
        copies. Raises UnknownAssistant at once, or the failure to load; entering raises GraphUnavailable when
        the function fails or makes no graph.
        """
        graph = self._graphs.get(name)
        if graph is not None:
            return nullcontext(graph)
        if name not in self._makers:
            raise self._absence(name)
        return self._making(name, access, user, config, context)

    def _absence(self, name: str) -> AppError:
        failure = self._failures.get(name)
        if failure is None:
            return UnknownAssistant(f"no graph {name!r}; known: {self.names}")
        # A new one each time: an exception that is raised again and again collects tracebacks.
        again = type(failure)(str(failure), **failure.details)
        again.__cause__ = failure.__cause__
        return again

    @asynccontextmanager
    async def _making(
        self, name: str, access: AccessContext, user: User, config: RunnableConfig | None, context: Any
    ) -> AsyncIterator[Graph]:
        runtime = runtime_for(access, user, TenantStore(self._store, user.tenant), context)
        async with AsyncExitStack() as stack:
            try:
                # Not anyio's: a scope around what the maker opens could not be left before it.
                async with asyncio.timeout(_MAKE_S) as limit:
                    made = await enter(self._makers[name], stack, config_for(access, user, config), runtime)
                graph = self._prepared(name, made)
            except AppError:
                raise
            except TimeoutError as exc:
                took = f"took longer than {_MAKE_S:g} s" if limit.expired() else "timed out"
                raise GraphUnavailable(f"graph {name!r} could not be made: it {took}", graph=name) from exc
            # The project's code, and no node of it: it may raise anything, but no interrupt.
            except Exception as exc:
                raise GraphUnavailable(
                    f"graph {name!r} could not be made ({type(exc).__name__})",
                    graph=name,
                    cause=type(exc).__name__,
                ) from exc
            yield graph

    def _prepared(self, name: str, made: object) -> Graph:
        if isinstance(made, StateGraph):
            return made.compile(checkpointer=self._saver, store=self._store, name=name)
        if isinstance(made, Pregel):
            # An entrypoint is no CompiledStateGraph, but runs, streams and reads state as one does.
            attached = {"checkpointer": self._saver, "store": self._store, "name": name}
            return cast(Graph, made.copy(update=attached))
        raise GraphUnavailable(
            f"graph {name!r} is a {type(made).__name__}, neither a graph nor a builder", graph=name
        )
