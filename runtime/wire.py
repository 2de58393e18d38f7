"""From LangGraph's v3 events to those of the wire: one `Translator` for each execution of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from langgraph.prebuilt import ToolCallTransformer
from langgraph.stream._types import ProtocolEvent
from langgraph.stream.transformers import CheckpointsTransformer, CustomTransformer, UpdatesTransformer
from langgraph.types import Interrupt

from runtime.events import Event, encode_event
from runtime.open_ends import OpenEnds
from runtime.task_events import TASKS_METHOD, TaskEvents

TRANSFORMERS = (
    UpdatesTransformer,
    CustomTransformer,
    CheckpointsTransformer,
    ToolCallTransformer,
    TaskEvents,
)
"""The channels that LangGraph streams on request only."""

_Namespace = tuple[str, ...]


class Translator:
    """Gives each core event its wire form, order and id.

    A checkpoint goes out before the values it stands for, though core sends it after them. In one namespace a
    message goes out whole before the next, though parallel nodes may stream at once: clients tell the tokens
    of two open messages apart by nothing.
    """

    def __init__(self, id_prefix: str) -> None:
        """`id_prefix` is unique on the thread, as run id and fence are together."""
        self._id_prefix = id_prefix
        self._count = 0
        self._values: ProtocolEvent | None = None
        self._open: dict[_Namespace, str] = {}
        """Run id of the model call whose message is going out."""
        self._waiting: dict[_Namespace, dict[str, list[ProtocolEvent]]] = {}
        self._tool_messages: set[str] = set()
        self._ends = OpenEnds()
        self.interrupts: dict[str, tuple[_Namespace, Any]] = {}
        """Namespace and value by interrupt id; the deepest namespace, as core repeats it at each parent."""

    def feed(self, event: ProtocolEvent) -> list[Event]:
        """The events that can go out now."""
        return [self._encode(e) for e in self._in_order(event)]

    @property
    def partial_text(self) -> str:
        """What was said of messages that are open now."""
        return self._ends.partial_text

    def finish(self, failure: str = "") -> list[Event]:
        """What was held back; after a `failure` also the end of each message, tool and child left open."""
        held = [self._values] if self._values else []
        self._values = None
        events = [self._encode(e) for e in held]
        if failure:
            events += [self.make(*end) for end in self._ends.close(failure)]
        self._open.clear()
        return events

    def make(
        self,
        method: str,
        data: Any,
        namespace: Sequence[str] = (),
        more: Mapping[str, Any] | None = None,
    ) -> Event:
        """An event in this execution's numbering; `more` stands beside `data`."""
        self._count += 1
        event_id = f"{self._id_prefix}.{self._count}"
        return encode_event(method, data, event_id=event_id, namespace=namespace, more=more)

    def input_requested(self, run_id: str) -> list[Event]:
        """One `input.requested` per interrupt; Python reads `value`, JS `payload`."""
        return [
            encode_event(
                "input.requested",
                {"interrupt_id": interrupt_id, "payload": value, "value": value},
                event_id=f"synth:{run_id}:input|{'|'.join(namespace)}|{interrupt_id}",
                namespace=namespace,
            )
            for interrupt_id, (namespace, value) in self.interrupts.items()
        ]

    def _in_order(self, event: ProtocolEvent) -> Iterator[ProtocolEvent]:
        method = event["method"]
        held, self._values = self._values, None
        if held and method == "checkpoints" and _namespace(held) == _namespace(event):
            yield from (event, held)
            return
        if held:
            yield held
        if method == "values":
            self._note_interrupts(event)
            self._values = event
        elif method == "messages":
            yield from self._messages(event)
        elif method != "updates" or _update(event):
            yield event

    def _note_interrupts(self, event: ProtocolEvent) -> None:
        for interrupt in cast("tuple[Interrupt, ...]", event["params"].get("interrupts", ())):
            known = self.interrupts.get(interrupt.id)
            if known is None or len(known[0]) < len(_namespace(event)):
                self.interrupts[interrupt.id] = (_namespace(event), interrupt.value)

    def _messages(self, event: ProtocolEvent) -> Iterator[ProtocolEvent]:
        payload, metadata = event["params"]["data"]
        if not isinstance(payload, Mapping):
            return  # A whole message that a node returned: state shows it, and no token of it was streamed.
        stream = str(metadata.get("run_id", ""))
        if payload.get("event") == "message-start" and payload.get("role") == "tool":
            self._tool_messages.add(stream)
        if stream in self._tool_messages:
            return  # Tool output must never reach a client as tokens of an answer.
        namespace = _namespace(event)
        if self._open.setdefault(namespace, stream) != stream:
            self._waiting.setdefault(namespace, {}).setdefault(stream, []).append(event)
            return
        yield event
        if payload.get("event") in ("message-finish", "error"):
            yield from self._next_message(namespace)

    def _next_message(self, namespace: _Namespace) -> Iterator[ProtocolEvent]:
        del self._open[namespace]
        waiting = self._waiting.get(namespace, {})
        while waiting and namespace not in self._open:
            stream = next(iter(waiting))
            for event in waiting.pop(stream):
                yield from self._messages(event)

    def _encode(self, event: ProtocolEvent) -> Event:
        method, data, namespace = _wire_form(event)
        if method == "lifecycle" and "graph_name" not in data:
            data = {**data, "graph_name": self._ends.graph_of(namespace)}
        self._ends.note(method, data, namespace)
        node = _node(event) if method == "messages" and data["event"] == "message-start" else None
        return self.make(method, data, namespace, {"langgraph_node": node} if node else None)


def _wire_form(event: ProtocolEvent) -> tuple[str, Any, Sequence[str]]:
    """Method, data and namespace as clients know them."""
    method, params = event["method"], event["params"]
    data, namespace = params["data"], params["namespace"]
    if method == "messages":
        data = data[0]
    elif method == "updates":
        data = _update(event)
    elif method == "lifecycle":
        namespace = data.get("namespace", namespace)
    elif method == "checkpoints":
        data = _checkpoint(data)
    elif method == "values" and isinstance(data, dict):
        data = {key: value for key, value in data.items() if key != "__interrupt__"}
    elif method == "custom" and not isinstance(data, dict):
        data = {"payload": data}
    elif method == TASKS_METHOD:
        method, namespace = "tasks", data.pop("namespace")
    elif method.startswith("custom:"):
        method, data = "custom", {"name": method.removeprefix("custom:"), "payload": data}
    return method, data, namespace


def _node(event: ProtocolEvent) -> str | None:
    """The node that says a message."""
    _, metadata = event["params"]["data"]
    return cast("str | None", metadata.get("langgraph_node"))


def _namespace(event: ProtocolEvent) -> _Namespace:
    return tuple(event["params"]["namespace"])


def _update(event: ProtocolEvent) -> dict[str, Any]:
    data = event["params"]["data"]
    return {node: delta for node, delta in data.items() if node != "__interrupt__"}


def _checkpoint(data: Mapping[str, Any]) -> dict[str, Any]:
    parent = data.get("parent_config")
    envelope = {
        "id": data["config"]["configurable"]["checkpoint_id"],
        "step": data["metadata"]["step"],
        "source": data["metadata"]["source"],
    }
    return {**envelope, "parent_id": parent["configurable"]["checkpoint_id"]} if parent else envelope
