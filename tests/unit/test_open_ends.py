"""What a run has begun and not ended."""

from __future__ import annotations

from runtime.open_ends import OpenEnds


def start(message: str) -> dict[str, str]:
    return {"event": "message-start", "id": message}


def text(said: str) -> dict[str, object]:
    return {"event": "content-block-delta", "index": 0, "delta": {"type": "text-delta", "text": said}}


def test_everything_that_is_open_is_closed_the_innermost_first() -> None:
    """A client that waits for an end gets it, and a child ends before its parent."""
    ends = OpenEnds()
    ends.note("lifecycle", {"event": "started", "graph_name": "team"}, ["a:1"])
    ends.note("lifecycle", {"event": "started", "graph_name": "member"}, ["a:1", "b:2"])
    ends.note("tools", {"event": "tool-started", "tool_call_id": "call"}, ["a:1"])
    ends.note("messages", start("m"), ["a:1", "b:2"])
    assert [(method, data["event"], namespace) for method, data, namespace in ends.close("gone")] == [
        ("messages", "error", ("a:1", "b:2")),
        ("tools", "tool-error", ("a:1",)),
        ("lifecycle", "failed", ("a:1", "b:2")),
        ("lifecycle", "failed", ("a:1",)),
    ]
    assert ends.close("gone") == []


def test_what_ended_by_itself_is_left_alone() -> None:
    """Nothing is ended twice."""
    ends = OpenEnds()
    for what in ("completed", "failed", "interrupted"):
        ends.note("lifecycle", {"event": "started"}, ["a:1"])
        ends.note("lifecycle", {"event": what}, ["a:1"])
    for what in ("tool-finished", "tool-error"):
        ends.note("tools", {"event": "tool-started", "tool_call_id": "call"}, [])
        ends.note("tools", {"event": what, "tool_call_id": "call"}, [])
    for what in ("message-finish", "error"):
        ends.note("messages", start("m"), [])
        ends.note("messages", {"event": what}, [])
    ends.note("lifecycle", {"event": "running"}, [])
    assert ends.close("gone") == []


def test_the_text_of_open_messages_is_known() -> None:
    """It is what a cancelled run had said; a message that ended is in the state."""
    ends = OpenEnds()
    ends.note("messages", start("done"), [])
    ends.note("messages", text("whole"), [])
    ends.note("messages", {"event": "message-finish"}, [])
    ends.note("messages", start("half"), [])
    ends.note("messages", text("half of "), [])
    ends.note("messages", text("it"), [])
    assert ends.partial_text == "half of it"
