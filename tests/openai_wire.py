"""A message in the forms that OpenAI's chat completions give it: one JSON object, or server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, ToolCall

from runtime.scripted import MODEL_NAME, tokens


def completion(message: AIMessage) -> dict[str, Any]:
    said: dict[str, Any] = {"role": "assistant", "content": message.text or None, "refusal": None}
    if message.tool_calls:
        said["tool_calls"] = [_wire_call(call) for call in message.tool_calls]
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": _finish_reason(message)}
    return _envelope("chat.completion", [choice]) | {"usage": _usage(message)}


def events(message: AIMessage, with_usage: bool) -> Iterator[str]:
    """Server-sent events: role, text by tokens, each call's head and arguments, finish reason, usage."""
    for delta in _deltas(message):
        yield _event([{"index": 0, "delta": delta, "finish_reason": None}])
    yield finish(_finish_reason(message))
    if with_usage:
        yield _event([], usage=_usage(message))
    yield "data: [DONE]\n\n"


def _deltas(message: AIMessage) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": "", "refusal": None}
    for token in tokens(message.text):
        yield {"content": token}
    for index, call in enumerate(message.tool_calls):
        wire = _wire_call(call)
        arguments = wire["function"].pop("arguments")
        head = {**wire, "index": index, "function": {**wire["function"], "arguments": ""}}
        yield {"tool_calls": [head]}
        for piece in pieces(arguments):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _wire_call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call["name"], "arguments": json.dumps(call["args"])}
    return {"id": call["id"], "type": "function", "function": function}


def pieces(text: str) -> list[str]:
    """`text` in about three pieces, cut without regard to words or escapes."""
    size = max(1, len(text) // 3)
    return [text[start : start + size] for start in range(0, len(text), size)]


def _finish_reason(message: AIMessage) -> str:
    return "tool_calls" if message.tool_calls else "stop"


def _usage(message: AIMessage) -> dict[str, int]:
    usage = message.usage_metadata
    assert usage is not None, "the scripted model counts its tokens"
    return {
        "prompt_tokens": usage["input_tokens"],
        "completion_tokens": usage["output_tokens"],
        "total_tokens": usage["total_tokens"],
    }


def finish(reason: str) -> str:
    return _event([{"index": 0, "delta": {}, "finish_reason": reason}])


def _event(choices: Sequence[Any], usage: Mapping[str, int] | None = None) -> str:
    chunk = _envelope("chat.completion.chunk", choices) | {"usage": usage}
    return f"data: {json.dumps(chunk)}\n\n"


def _envelope(kind: str, choices: Sequence[Any]) -> dict[str, Any]:
    return {"id": "chatcmpl-test", "object": kind, "created": 0, "model": MODEL_NAME, "choices": choices}
