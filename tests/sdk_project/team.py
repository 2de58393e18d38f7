"""A lead who delegates: the tool runs a graph of its own, which speaks under the tool's namespace."""

from __future__ import annotations

from typing import Annotated, Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolCallTransformer, ToolNode
from langgraph.types import Send
from speaker import Speaker  # type: ignore[import-not-found]  # beside this file when served
from typing_extensions import TypedDict


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


async def research(state: State) -> dict[str, Any]:
    """The subagent's only node."""
    text = f"Three sources on {state['messages'][-1].content}."
    return {"messages": [await Speaker(text=text).ainvoke(state["messages"])]}


subagent = StateGraph(State)
subagent.add_node("research", research)
subagent.add_edge(START, "research")
researcher = subagent.compile(name="researcher")


@tool
async def task(description: str, subagent_type: str) -> str:
    """Delegates a task to a subagent."""
    # LangGraph names a child after it, as it does for the agents of other packages.
    config: RunnableConfig = {"metadata": {"lc_agent_name": subagent_type}}
    found = await researcher.ainvoke({"messages": [HumanMessage(description)]}, config)
    return str(found["messages"][-1].text)


async def lead(state: State) -> dict[str, Any]:
    """Delegates first, then sums up."""
    last = state["messages"][-1]
    if last.type == "tool":
        return {"messages": [await Speaker(text=f"In short: {last.content}").ainvoke(state["messages"])]}
    args = {"description": str(last.content), "subagent_type": "researcher"}
    call = ToolCall(name="task", args=args, id="call-task", type="tool_call")
    return {"messages": [await Speaker(text="I will ask.", call=call).ainvoke(state["messages"])]}


def delegate(state: State) -> list[Send] | str:
    """Each tool call as a task of its own, which is how a subagent learns which call it works for."""
    calls = state["messages"][-1].tool_calls if isinstance(state["messages"][-1], AIMessage) else []
    sends = [
        Send("tools", {"__type": "tool_call_with_context", "tool_call": call, "state": state})
        for call in calls
    ]
    return sends or END


def make() -> CompiledStateGraph[State, None, State, State]:
    """The compiled graph; a factory that takes nothing."""
    builder = StateGraph(State)
    builder.add_node("lead", lead)
    builder.add_node("tools", ToolNode([task]))
    builder.add_edge(START, "lead")
    builder.add_conditional_edges("lead", delegate, ["tools", END])
    builder.add_edge("tools", "lead")
    return builder.compile(name="team", transformers=[ToolCallTransformer])
