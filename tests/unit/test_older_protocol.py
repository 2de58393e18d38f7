"""LangGraph's older stream, made from the log's events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from runtime.context import User
from runtime.events import Logged, encode_event
from runtime.older_protocol import OlderProtocol
from runtime.run_events import lifecycle_event
from runtime.run_record import RunRecord, RunRequest

RUN = RunRecord(
    run_id="r",
    status="running",
    user=User("acme", "ana"),
    request=RunRequest(None, "g"),
    attempts=1,
    worker="w",
    fence=1,
    seq_before=0,
    created=1,
    started=1,
    ended=0,
    error="",
    error_message="",
    cancel="",
    usage={},
)


def fed(
    modes: list[str], *events: Any, subgraphs: bool = False, run: RunRecord = RUN
) -> list[tuple[str, Any]]:
    older = OlderProtocol(run, modes, subgraphs)
    pieces = [piece for seq, event in enumerate(events, 1) for piece in older.feed(Logged(seq, event))]
    found = []
    for piece in pieces:
        name, _, data = piece.strip().split("\n")
        found.append((name.removeprefix("event: "), orjson.loads(data.removeprefix("data: "))))
    return found


def event(method: str, data: Any, *namespace: str, **more: Any) -> Any:
    return encode_event(method, data, event_id="e", namespace=namespace, more=more)


def message(*said: str) -> list[Any]:
    deltas = [
        {"event": "content-block-delta", "index": 0, "delta": {"type": "text-delta", "text": s}} for s in said
    ]
    begin = event("messages", {"event": "message-start", "id": "m"}, langgraph_node="say")
    return [begin, *(event("messages", d) for d in deltas), event("messages", {"event": "message-finish"})]


def test_only_the_modes_that_were_asked_for_are_sent() -> None:
    """And of subgraphs nothing, unless they were asked for too."""
    events = [event("values", {"n": 1}), event("updates", {"a": {}}), event("values", {"n": 2}, "child:1")]
    assert fed(["values"], *events) == [("values", {"n": 1})]
    assert fed(["values"], *events, subgraphs=True) == [("values", {"n": 1}), ("values|child:1", {"n": 2})]


def test_tokens_come_as_chunks_with_their_node() -> None:
    """As `messages-tuple`: clients put chunks of one id together and may filter by node."""
    (first, meta), (second, _) = [data for _, data in fed(["messages-tuple"], *message("one ", "two"))]
    assert [first["content"], second["content"], first["id"], first["type"]] == [
        "one ",
        "two",
        "m",
        "AIMessageChunk",
    ]
    assert (meta["langgraph_node"], meta["run_id"]) == ("say", "r")


def test_messages_grow_until_they_are_whole() -> None:
    """As `messages`, the eldest form."""
    sent = fed(["messages"], *message("one ", "two"))
    assert [name for name, _ in sent] == [
        "messages/metadata",
        "messages/partial",
        "messages/partial",
        "messages/complete",
    ]
    assert sent[-1][1][0]["content"] == "one two"


def test_tool_calls_are_put_together() -> None:
    """Their arguments stream in pieces and end as an object."""
    block = {"type": "tool_call_chunk", "id": "c", "name": "search", "args": ""}
    done = {"type": "tool_call", "id": "c", "name": "search", "args": {"q": 1}}
    begin, end = message()
    parts = [
        event("messages", {"event": "content-block-start", "index": 0, "content": block}),
        event(
            "messages",
            {
                "event": "content-block-delta",
                "index": 0,
                "delta": {"type": "tool-call-delta", "args": '{"q":1}'},
            },
        ),
        event("messages", {"event": "content-block-finish", "index": 0, "content": done}),
    ]
    chunks = [data[0]["tool_call_chunks"][0] for _, data in fed(["messages-tuple"], begin, *parts, end)]
    assert [(c["name"], c["args"]) for c in chunks] == [("search", ""), (None, '{"q":1}')]
    whole = fed(["messages"], begin, *parts, end)[-1][1][0]
    assert whole["tool_calls"] == [{"id": "c", "name": "search", "args": {"q": 1}, "type": "tool_call"}]


def test_a_failure_and_a_question_are_told() -> None:
    """Each in the form that older clients know."""
    failed = lifecycle_event("r", "failed", "g", error="boom", code="graph_failed")
    assert fed(["values"], failed) == [("error", {"error": "graph_failed", "message": "boom"})]
    asked = event("input.requested", {"interrupt_id": "i", "value": "sure?", "payload": "sure?"})
    assert fed(["updates"], asked) == [("updates", {"__interrupt__": [{"id": "i", "value": "sure?"}]})]


def test_events_of_the_run_before_are_not_this_runs() -> None:
    """A run that waits is streamed from where it begins, to where it ends."""
    waiting = replace(RUN, status="pending")
    events = [
        event("values", {"n": 1}),
        lifecycle_event("elder", "completed", "g"),
        lifecycle_event("r", "running", "g"),
        event("values", {"n": 2}),
        lifecycle_event("r", "completed", "g"),
        event("values", {"n": 3}),
    ]
    assert fed(["values"], *events, run=waiting) == [("values", {"n": 2})]
