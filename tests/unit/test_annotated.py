"""A model whose answer carries annotations."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from runtime.annotated import Annotated, with_annotations
from runtime.scripted import MODEL_NAME, Line, ScriptedModel

pytestmark = pytest.mark.anyio

NOTE: dict[str, Any] = {"type": "citation", "title": "a.md", "start_index": 0, "end_index": 3}


def annotated(*notes: dict[str, Any]) -> Annotated:
    model = ScriptedModel(scripts={"": lambda scene: Line("One two three.")})
    return Annotated(model=model, annotate=lambda text: notes if text == "One two three." else ())


async def test_the_words_stream_before_the_annotations() -> None:
    """A reader sees the first word as soon as the model says it."""
    chunks = [chunk async for chunk in annotated(NOTE).astream([HumanMessage("?")])]
    assert [chunk.text for chunk in chunks if chunk.text] == ["One", " two", " three."]
    assert "annotations" in str(chunks[-1].content) or "annotations" in str(chunks[-2].content)


async def test_the_message_names_the_model_and_its_use() -> None:
    """Whose words they are, and what they cost, stays as it was."""
    message = await annotated(NOTE).ainvoke([HumanMessage("?")])
    assert message.text == "One two three."
    assert message.response_metadata["model_name"] == MODEL_NAME
    assert message.usage_metadata and message.usage_metadata["output_tokens"] == 3


async def test_a_whole_message_holds_one_block() -> None:
    """Also where it was put together from strings and blocks."""
    message = with_annotations(await annotated(NOTE).ainvoke([HumanMessage("?")]), [NOTE])
    assert message.content == [{"type": "text", "text": "One two three.", "annotations": [NOTE]}]
    plain = with_annotations(await annotated().ainvoke([HumanMessage("?")]), [])
    assert plain.content == [{"type": "text", "text": "One two three."}]
