"""The guide for engineers, done as it is written."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langgraph.graph import START, MessagesState, StateGraph

from graphs import GRAPHS
from nodes.respond import respond
from runtime.context import Context
from tests.fakes import context
from tests.play import Play

pytestmark = pytest.mark.anyio

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "add-a-graph.md"


def written() -> str:
    """The guide's first code block."""
    found = re.search(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert found
    return found.group(1)


async def test_the_guides_graph_runs_as_written(
    model: BaseChatModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copied from the page and registered, it answers with a citation."""
    module = ModuleType("fact_finder")
    exec(compile(written(), str(GUIDE), "exec"), module.__dict__)
    monkeypatch.setattr("tests.play.GRAPHS", {**GRAPHS, "fact_finder": module.build})
    heard = await Play("fact_finder", context(model)).say("What does Harborline charge for onboarding?")
    assert "4,000" in heard.text and "[1]" in heard.text


async def test_a_plain_graph_answers_without_tools(model: BaseChatModel) -> None:
    """The scripted model says what it is rather than pretend to know."""
    graph = StateGraph(MessagesState, context_schema=Context)
    graph.add_node("respond", respond("Be kind."))
    graph.add_edge(START, "respond")
    state = await graph.compile().ainvoke({"messages": [HumanMessage("Hello there")]}, context=context(model))
    assert "Hello there" in state["messages"][-1].text


def test_the_promise_of_twenty_lines_holds() -> None:
    """Code lines of the block, without blank ones and the docstring."""
    lines = [line for line in written().splitlines() if line.strip() and not line.startswith('"""')]
    assert len(lines) <= 20
