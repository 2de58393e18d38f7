"""Each fault of a model's endpoint has its error, its bound of attempts, and no one else's."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Sequence

import anyio
import httpx
import openai
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage

from runtime.errors import (
    AppError,
    InvalidInput,
    KnowledgeUnavailable,
    ModelOutputInvalid,
    ModelRateLimited,
    ModelRequestRefused,
    ModelTimeout,
    ModelUnauthorized,
    ModelUnavailable,
)
from runtime.models import as_app_error
from runtime.scripted import ScriptedModel, tokens
from tests.model_runs import CALL, KEY, SAID, SCRIPTS, SECRET, Grade, ask, connect, run
from tests.openai_server import Fault, OpenAIServer, openai_server

pytestmark = [
    pytest.mark.anyio,
    # v3 is the protocol the project speaks, beta or not.
    pytest.mark.filterwarnings("ignore:The v3 streaming protocol"),
]


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with openai_server(ScriptedModel(scripts=SCRIPTS), key=KEY) as running:
        yield running


@pytest.fixture
async def model(server: OpenAIServer) -> AsyncIterator[BaseChatModel]:
    async with connect(server.base_url) as opened:
        yield opened


async def test_tokens_arrive_one_by_one(server: OpenAIServer) -> None:
    """The client hears the answer's beginning while its end has not been sent: nothing is gathered up."""
    heard: list[str] = []
    server.fail_next("stall")
    async with connect(server.base_url, timeout_s=0.3) as model:
        with pytest.raises(ModelTimeout), anyio.fail_after(20):  # Not the libraries' 120 and 600 s.
            await run(model, "speak", heard)
    assert heard and heard == tokens(SAID)[: len(heard)]
    assert len(server.calls) == 1, "an answer that has begun is never asked for again"


FAULTS: Sequence[tuple[Fault, type[AppError], int]] = [
    ("401", ModelUnauthorized, 1),
    ("404", ModelRequestRefused, 1),
    ("context", InvalidInput, 1),
    ("429", ModelRateLimited, 3),
    ("500", ModelUnavailable, 3),
    ("cut", ModelUnavailable, 1),
    ("short", ModelUnavailable, 1),
    ("error", ModelUnavailable, 1),
    ("garbage", ModelOutputInvalid, 1),
]


@pytest.mark.parametrize(("fault", "error", "attempts"), FAULTS, ids=[fault for fault, *_ in FAULTS])
async def test_each_fault_has_its_error(
    model: BaseChatModel, server: OpenAIServer, fault: Fault, error: type[AppError], attempts: int
) -> None:
    """A run fails with a code its client can act on; retries are bounded; no key and no text leaks."""
    server.fail_next(fault, times=10)
    with pytest.raises(error) as caught:
        await run(model, "speak")
    assert type(caught.value) is error and len(server.calls) == attempts
    said = f"{caught.value!r} {caught.value.details}"
    assert server.base_url.split("/")[2] in said and "some-model" in said
    assert KEY not in said and SECRET not in said


@pytest.mark.parametrize("fault", ["429", "500"])
async def test_a_passing_fault_is_retried(model: BaseChatModel, server: OpenAIServer, fault: Fault) -> None:
    """The rep does not notice a hiccup."""
    server.fail_next(fault, times=2)
    assert (await run(model, "speak")).text == SAID
    assert len(server.calls) == 3


async def test_an_unstreamed_call_fails_alike(model: BaseChatModel, server: OpenAIServer) -> None:
    """A node that asks for the whole answer at once gets the same errors."""
    cases: Sequence[tuple[Fault, type[AppError]]] = [
        ("401", ModelUnauthorized),
        ("garbage", ModelOutputInvalid),
    ]
    for fault, error in cases:
        server.fail_next(fault)
        with pytest.raises(error):
            await model.ainvoke(ask("speak"), stream=False)


