"""Opening graphs of every form, with our saver and store on a real Redis."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import anyio
import anyio.lowlevel
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.memory import InMemoryStore
from langgraph_sdk.auth.types import BaseUser
from langgraph_sdk.runtime import AccessContext, ServerRuntime, _ExecutionRuntime, _ReadRuntime

from graphs import GRAPHS
from runtime import project_makers
from runtime.catalog import Catalog, GraphSource, accepts_our_context
from runtime.checkpoints import RedisSaver
from runtime.context import User
from runtime.errors import AppError, GraphUnavailable, UnknownAssistant
from runtime.project import load_project
from runtime.redis import connect
from runtime.store import RedisStore
from runtime.tenant_store import TenantStore

if TYPE_CHECKING:
    from langgraph_sdk import runtime as only_for_type_checkers

pytestmark = pytest.mark.anyio

USER = User("acme", "bob", frozenset({"rep", "manager"}))
ON_THREAD: RunnableConfig = {"configurable": {"thread_id": "t", "tone": "warm"}}


class State(TypedDict, total=False):
    text: str


class Kept:
    """Redis's saver and store, and catalogs with them."""

    def __init__(self, saver: RedisSaver, store: RedisStore) -> None:
        self.saver = saver
        self.store = store

    def catalog(self, **sources: GraphSource) -> Catalog:
        return Catalog(sources, self.saver, self.store)


@pytest.fixture
async def kept(redis_url: str) -> AsyncIterator[Kept]:
    async with connect(redis_url) as client:
        yield Kept(RedisSaver(client), RedisStore(client))


def builder(word: str = "said") -> StateGraph[State]:
    graph = StateGraph(State)
    graph.add_node("say", lambda state: {"text": word})
    graph.set_entry_point("say")
    return graph


async def say(catalog: Catalog, name: str) -> str:
    """Runs the graph on a thread, as a worker does."""
    async with catalog.open(name, "threads.create_run", USER, ON_THREAD) as graph:
        return str((await graph.ainvoke({}, ON_THREAD))["text"])


@pytest.mark.parametrize("form", ["builder", "compiled"])
async def test_a_static_graph_is_prepared_once(kept: Kept, form: str) -> None:
    """Opening a graph is on the path of every run and every read: it makes nothing."""
    catalog = kept.catalog(app=builder() if form == "builder" else builder().compile())
    assert await say(catalog, "app") == "said"
    async with (
        catalog.open("app", "threads.read", USER) as one,
        catalog.open("app", "threads.read", USER) as two,
    ):
        assert one is two
        assert (one.name, one.checkpointer, one.store) == ("app", kept.saver, kept.store)


async def test_a_graph_with_its_own_saver_is_served_with_ours(kept: Kept) -> None:
    """A project's in-memory saver would lose a thread with its worker, and no server could read it."""
    own, store = InMemorySaver(), InMemoryStore()
    graph = builder().compile(checkpointer=own, store=store)
    catalog = kept.catalog(app=graph)
    await say(catalog, "app")
    assert await kept.saver.aget_tuple(ON_THREAD) is not None
    assert own.get_tuple(ON_THREAD) is None
    assert (graph.checkpointer, graph.store) == (own, store)


async def test_an_entrypoint_keeps_its_past_with_us(kept: Kept) -> None:
    """A workflow of the functional API finds what it returned on the thread before."""

    @entrypoint()
    async def count(step: int, *, previous: int | None = None) -> int:
        return (previous or 0) + step

    catalog = kept.catalog(count=count)
    for expected in (2, 4):
        async with catalog.open("count", "threads.create_run", USER, ON_THREAD) as graph:
            assert await graph.ainvoke(2, ON_THREAD) == expected


told: list[object] = []
"""What the makers below were called with."""


def takes_nothing() -> CompiledStateGraph[State]:
    told.extend([None, None])
    return builder().compile()


def takes_config(config: RunnableConfig) -> StateGraph[State]:
    told.extend([config, None])
    return builder()


async def takes_anything(anything):  # type: ignore[no-untyped-def]  # as a project may write it
    told.extend([anything, None])
    return builder()


def takes_runtime(given: ServerRuntime[dict[str, str]]) -> StateGraph[State]:
    told.extend([None, given])
    return builder()


async def takes_runtime_by_name(runtime):  # type: ignore[no-untyped-def]  # as a project may write it
    told.extend([None, runtime])
    return builder()


async def takes_both(
    config: RunnableConfig, given: only_for_type_checkers.ServerRuntime[Any]
) -> CompiledStateGraph[State]:
    told.extend([config, given])
    return builder().compile()


def takes_both_reversed(given: _ExecutionRuntime[Any] | _ReadRuntime[Any], config: dict[str, Any]) -> object:
    told.extend([config, given])
    return builder()


