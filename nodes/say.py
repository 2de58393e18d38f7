"""Say fixed words as if a model had written them, so that a client needs one way to show text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage

from runtime.annotated import Annotate, Annotated, with_annotations
from runtime.scripted import Line, ScriptedModel


async def say(
    text: str,
    *,
    name: str | None = None,
    annotate: Annotate | None = None,
    marks: Mapping[str, Any] | None = None,
) -> AIMessage:
    """`text` as a message that LangGraph streams token by token; its metadata names the scripted model.

    `marks` become part of the `response_metadata` too, in the stream as in the message; only with `annotate`.
    """
    reciter = ScriptedModel(scripts={"": lambda scene: Line(scene.messages[-1].text)})
    if annotate is None:
        message = await reciter.ainvoke([HumanMessage(text)])
        return message.model_copy(update={"name": name})
    told = Annotated(model=reciter, annotate=annotate, marks=marks or {})
    message = await told.ainvoke([HumanMessage(text)])
    return with_annotations(message, annotate(text)).model_copy(update={"name": name})
