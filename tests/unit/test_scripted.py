"""The scripted model keeps a real model's contract: streamed, whole, with tools and structured alike."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    BaseMessageChunk,
    HumanMessage,
    ToolCall,
    ToolMessage,
)
from langchain_core.tools import tool
from pydantic import BaseModel

from runtime.brief import write_brief
from runtime.errors import ModelOutputInvalid
from runtime.scripted import MODEL_NAME, Line, Scene, Script, ScriptedModel, tokens

CALL = ToolCall(name="look_up", args={"query": "价格 tiers", "limit": 2}, id="call-1", type="tool_call")


class Grade(BaseModel):
    score: int
    why: str


@tool
def look_up(query: str, limit: int) -> str:
    """Looks a thing up."""
    return f"{limit} of {query}"


def model(script: Script) -> ScriptedModel:
    return ScriptedModel(scripts={"task": script})


def ask(said: str = "Hello?") -> list[BaseMessage]:
    return [write_brief("task", "Do it.", fact="太慢"), HumanMessage(said)]


def noting(scenes: list[Scene]) -> Script:
    def script(scene: Scene) -> Line:
        scenes.append(scene)
        return Line("ok")

    return script


def streamed(chunks: Sequence[BaseMessageChunk]) -> BaseMessageChunk:
    return sum(chunks[1:], chunks[0])


@given(st.text())
def test_tokens_join_to_the_text(text: str) -> None:
    """No character is lost or doubled by streaming, whatever script or spacing it has."""
    assert "".join(tokens(text)) == text


@given(st.text(alphabet="价格太高了。，！", min_size=1))
def test_chinese_streams_by_character(text: str) -> None:
    """A Chinese sentence has no spaces, and still arrives in pieces."""
    assert tokens(text) == list(text)


@pytest.mark.parametrize("text", ["", "你好, the price is too high 太贵了。\n\n- one\n", "  spaced  "])
def test_streamed_and_whole_answers_agree(text: str) -> None:
    """A node gets the same message whether its client listens to tokens or not."""
    scripted = model(lambda scene: Line(text, tool_calls=[CALL]))
    whole, parts = scripted.invoke(ask()), list(scripted.stream(ask()))
    said = streamed(parts)
    assert isinstance(said, AIMessage)
    assert (said.text, said.tool_calls) == (whole.text, whole.tool_calls) == (text, [CALL])
    assert said.usage_metadata == whole.usage_metadata
    assert [part.text for part in parts if part.text] == tokens(text)


@pytest.mark.anyio
async def test_a_stream_can_be_stopped_at_each_token() -> None:
    """A cancel takes effect within a long answer, and one run's answer does not hold up the others."""
    seen: list[str] = []
    with anyio.CancelScope() as scope:
        async for chunk in model(lambda scene: Line("many " * 100)).astream(ask()):
            seen.append(chunk.text)
            scope.cancel()
    assert seen == ["many"]


def test_the_answer_names_the_model_and_counts_tokens() -> None:
    """Nobody takes a script for a real model, and a usage display has something to show."""
    message = model(lambda scene: Line("two words")).invoke(ask())
    assert message.response_metadata["model_name"] == MODEL_NAME
    assert message.usage_metadata and message.usage_metadata["output_tokens"] == 2


def test_the_same_messages_get_the_same_answer() -> None:
    """A replay of a run says what the run said."""
    scripted = model(lambda scene: Line(f"{scene.brief} {[m.text for m in scene.messages]}", [CALL]))
    first, second = scripted.invoke(ask()), scripted.invoke(ask())
    assert (first.content, first.tool_calls) == (second.content, second.tool_calls)


def test_a_script_sees_the_brief_and_the_tools() -> None:
    """A script can act on the facts, and call only what the node has bound."""
    scenes: list[Scene] = []
    scripted = model(noting(scenes))
    scripted.bind_tools([look_up]).invoke(ask())
    scripted.invoke(ask())
    assert [scene.tools for scene in scenes] == [("look_up",), ()]
    assert scenes[0].brief and scenes[0].brief.facts == {"fact": "太慢"}


def test_a_script_sees_no_more_than_the_wire_carries() -> None:
    """A script that needs ids or artifacts would fail with the first real model."""
    scenes: list[Scene] = []
    history = [
        *ask(),
        AIMessage("Let me see.", id="ai-1", tool_calls=[CALL], response_metadata={"model_name": "x"}),
        ToolMessage("2 found", tool_call_id="call-1", name="look_up", artifact={"rows": 2}, id="tool-1"),
    ]
    model(noting(scenes)).invoke(history)
    called, answered = scenes[0].messages[-2:]
    assert isinstance(called, AIMessage) and called.tool_calls == [CALL] and not called.response_metadata
    assert isinstance(answered, ToolMessage) and answered.text == "2 found" and answered.artifact is None
    assert not any(message.id for message in scenes[0].messages)


def test_structured_output_is_the_scripts_fields() -> None:
    """A scorer gets its object, Chinese intact."""
    scripted = model(lambda scene: Line(structured={"score": 4, "why": "说得好"}))
    grade = scripted.with_structured_output(Grade, method="json_schema").invoke(ask())
    assert grade == Grade(score=4, why="说得好")


def test_structured_output_that_does_not_fit_is_an_error() -> None:
    """A script with a wrong field fails with the code that a real model's bad answer has."""
    scripted = model(lambda scene: Line(structured={"score": "many"}))
    with pytest.raises(ModelOutputInvalid, match="Grade"):
        scripted.with_structured_output(Grade).invoke(ask())


def test_an_unknown_task_is_answered_plainly() -> None:
    """A new graph streams at once, before it has a script, and says what is answering."""
    for messages in ([write_brief("unknown", "Do it."), HumanMessage("早上好")], [HumanMessage("早上好")]):
        answer = ScriptedModel(scripts={}).invoke(messages).text
        assert "scripted model" in answer and answer.endswith("早上好")


def test_a_prompt_without_a_brief_has_a_script_of_its_own() -> None:
    """The script named '' speaks for prompts without a brief."""
    scripted = ScriptedModel(scripts={"": lambda scene: Line("no brief")})
    assert scripted.invoke("Hello").text == "no brief"
