"""A streamed message put together from its content blocks."""

from __future__ import annotations

from typing import Any


class MessageParts:
    """Fed with the events of one message; knows it as far as it has come."""

    def __init__(self, message_id: str, node: str) -> None:
        """`node` says the message; ''  where it is not known."""
        self.id = message_id
        self.node = node
        self._text: list[str] = []
        self._tool_calls: dict[int, dict[str, Any]] = {}

    def feed(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """The chunk that this event brings, in the form of an AIMessageChunk; None: nothing to see."""
        event, index = data["event"], data.get("index", 0)
        if event == "content-block-start" and "tool_call" in data["content"].get("type", ""):
            block = data["content"]
            self._tool_calls[index] = {"id": block.get("id"), "name": block.get("name"), "args": ""}
            return self._tool_chunk(index, block.get("id"), block.get("name"), block.get("args") or "")
        if event == "content-block-delta" and (text := data["delta"].get("text")):
            self._text.append(text)
            return {**self._fields(text), "tool_call_chunks": []}
        if event == "content-block-delta" and "args" in data["delta"]:
            return self._tool_chunk(index, None, None, data["delta"]["args"])
        if event == "content-block-finish" and data["content"].get("type") == "tool_call":
            self._tool_calls[index] = data["content"]
        return None

    def whole(self) -> dict[str, Any]:
        """The message so far."""
        calls = [
            {"id": c.get("id"), "name": c.get("name"), "args": c.get("args"), "type": "tool_call"}
            for c in self._tool_calls.values()
            if isinstance(c.get("args"), dict)
        ]
        return {**self._fields("".join(self._text)), "type": "ai", "tool_calls": calls}

    def _tool_chunk(self, index: int, call_id: str | None, name: str | None, args: Any) -> dict[str, Any]:
        said = args if isinstance(args, str) else ""
        chunk = {"index": index, "id": call_id, "name": name, "args": said, "type": "tool_call_chunk"}
        return {**self._fields(""), "tool_call_chunks": [chunk]}

    def _fields(self, text: str) -> dict[str, Any]:
        return {"type": "AIMessageChunk", "id": self.id, "content": text, "additional_kwargs": {}}