async def takes_more(config: RunnableConfig, *, runtime: ServerRuntime[Any], size: int = 3) -> object:
    told.extend([config, runtime])
    assert size == 3
    return builder()


@asynccontextmanager
async def lasts(config: RunnableConfig, runtime: ServerRuntime[Any]) -> AsyncIterator[StateGraph[State]]:
    told.extend([config, runtime])
    yield builder()


@contextmanager
def lasts_in_a_thread(runtime: ServerRuntime[Any], config: RunnableConfig) -> Iterator[StateGraph[State]]:
    told.extend([config, runtime])
    yield builder()


class Callable_:
    async def __call__(self, config: RunnableConfig) -> StateGraph[State]:
        told.extend([config, None])
        return builder()


CONFIGURED = (takes_config, takes_anything, Callable_(), partial(takes_config))
INFORMED = (takes_runtime, takes_runtime_by_name)
BOTH = (takes_both, takes_both_reversed, takes_more, lasts, lasts_in_a_thread)


def title(maker: object) -> str:
    return getattr(maker, "__name__", type(maker).__name__)


@pytest.mark.parametrize("maker", [takes_nothing, *CONFIGURED, *INFORMED, *BOTH], ids=title)
async def test_every_form_of_maker_is_called_with_what_it_takes(kept: Kept, maker: Any) -> None:
    """Each signature that LangGraph's server knows gets the config and the runtime where it expects them."""
    told.clear()
    assert await say(kept.catalog(app=maker), "app") == "said"
    config, runtime = told
    if maker in (*CONFIGURED, *BOTH):
        assert isinstance(config, dict)
        assert config["configurable"]["tone"] == "warm"
    if maker in (*INFORMED, *BOTH):
        assert isinstance(runtime, _ExecutionRuntime)


async def test_a_made_graph_is_made_anew_and_gets_what_is_ours(kept: Kept) -> None:
    """What one run's graph holds is not another's, and all of them keep their threads with us."""
    catalog = kept.catalog(app=lambda: builder().compile(checkpointer=InMemorySaver(), name="theirs"))
    async with (
        catalog.open("app", "threads.read", USER) as one,
        catalog.open("app", "threads.read", USER) as two,
    ):
        assert one is not two
        assert (one.name, one.checkpointer, one.store) == ("app", kept.saver, kept.store)


async def test_the_runtime_says_who_calls_and_why(kept: Kept) -> None:
    """A project's per-user graphs know the user; the context reaches those that will run and no other."""
    told.clear()
    catalog, context = kept.catalog(app=takes_runtime), {"colour": "red"}
    async with catalog.open("app", "threads.create_run", USER, ON_THREAD, context):
        running = told[1]
    async with catalog.open("app", "threads.update", USER, ON_THREAD, context):
        reading = told[3]
    assert isinstance(running, _ExecutionRuntime)
    assert running.context == context
    assert running.context is not context
    assert isinstance(running.store, TenantStore)
    assert isinstance(reading, _ReadRuntime)
    assert (reading.access_context, reading.execution_runtime) == ("threads.update", None)


async def test_the_user_is_what_the_sdk_expects(kept: Kept) -> None:
    """A project's code for LangGraph's users works with ours: attributes, keys and the protocol's type."""
    told.clear()
    async with kept.catalog(app=takes_runtime).open("app", "assistants.read", USER):
        assert isinstance(told[1], _ReadRuntime)
        user = told[1].ensure_user()
    assert isinstance(user, BaseUser)
    assert (user.identity, user.display_name, user.is_authenticated) == ("bob", "bob", True)
    assert list(user.permissions) == ["manager", "rep"]
    assert (user["tenant"], "identity" in user, "password" in user) == ("acme", True, False)
    assert set(user) >= {"identity", "tenant"}


async def test_nothing_a_maker_is_told_reaches_the_run(kept: Kept) -> None:
    """The factory's runtime in the run's config breaks LangGraph's own; the config is the run's alone."""

    async def make(config: RunnableConfig, runtime: ServerRuntime[Any]) -> object:
        config["configurable"]["thread_id"] = "somebody else's"
        return builder().compile().with_config({"configurable": {"extra": runtime.access_context}})

    catalog = kept.catalog(app=make)
    async with catalog.open("app", "threads.create_run", USER, ON_THREAD) as graph:
        run = await graph.astream_events({}, ON_THREAD, version="v3", durability="sync")
        async with run as stream:
            events = [event async for event in stream]
    assert events
    assert ON_THREAD == {"configurable": {"thread_id": "t", "tone": "warm"}}
    assert await kept.saver.aget_tuple(ON_THREAD) is not None


