"""What a stream of events has begun and not ended: messages, tool calls, subgraphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_Namespace = tuple[str, ...]
End = tuple[str, dict[str, Any], _Namespace]
"""Method, data and namespace of an event that ends something."""
_ENDED = ("completed", "failed", "interrupted")


class OpenEnds:
    """Fed with a run's events in their order, it knows what a client still waits for."""

    def __init__(self) -> None:
        self._messages: dict[_Namespace, list[str]] = {}
        """The text said so far."""
        self._tools: dict[str, _Namespace] = {}
        self._children: dict[_Namespace, str] = {}
        """Graph names by namespace, parents before their children."""

    @property
    def partial_text(self) -> str:
        """The text of messages that have not ended, in the order in which they began."""
        return "".join(part for text in self._messages.values() for part in text)

    def note(self, method: str, data: Any, namespace: Sequence[str]) -> None:
        """One event, in the wire's form."""
        if method == "messages":
            self._note_message(data, tuple(namespace))
        elif method == "tools":
            self._note_tool(data, tuple(namespace))
        elif method == "lifecycle" and namespace:
            self._note_child(data, tuple(namespace))

    def graph_of(self, namespace: Sequence[str]) -> str:
        """The name of the graph that is open there, or ''."""
        return self._children.get(tuple(namespace), "")

    def close(self, why: str) -> list[End]:
        """The events that end everything, the innermost first; nothing is open then."""
        depth = sorted(self._children, key=len, reverse=True)
        ends: list[End] = [
            *(("messages", {"event": "error", "message": why}, ns) for ns in self._messages),
            *(
                ("tools", {"event": "tool-error", "tool_call_id": call, "message": why}, ns)
                for call, ns in self._tools.items()
            ),
            *(("lifecycle", _failed(ns, self._children[ns], why), ns) for ns in depth),
        ]
        for ended in (self._messages, self._tools, self._children):
            ended.clear()
        return ends

    def _note_message(self, data: Mapping[str, Any], namespace: _Namespace) -> None:
        event = data.get("event")
        if event == "message-start":
            self._messages[namespace] = []
        elif event == "content-block-delta" and namespace in self._messages:
            self._messages[namespace].append(data.get("delta", {}).get("text", ""))
        elif event in ("message-finish", "error"):
            self._messages.pop(namespace, None)

    def _note_tool(self, data: Mapping[str, Any], namespace: _Namespace) -> None:
        if data.get("event") == "tool-started":
            self._tools[data["tool_call_id"]] = namespace
        elif data.get("event") in ("tool-finished", "tool-error"):
            self._tools.pop(data["tool_call_id"], None)

    def _note_child(self, data: Mapping[str, Any], namespace: _Namespace) -> None:
        if data.get("event") == "started":
            self._children[namespace] = data.get("graph_name", "")
        elif data.get("event") in _ENDED:
            self._children.pop(namespace, None)


def _failed(namespace: _Namespace, graph: str, why: str) -> dict[str, Any]:
    return {"event": "failed", "namespace": list(namespace), "graph_name": graph, "error": why}
