"""One-node graphs that ask a model: what the tests of the endpoint share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel, SecretStr

from runtime.brief import write_brief
from runtime.models import open_model
from runtime.scripted import Line, Script

KEY = "sk-test-secret"
SECRET = "we pay 40,000 a year"
SAID = "太贵了, the price is more than we planned. 你们能便宜一点吗？ Tell me why it is worth it."
CALL = ToolCall(name="look_up", args={"query": "价格 tiers", "limit": 2}, id="call-1", type="tool_call")
OTHER = ToolCall(name="look_up", args={}, id="call-2", type="tool_call")
TOOL = {
    "name": "look_up",
    "description": "Looks a thing up.",
    "parameters": {"type": "object", "properties": {}},
}
SCRIPTS: Mapping[str, Script] = {
    "speak": lambda scene: Line(SAID),
    "call": lambda scene: Line("看一下。", tool_calls=[CALL, OTHER]),
    "grade": lambda scene: Line(structured={"score": 4, "why": "说得好", "quotes": ["a", "b"]}),
    "misgrade": lambda scene: Line(SECRET),
    "echo": lambda scene: Line(json.dumps([m.model_dump() for m in scene.messages], ensure_ascii=False)),
}


class Grade(BaseModel):
    score: int
    why: str
    quotes: list[str]


def ask(task: str) -> list[BaseMessage]:
    return [write_brief(task, "Do it.", fact="太慢"), HumanMessage(SECRET)]


def connect(
    base_url: str | None, key: str | None = KEY, *, timeout_s: float = 5.0, retries: int = 2
) -> AbstractAsyncContextManager[BaseChatModel]:
    return open_model(
        "some-model",
        SCRIPTS,
        base_url=base_url,
        api_key=SecretStr(key) if key else None,
        timeout_s=timeout_s,
        max_retries=retries,
        temperature=0.3,
    )


async def run(model: BaseChatModel, task: str, heard: list[str] | None = None) -> AIMessage:
    """One node that asks the model, run as the worker runs graphs; the streamed text goes to `heard`."""
    said: list[AIMessage] = []

    async def respond(state: MessagesState) -> dict[str, Any]:
        said.append(await model.ainvoke(ask(task)))
        return {"messages": said}

    graph = StateGraph(MessagesState).add_node("respond", respond).add_edge(START, "respond").compile()
    running = await graph.astream_events({"messages": []}, version="v3")
    async with running as stream:
        async for event in stream:
            text = _text(event) if event["method"] == "messages" else ""
            if heard is not None and text:
                heard.append(text)
    return said[0]


def _text(event: Mapping[str, Any]) -> str:
    text: str = event["params"]["data"][0].get("delta", {}).get("text", "")
    return text
