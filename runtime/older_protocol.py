"""LangGraph's older stream of a single run, from the events of the log: for clients that still speak it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from runtime.events import Event, Logged, encode_json
from runtime.message_parts import MessageParts
from runtime.run_record import RunRecord

MODES = frozenset({"values", "updates", "messages", "messages-tuple", "custom", "checkpoints", "tasks"})


def sse(event: str, data: str, seq: int | None = None) -> str:
    """One server-sent event; `data` is JSON on one line."""
    place = "" if seq is None else f"id: {seq}\n"
    return f"event: {event}\n{place}data: {data}\n\n"


class OlderProtocol:
    """Fed with a thread's events from the run's start on, it says what a client of this run is sent."""

    def __init__(self, run: RunRecord, modes: Sequence[str], subgraphs: bool) -> None:
        self.ended = False
        self._run = run
        self._modes = modes
        self._subgraphs = subgraphs
        self._running = run.status != "pending"
        self._messages: dict[tuple[str, ...], MessageParts] = {}

    def feed(self, logged: Logged) -> Iterator[str]:
        """The pieces to write for this event."""
        event = logged.event
        envelope = orjson.loads(event.body)
        params = envelope["params"]
        data = params["data"]
        if event.method == "lifecycle" and not event.namespace:
            if self._is_ours(envelope["event_id"]):
                yield from self._lifecycle(data, logged.seq)
        elif self._running and not self.ended and (self._subgraphs or not event.namespace):
            if event.method == "messages" and data["event"] == "message-start":
                self._messages[event.namespace] = MessageParts(data["id"], params.get("langgraph_node", ""))
            yield from (sse(name, encode_json(part), logged.seq) for name, part in self._parts(event, data))

    def _is_ours(self, event_id: str) -> bool:
        return event_id.startswith(f"synth:{self._run.run_id}:")

    def _lifecycle(self, data: dict[str, Any], seq: int) -> Iterator[str]:
        self._running = True
        self.ended = data["event"] != "running"
        if data["event"] == "failed":
            failed = {"error": data.get("code", "internal"), "message": data.get("error", "")}
            yield sse("error", encode_json(failed), seq)

    def _parts(self, event: Event, data: Any) -> Iterable[tuple[str, Any]]:
        below = "".join(f"|{part}" for part in event.namespace)
        if event.method == "messages":
            yield from self._message(event, data, below)
        elif event.method == "custom" and "custom" in self._modes:
            yield f"custom{below}", data
        elif event.method == "input.requested":
            asked = {"__interrupt__": [{"id": data["interrupt_id"], "value": data["value"]}]}
            yield from ((mode + below, asked) for mode in ("values", "updates") if mode in self._modes)
        elif event.method in self._modes:
            yield f"{event.method}{below}", data

    def _message(self, event: Event, data: Any, below: str) -> Iterable[tuple[str, Any]]:
        parts = self._messages.get(event.namespace)
        if parts is None:
            return
        metadata = {
            "run_id": self._run.run_id,
            "langgraph_node": parts.node,
            "langgraph_checkpoint_ns": "|".join(event.namespace),
        }
        chunk = parts.feed(data)
        if chunk is not None and "messages-tuple" in self._modes:
            yield f"messages{below}", [chunk, metadata]
        if "messages" in self._modes:
            if data["event"] == "message-start":
                yield f"messages/metadata{below}", {parts.id: {"metadata": metadata}}
            elif data["event"] == "message-finish":
                yield f"messages/complete{below}", [parts.whole()]
            elif chunk is not None:
                yield f"messages/partial{below}", [parts.whole()]
