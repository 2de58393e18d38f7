"""A ready node for new graphs: answer the conversation, with tools when there are any."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, Protocol

from langchain_core.messages import AIMessage, AnyMessage, SystemMessage, ToolMessage
from langchain_core.tools import BaseTool
from langgraph.graph import MessagesState
from langgraph.runtime import Runtime

from runtime.context import Context

MAX_TOOL_ROUNDS = 6
"""Rounds of tool calls for one message of the user; after them the model must answer without tools."""
MAX_HISTORY = 40
"""Messages of the thread that the model is shown, newest kept."""
_NOT_DONE = "Not done: the user went on without answering."


class Node(Protocol):
    """What LangGraph takes as a node."""

    def __call__(self, state: MessagesState, runtime: Runtime[Context]) -> Awaitable[dict[str, Any]]: ...


def respond(instructions: str, tools: Sequence[BaseTool] = ()) -> Node:
    """A node that appends the model's next message; pair it with a `ToolNode` when it has tools."""
    system = SystemMessage(instructions)

    async def respond(state: MessagesState, runtime: Runtime[Context]) -> dict[str, Any]:
        history = state["messages"]
        model = runtime.context.model()
        shown = [system, *answered(recent(history))]
        if tools and rounds(history) < MAX_TOOL_ROUNDS:
            return {"messages": [await model.bind_tools(tools).ainvoke(shown)]}
        return {"messages": [await model.ainvoke(shown)]}

    return respond


def recent(history: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The newest messages, cut before a human one so that no tool result loses its call."""
    cut = max(0, len(history) - MAX_HISTORY)
    while cut and history[cut].type != "human":
        cut -= 1
    return list(history[cut:])


def answered(history: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The messages with a result for each tool call: one the user never approved would break the request."""
    results = {message.tool_call_id for message in history if isinstance(message, ToolMessage)}
    shown: list[AnyMessage] = []
    for message in history:
        shown.append(message)
        if isinstance(message, AIMessage):
            open_calls = [call["id"] for call in message.tool_calls if call["id"] not in results]
            shown += [ToolMessage(_NOT_DONE, tool_call_id=str(call)) for call in open_calls]
    return shown


def rounds(history: Sequence[AnyMessage]) -> int:
    """How often the model called tools since the user last spoke."""
    count = 0
    for message in reversed(history):
        if message.type == "human":
            break
        count += bool(message.type == "ai" and message.tool_calls)
    return count
