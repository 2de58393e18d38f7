"""The ready-made node's view of a conversation."""

from __future__ import annotations

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall, ToolMessage

from nodes.respond import MAX_HISTORY, answered, recent, rounds

CALL = ToolCall(name="look_up", args={}, id="c1", type="tool_call")


def test_a_cut_history_begins_with_the_user() -> None:
    """A tool result whose call was cut off would be refused by every endpoint."""
    turn: list[AnyMessage] = [
        HumanMessage("q"),
        AIMessage("", tool_calls=[CALL]),
        ToolMessage("r", tool_call_id="c1"),
        AIMessage("a"),
    ]
    shown = recent(turn * 30)
    assert shown[0].type == "human" and MAX_HISTORY <= len(shown) <= MAX_HISTORY + 3
    assert recent(turn) == turn


def test_open_calls_get_a_result() -> None:
    """And closed ones keep theirs alone."""
    open_call: list[AnyMessage] = [HumanMessage("q"), AIMessage("", tool_calls=[CALL]), HumanMessage("x")]
    shown = answered(open_call)
    assert [m.type for m in shown] == ["human", "ai", "tool", "human"] and "Not done" in shown[2].text
    closed = [*open_call[:2], ToolMessage("r", tool_call_id="c1")]
    assert answered(closed) == closed


def test_rounds_are_counted_since_the_user_spoke() -> None:
    """The bound is for one message, not for the thread."""
    history: list[AnyMessage] = [AIMessage("", tool_calls=[CALL]), HumanMessage("q")]
    assert rounds(history) == 0
    assert rounds([*history, AIMessage("", tool_calls=[CALL]), ToolMessage("r", tool_call_id="c1")]) == 1