async def test_no_retries_means_one_attempt(server: OpenAIServer) -> None:
    """`max_retries` is the only retry layer: at 0, nothing else asks again."""
    server.fail_next("500", times=10)
    async with connect(server.base_url, retries=0) as model:
        with pytest.raises(ModelUnavailable):
            await run(model, "speak")
    assert len(server.calls) == 1


async def test_silence_before_the_first_token_is_a_timeout(server: OpenAIServer) -> None:
    """An endpoint that never answers costs attempts times the timeout, not the run."""
    server.fail_next("hang", times=2)
    async with connect(server.base_url, timeout_s=0.2, retries=1) as model:
        with pytest.raises(ModelTimeout), anyio.fail_after(20):  # Not the libraries' 120 and 600 s.
            await run(model, "speak")
        assert len(server.calls) == 2
        assert (await run(model, "speak")).text == SAID


async def test_a_refused_connection_is_unavailable() -> None:
    """An endpoint that is not running is told apart from one that is slow."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    async with connect(f"http://127.0.0.1:{port}/v1", retries=0) as model:
        with pytest.raises(ModelUnavailable, match=f"127.0.0.1:{port}"):
            await run(model, "speak")


async def test_a_tool_call_cut_off_at_the_token_limit_is_refused(
    model: BaseChatModel, server: OpenAIServer
) -> None:
    """No tool acts on arguments that were completed by guessing."""
    server.fail_next("length", times=2)
    with pytest.raises(ModelOutputInvalid, match="token limit"):
        await run(model, "call")
    assert SAID.startswith((await run(model, "speak")).text), "words cut off are still words"


async def test_structured_output_cut_off_is_refused(model: BaseChatModel, server: OpenAIServer) -> None:
    """Half a scorecard is none."""
    server.fail_next("length")
    with pytest.raises(ModelOutputInvalid, match="token limit"):
        await model.with_structured_output(Grade, method="json_schema").ainvoke(ask("grade"))


async def test_an_unanswered_tool_call_is_refused_by_the_endpoint(model: BaseChatModel) -> None:
    """A graph that forgets a tool's answer fails in these tests and not first at OpenAI."""
    history = [*ask("speak"), AIMessage("", tool_calls=[CALL]), HumanMessage("And?")]
    with pytest.raises(ModelRequestRefused):
        await model.ainvoke(history)


async def test_a_wrong_key_is_told_without_repeating_it(server: OpenAIServer) -> None:
    """A mistyped key is named as the cause, at once, and stays out of the message."""
    async with connect(server.base_url, "sk-mistyped") as model:
        with pytest.raises(ModelUnauthorized, match="OPENAI_API_KEY") as caught:
            await run(model, "speak")
    assert "sk-mistyped" not in repr(caught.value) and len(server.calls) == 1


async def test_errors_are_found_where_they_are_nested(server: OpenAIServer) -> None:
    """A task group or a raise-from around the model's error does not make it an internal one."""
    server.fail_next("429")
    async with openai.AsyncOpenAI(base_url=server.base_url, api_key=KEY, max_retries=0) as client:
        with pytest.raises(openai.RateLimitError) as caught:
            await client.chat.completions.create(model="m", messages=[])
    wrapped = RuntimeError("node failed")
    wrapped.__cause__ = caught.value
    found = as_app_error(ExceptionGroup("tasks", [ValueError("other"), ExceptionGroup("inner", [wrapped])]))
    assert isinstance(found, ModelRateLimited) and "the endpoint 127.0.0.1:" in str(found)
    ours = ModelTimeout()
    assert as_app_error(ExceptionGroup("tasks", [ours])) is ours


@pytest.mark.parametrize(
    "other", [httpx.ConnectError("no"), ValueError("no"), TimeoutError(), KeyError("no")]
)
async def test_what_is_not_the_models_is_left_alone(other: Exception) -> None:
    """Qdrant's client raises httpx's errors too, and nodes have errors of their own."""
    assert as_app_error(other) is None
    ours = KnowledgeUnavailable()
    ours.__cause__ = other
    assert as_app_error(ours) is ours
