"""langchain-openai through a real HTTP endpoint gives the answers that the script gives."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableBinding, RunnableSequence
from pydantic import SecretStr

from runtime.errors import ModelOutputInvalid, SettingsInvalid
from runtime.models import EndpointModel, open_model
from runtime.scripted import MODEL_NAME, ScriptedModel
from tests.model_runs import CALL, KEY, OTHER, SAID, SCRIPTS, SECRET, TOOL, Grade, ask, connect, run
from tests.openai_server import OpenAIServer, openai_server

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


@pytest.mark.parametrize("task", ["speak", "call", "unknown"])
async def test_the_endpoint_answers_like_the_script(model: BaseChatModel, task: str) -> None:
    """Text, tool calls, usage and Chinese survive the wire, so graphs behave alike with both models."""
    script = ScriptedModel(scripts=SCRIPTS)
    for sent, expected in [
        (await model.ainvoke(ask(task)), await script.ainvoke(ask(task))),
        (await model.ainvoke(ask(task), stream=False), await script.ainvoke(ask(task), stream=False)),
        (await run(model, task), await run(script, task)),
    ]:
        assert (sent.text, sent.tool_calls) == (expected.text, expected.tool_calls)
        assert sent.response_metadata["model_name"] == MODEL_NAME
        assert sent.usage_metadata and expected.usage_metadata
        assert sent.usage_metadata["total_tokens"] == expected.usage_metadata["total_tokens"]


async def test_tools_reach_the_script(model: BaseChatModel, server: OpenAIServer) -> None:
    """The endpoint is told what it may call, under the name that comes back."""
    answer = await model.bind_tools([TOOL]).ainvoke(ask("call"))
    assert answer.tool_calls == [CALL, OTHER]
    assert [tool["function"]["name"] for tool in server.calls[-1]["tools"]] == ["look_up"]


async def test_a_script_sees_the_same_history_on_both_sides(model: BaseChatModel) -> None:
    """Tool rounds and streamed content blocks come back from the wire as the scripted model shows them."""
    blocks: list[str | dict[str, Any]] = [{"type": "text", "text": "看一下。", "index": 0}]
    history = [
        *ask("echo"),
        AIMessage(blocks, id="ai-1", tool_calls=[CALL], response_metadata={"output_version": "v1"}),
        ToolMessage("2 found", tool_call_id="call-1", name="look_up", id="tool-1"),
        HumanMessage("And now?", name="rep"),
    ]
    sent, expected = await model.ainvoke(history), await ScriptedModel(scripts=SCRIPTS).ainvoke(history)
    assert json.loads(sent.text) == json.loads(expected.text)


async def test_structured_output_is_the_scripts_object(model: BaseChatModel, server: OpenAIServer) -> None:
    """A scorer gets equal objects from both models, and the endpoint is asked for them by strict schema."""
    for each in (model, ScriptedModel(scripts=SCRIPTS)):
        graded = await each.with_structured_output(Grade, method="json_schema").ainvoke(ask("grade"))
        assert graded == Grade(score=4, why="说得好", quotes=["a", "b"])
    form = server.calls[-1]["response_format"]["json_schema"]
    assert (
        form["name"] == "Grade"
        and form["strict"]
        and form["schema"]["required"] == ["score", "why", "quotes"]
    )


async def test_structured_output_that_does_not_fit_is_refused_alike(model: BaseChatModel) -> None:
    """A model that talks instead of filling the form in is one named error, without what it said."""
    for each in (model, ScriptedModel(scripts=SCRIPTS)):
        with pytest.raises(ModelOutputInvalid, match="Grade") as caught:
            await each.with_structured_output(Grade, method="json_schema").ainvoke(ask("misgrade"))
        assert SECRET not in repr(caught.value)


async def test_a_local_endpoint_needs_no_key() -> None:
    """A URL alone is enough for Ollama, vLLM or llama.cpp."""
    async with (
        openai_server(ScriptedModel(scripts=SCRIPTS)) as server,
        connect(server.base_url, None) as model,
    ):
        assert (await run(model, "speak")).text == SAID


async def test_a_proxy_is_not_asked_for_loopback(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A local endpoint works on a machine whose environment names a proxy."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with connect(server.base_url, retries=0) as model:
        assert (await run(model, "speak")).text == SAID


async def test_runs_share_one_pool(model: BaseChatModel, server: OpenAIServer) -> None:
    """Runs at once do not disturb each other, and later ones find their connections warm."""
    said: list[str] = []

    async def one(task: str) -> None:
        said.append((await run(model, task)).text)

    for _ in range(2):
        async with anyio.create_task_group() as tasks:
            for task in ("speak", "call") * 2:
                tasks.start_soon(one, task)
    assert sorted(said) == sorted([SAID, "看一下。"] * 4)
    assert len(server.connections) <= 4


async def test_a_cancelled_run_leaves_the_pool_usable(model: BaseChatModel, server: OpenAIServer) -> None:
    """The rep's stop button costs one connection, not the endpoint."""
    server.fail_next("stall")
    with anyio.CancelScope() as scope:
        async for chunk in model.astream(ask("speak")):
            if chunk.text:
                scope.cancel()
    assert scope.cancelled_caught
    assert (await run(model, "speak")).text == SAID