async def test_the_config_says_whether_the_graph_will_run(kept: Kept) -> None:
    """The keys that LangGraph's server adds are those that older projects look at."""
    told.clear()
    catalog = kept.catalog(app=takes_config)
    access: AccessContext
    for access in ("threads.create_run", "threads.read"):
        async with catalog.open("app", access, USER):
            pass
    configs = [config["configurable"] for config in told if isinstance(config, dict)]
    assert [config["__is_for_execution__"] for config in configs] == [True, False]
    assert {config["langgraph_auth_user_id"] for config in configs} == {"bob"}


async def test_a_sync_maker_runs_beside_the_event_loop(kept: Kept) -> None:
    """A maker that reads files or asks a server for its tools does not stop everybody's streams."""
    threads: list[int] = []

    def make() -> object:
        threads.append(threading.get_ident())
        return builder()

    @contextmanager
    def lasting() -> Iterator[object]:
        threads.append(threading.get_ident())
        yield builder()

    await say(kept.catalog(app=make), "app")
    await say(kept.catalog(app=lasting), "app")
    assert len(threads) == 2
    assert threading.get_ident() not in threads


LANGUAGE: ContextVar[str] = ContextVar("LANGUAGE", default="none")
left: list[str] = []


@asynccontextmanager
async def resource() -> AsyncIterator[object]:
    try:
        yield builder()
    except Exception:  # As careless as a project may be: it must not swallow the run's failure.
        left.append("swallowed")
    finally:
        await anyio.lowlevel.checkpoint()
        left.append("left")


@contextmanager
def resource_in_a_thread() -> Iterator[object]:
    token = LANGUAGE.set("en")
    try:
        yield builder()
    except Exception:  # As careless as a project may be: it must not swallow the run's failure.
        left.append("swallowed")
    finally:
        LANGUAGE.reset(token)
        left.append("left")


@pytest.mark.parametrize("maker", [resource, resource_in_a_thread], ids=title)
async def test_a_lasting_maker_is_left_and_cannot_swallow_a_failure(kept: Kept, maker: Any) -> None:
    """Its resources are released however the run ends, and a failed run stays failed."""
    catalog = kept.catalog(app=maker)
    left.clear()
    assert await say(catalog, "app") == "said"
    assert left == ["left"]
    with pytest.raises(ValueError, match="of the run"):
        async with catalog.open("app", "threads.create_run", USER):
            raise ValueError("of the run")
    assert left[1:] == ["swallowed", "left"]


@pytest.mark.parametrize("maker", [resource, resource_in_a_thread], ids=title)
async def test_a_cancelled_run_leaves_its_maker(kept: Kept, maker: Any) -> None:
    """A run that is stopped releases what its graph holds."""
    catalog = kept.catalog(app=maker)
    left.clear()
    with anyio.CancelScope() as scope:
        async with catalog.open("app", "threads.create_run", USER):
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert left == ["left"]


async def test_a_maker_with_a_task_group_of_its_own_works(kept: Kept) -> None:
    """Clients that LangGraph's documentation opens in a maker keep a task group open as long as it lasts."""

    @asynccontextmanager
    async def make() -> AsyncIterator[object]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep_forever)
            yield builder()
            tasks.cancel_scope.cancel()

    catalog = kept.catalog(app=make)
    assert await say(catalog, "app") == "said"
    with anyio.CancelScope() as scope:
        async with catalog.open("app", "threads.create_run", USER):
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught


