"""Functions that make a graph for one use: what they take, and how their graph is entered and left."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack
from contextvars import copy_context
from functools import partial
from typing import Any, Literal, get_args, get_origin

import structlog
from anyio import CancelScope, move_on_after, to_thread
from langchain_core.runnables import RunnableConfig
from langgraph_sdk.runtime import ServerRuntime, _ExecutionRuntime, _ReadRuntime

from runtime.errors import InvalidInput
from runtime.project_runtime import ProjectRuntime

Maker = Callable[..., Any]
"""Sync or async, or an (async) context manager; takes nothing, the config, the runtime, or both."""

LEAVING_S = 10.0
"""How long a maker may take to release what its graph held, even when the run was cancelled."""

Role = Literal["config", "runtime"]

_RUNTIMES = ("ServerRuntime", "_ExecutionRuntime", "_ReadRuntime")

log = structlog.get_logger()


def roles(maker: Maker) -> dict[str, Role]:
    """What each parameter stands for, by annotation, else by the name `runtime`; the other one is the config.

    Further parameters with a default keep it. Raises InvalidInput for one without.
    """
    found: dict[str, Role] = {}
    for parameter in inspect.signature(maker).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        role: Role = "runtime" if _is_runtime(maker, parameter) else "config"
        if role not in found.values():
            found[parameter.name] = role
        elif parameter.default is parameter.empty:
            raise InvalidInput(
                f"parameter {parameter.name!r}: a function that makes a graph takes one config and one "
                "ServerRuntime at most"
            )
    return found


def _is_runtime(maker: Maker, parameter: inspect.Parameter) -> bool:
    annotation = parameter.annotation
    if annotation is parameter.empty:
        return parameter.name == "runtime"
    if isinstance(annotation, str):
        # Most projects import ServerRuntime for type checkers only, so the name may not be there to resolve.
        if any(name in annotation for name in _RUNTIMES):
            return True
        known = getattr(inspect.unwrap(maker), "__globals__", {})
        annotation = known.get(annotation.partition("[")[0])
    return _means_runtime(annotation)


def _means_runtime(annotation: object) -> bool:
    if isinstance(annotation, type):
        return issubclass(annotation, (_ExecutionRuntime, _ReadRuntime))
    origin = get_origin(annotation)
    if annotation is ServerRuntime or origin is ServerRuntime:
        return True
    return origin is not None and any(map(_means_runtime, (origin, *get_args(annotation))))


async def enter(
    maker: Maker, stack: AsyncExitStack, config: RunnableConfig, runtime: ProjectRuntime
) -> object:
    """What the maker makes; the stack undoes it. Raises whatever the maker raises."""
    told = {"config": config, "runtime": runtime}
    call = partial(maker, **{name: told[role] for name, role in roles(maker).items()})
    # A run's time limit, or its cancelling, leaves a call that hangs behind in its thread.
    made = call() if _is_instant(maker) else await to_thread.run_sync(call, abandon_on_cancel=True)
    if inspect.isawaitable(made):
        made = await made
    if isinstance(made, AbstractAsyncContextManager):
        return await _enter_async(made, stack)
    if isinstance(made, AbstractContextManager):
        return await _enter_in_thread(made, stack)
    return made


def _is_instant(maker: Maker) -> bool:
    """True when the call runs none of the maker's body yet."""
    while isinstance(maker, partial):
        maker = maker.func
    if not inspect.isroutine(maker) and not isinstance(maker, type):
        maker = type(maker).__call__
    generator = inspect.unwrap(maker)  # What @contextmanager and @asynccontextmanager have wrapped.
    return (
        inspect.iscoroutinefunction(maker)
        or inspect.isasyncgenfunction(generator)
        or inspect.isgeneratorfunction(generator)
    )


async def _enter_async(made: AbstractAsyncContextManager[object], stack: AsyncExitStack) -> object:
    # Around all scopes that the maker itself may leave open, and so the only place for a shield.
    scope = stack.enter_context(CancelScope())
    graph = await made.__aenter__()

    async def leave(*failure: Any) -> bool:
        scope.shield = True
        try:
            async with asyncio.timeout(LEAVING_S) as limit:
                await made.__aexit__(*failure)
        except TimeoutError:
            if not limit.expired():
                raise
            log.warning("graph.not_left", limit_s=LEAVING_S)
        return False  # It may clean up after a run's failure or cancelling; it may not make it unhappen.

    stack.push_async_exit(leave)
    return graph


async def _enter_in_thread(made: AbstractContextManager[object], stack: AsyncExitStack) -> object:
    # One context for both ends: a ContextVar that is set at one can be reset at the other.
    context = copy_context()
    graph = await to_thread.run_sync(context.run, made.__enter__)

    async def leave(*failure: Any) -> bool:
        with move_on_after(LEAVING_S, shield=True) as limit:
            await to_thread.run_sync(context.run, made.__exit__, *failure, abandon_on_cancel=True)
        if limit.cancelled_caught:
            log.warning("graph.not_left", limit_s=LEAVING_S)
        return False

    stack.push_async_exit(leave)
    return graph