async def test_leaving_closes_the_pool(server: OpenAIServer) -> None:
    """A process that stops leaves no connection behind."""
    async with connect(server.base_url) as model:
        await run(model, "speak")
        assert isinstance(model, EndpointModel)
        pool = model.http_async_client
        assert pool and not pool.is_closed
    assert pool.is_closed


async def test_without_url_and_key_the_script_answers() -> None:
    """The first run needs neither; an empty variable counts as unset."""
    for base_url, key in ((None, None), ("", "")):
        async with connect(base_url, key) as model:
            assert isinstance(model, ScriptedModel)
            assert (await run(model, "speak")).text == SAID


async def test_a_key_alone_means_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address comes from the settings and from no variable that another library reads."""
    monkeypatch.setenv("OPENAI_API_BASE", "http://elsewhere.test/v1")
    monkeypatch.setenv("OPENAI_PROXY", "http://elsewhere.test")
    async with connect(None) as model:
        assert isinstance(model, EndpointModel) and model.openai_api_base == "https://api.openai.com/v1"


@pytest.mark.parametrize(("name", "parameter"), [("gpt-4o", "extra_body"), ("gpt-5-pro", "response_format")])
async def test_each_api_is_asked_for_structure_in_its_way(name: str, parameter: str) -> None:
    """The Responses API, which some of OpenAI's models need, knows no parameters beside its own."""
    opened = open_model(
        name, {}, base_url=None, api_key=SecretStr(KEY), timeout_s=1, max_retries=0, temperature=1
    )
    async with opened as model:
        chain = model.with_structured_output(Grade)
        assert isinstance(chain, RunnableSequence) and isinstance(chain.first, RunnableBinding)
        assert list(chain.first.kwargs) == [parameter]


@pytest.mark.parametrize(
    "url", ["localhost:11434/v1", "ftp://host/v1", "https://", "http://host:port/v1", "http://[::1/v1"]
)
async def test_a_url_that_is_none_is_told_at_the_start(url: str) -> None:
    """A forgotten scheme is a setting to correct, not an endpoint that is down."""
    with pytest.raises(SettingsInvalid, match="http://host:port/v1"):
        async with connect(url):
            pass


async def test_the_server_lists_its_model(server: OpenAIServer) -> None:
    """`doctor` can ask an endpoint what it serves, with the key only."""
    async with httpx.AsyncClient(trust_env=False) as client:
        listed = await client.get(f"{server.base_url}/models", headers={"Authorization": f"Bearer {KEY}"})
        refused = await client.get(f"{server.base_url}/models")
    assert [entry["id"] for entry in listed.json()["data"]] == [MODEL_NAME]
    assert refused.status_code == 401