async def test_a_maker_that_cannot_be_left_does_not_hold_the_worker(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Releasing has a limit of its own; what the run raised comes out all the same."""
    release = threading.Event()

    @asynccontextmanager
    async def hangs() -> AsyncIterator[object]:
        try:
            yield builder()
        finally:
            await anyio.sleep_forever()

    @contextmanager
    def hangs_in_a_thread() -> Iterator[object]:
        try:
            yield builder()
        finally:
            release.wait(30)

    monkeypatch.setattr(project_makers, "LEAVING_S", 0.01)
    try:
        for maker in (hangs, hangs_in_a_thread):
            assert await say(kept.catalog(app=maker), "app") == "said"
            with pytest.raises(ValueError, match="of the run"):
                async with kept.catalog(app=maker).open("app", "threads.create_run", USER):
                    raise ValueError("of the run")
            with anyio.CancelScope() as scope:
                async with kept.catalog(app=maker).open("app", "threads.create_run", USER):
                    scope.cancel()
                    await anyio.sleep_forever()
            assert scope.cancelled_caught
    finally:
        release.set()


async def test_a_hanging_maker_does_not_hold_a_cancelled_run(kept: Kept) -> None:
    """A run's time limit covers the making of its graph."""
    release = threading.Event()

    def make() -> object:
        release.wait(30)
        return builder()

    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(say, kept.catalog(app=make), "app")
            await anyio.lowlevel.checkpoint()
            scope.cancel()
    release.set()
    assert scope.cancelled_caught


def fails() -> object:
    raise KeyError("secret value")


async def fails_async() -> object:
    raise KeyError("secret value")


@asynccontextmanager
async def fails_on_entering() -> AsyncIterator[object]:
    raise KeyError("secret value")
    yield


@pytest.mark.parametrize("maker", [fails, fails_async, fails_on_entering], ids=title)
async def test_a_failing_maker_is_named_without_its_words(kept: Kept, maker: Any) -> None:
    """The client is told which graph and what kind of failure; what it says is for the log."""
    with pytest.raises(GraphUnavailable, match=r"graph 'app' could not be made \(KeyError\)") as failure:
        await say(kept.catalog(app=maker), "app")
    assert "secret" not in str(failure.value)
    assert isinstance(failure.value.__cause__, KeyError)


async def test_a_maker_of_something_else_is_named_and_left(kept: Kept) -> None:
    """A function that is no maker of graphs says so when it is first used."""

    @asynccontextmanager
    async def make() -> AsyncIterator[object]:
        try:
            yield {"a": "dict"}
        finally:
            left.append("left")

    left.clear()
    with pytest.raises(GraphUnavailable, match="graph 'app' is a dict"):
        await say(kept.catalog(app=make), "app")
    assert left == ["left"]


async def test_an_unknown_name_lists_the_known_ones(kept: Kept) -> None:
    """A slip in an assistant's name is mended from the message alone."""
    catalog = kept.catalog(b=builder(), a=takes_nothing)
    assert catalog.names == ["a", "b"]
    assert "a" in catalog
    assert "c" not in catalog
    assert 7 not in catalog
    with pytest.raises(UnknownAssistant, match=r"no graph 'c'; known: \['a', 'b'\]"):
        catalog.open("c", "threads.read", USER)


async def test_a_failure_to_load_comes_up_when_the_graph_is_opened(kept: Kept) -> None:
    """A graph that is broken is not said to be unknown, each time with an error of its own."""
    failure = GraphUnavailable("graph 'bad' (x:y): ImportError: no z", graph="bad")
    catalog = Catalog({"good": builder()}, kept.saver, kept.store, {"bad": failure})
    raised: list[AppError] = []
    for _ in range(2):
        with pytest.raises(GraphUnavailable, match="no z") as caught:
            catalog.open("bad", "threads.read", USER)
        raised.append(caught.value)
    assert raised[0] is not raised[1]
    assert raised[0].details == {"graph": "bad"}
    assert "bad" not in catalog
    assert await say(catalog, "good") == "said"


async def test_our_graphs_take_our_context_and_others_do_not(kept: Kept) -> None:
    """What a run gets as its context is decided by the graph's schema."""
    catalog = kept.catalog(rag=GRAPHS["rag"](), other=builder())
    async with (
        catalog.open("rag", "threads.read", USER) as ours,
        catalog.open("other", "threads.read", USER) as other,
    ):
        assert accepts_our_context(ours)
        assert not accepts_our_context(other)


async def test_a_loaded_project_is_served(kept: Kept, tmp_path: Path) -> None:
    """From langgraph.json to a thread's state, with one graph that cannot be loaded beside."""
    (tmp_path / "served_app.py").write_text(
        "from langgraph.graph import MessagesState, StateGraph\n"
        "async def make(config):\n"
        "    graph = StateGraph(MessagesState)\n"
        "    graph.add_node('say', lambda state: {'messages': ['hello']})\n"
        "    graph.set_entry_point('say')\n"
        "    return graph\n"
    )
    config = tmp_path / "langgraph.json"
    config.write_text('{"graphs": {"app": "./served_app.py:make", "bad": "./none.py:graph"}}')
    project = load_project(config)
    catalog = Catalog(project.graphs, kept.saver, kept.store, project.failures)
    async with catalog.open("app", "threads.create_run", USER, ON_THREAD) as graph:
        await graph.ainvoke({"messages": []}, ON_THREAD)
    async with catalog.open("app", "threads.read", USER, ON_THREAD) as graph:
        state = await graph.aget_state(ON_THREAD)
    assert [message.content for message in state.values["messages"]] == ["hello"]
    with pytest.raises(GraphUnavailable, match="there is no such file"):
        catalog.open("bad", "threads.read", USER)


async def hangs() -> object:
    await anyio.sleep_forever()
    return builder()


async def is_refused() -> object:
    raise TimeoutError


@pytest.mark.parametrize(("maker", "said"), [(hangs, "longer than 0.1 s"), (is_refused, "it timed out")])
async def test_a_maker_may_not_hang(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, maker: Any, said: str
) -> None:
    """Neither a run's time limit nor a cancel reaches it before its graph is made."""
    monkeypatch.setattr("runtime.catalog._MAKE_S", 0.1)
    with anyio.fail_after(5), pytest.raises(GraphUnavailable, match=said):
        async with kept.catalog(app=maker).open("app", "threads.read", USER):
            pass
