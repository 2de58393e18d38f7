"""The protocol's events as lines that tests compare: whole transcripts, without ids and times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

CHANNELS = ["values", "updates", "messages", "tools", "lifecycle", "input", "checkpoints", "tasks", "custom"]
ENDS = ("completed", "failed", "interrupted")
"""What a root lifecycle says when its run ends or pauses."""

Event = Mapping[str, Any]


def ends_run(event: Event) -> bool:
    """True for the root lifecycle that ends or pauses a run."""
    if event["method"] != "lifecycle" or event["params"]["namespace"]:
        return False
    return event["params"]["data"]["event"] in ENDS


def lines(events: Iterable[Event]) -> list[str]:
    """One line to an event, checkpoints and tasks left out."""
    return [line(event) for event in events if event["method"] not in ("checkpoints", "tasks")]


def line(event: Event) -> str:
    """What happened and where: 'nested> message-finish', 'values human ai'."""
    namespace, data = event["params"]["namespace"], event["params"]["data"]
    where = "".join(f"{segment.split(':')[0]}> " for segment in namespace)
    return where + _said(event["method"], data)


def _said(method: str, data: Any) -> str:
    if method == "messages":
        return _message(data)
    if method == "values":
        return " ".join(["values", *(message["type"] for message in data.get("messages", ()))])
    if method == "updates":
        return " ".join(["updates", *data])
    if method == "tools":
        return f"{data['event']} {data['tool_call_id']}"
    if method == "custom":
        return f"custom {data['name']}"
    if method == "input.requested":
        return f"asked {data['value']}"
    return f"{method} {data['event']}"


def _message(data: Mapping[str, Any]) -> str:
    event = data["event"]
    if event == "content-block-delta":
        return f"delta {data['delta'].get('text')!r}"
    if event.startswith("content-block"):
        return f"{event} {data['content']['type']}"
    return str(event)


def spoken(text: str, call: bool = False) -> list[str]:
    """The lines of a message that a Speaker streams, with its tool call or without."""
    first, *others = text.split(" ")
    deltas = [f"delta {word!r}" for word in (first, *(f" {other}" for other in others))]
    blocks = ["text", "tool_call"] if call else ["text"]
    opened = ["content-block-start tool_call"] if call else []
    closed = [f"content-block-finish {block}" for block in blocks]
    return ["message-start", "content-block-start text", *deltas, *opened, *closed, "message-finish"]


def inside(segment: str, said: Iterable[str]) -> list[str]:
    """The same lines in a child's namespace."""
    return [f"{segment}> {one}" for one in said]


def text_of(message: Mapping[str, Any]) -> str:
    """A message's text, whether its content is a string or blocks."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(block["text"] for block in content if block["type"] == "text")


def ids_and_texts(messages: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Those of a state's messages that a model wrote."""
    return [(message["id"], text_of(message)) for message in messages if message["type"] == "ai"]


ASK = {"messages": [{"role": "user", "content": "tides"}]}
"""The input of `agent`, `team` and `fails`."""

QUESTION = {"question": "Shall I go on?"}
"""What `agent` asks."""

AGENT_ASKS = [
    "lifecycle running",
    "values human",
    "custom progress",
    *spoken("Let me look that up.", call=True),
    "custom progress",
    "updates greet",
    "values human ai",
    "tool-started call-1",
    "tool-finished call-1",
    "updates tools",
    "values human ai tool",
    "custom question",
    "values human ai tool",
    f"asked {QUESTION}",
    "lifecycle interrupted",
]
"""`agent` up to its question."""

AGENT_GOES_ON = [
    "lifecycle running",
    "values human ai tool",
    "custom question",
    "updates ask",
    "values human ai tool",
    *inside("nested", ["values human ai tool", "lifecycle started"]),
    *inside("nested", spoken("From the inside.")),
    *inside("nested", ["updates whisper", "values human ai tool ai"]),
    "updates nested",
    "nested> lifecycle completed",
    "values human ai tool ai",
    *spoken("That was all for today."),
    "updates close",
    "values human ai tool ai ai",
    "lifecycle completed",
]
"""`agent` once it was answered."""

TEAM = [
    "lifecycle running",
    "values human",
    *spoken("I will ask.", call=True),
    "updates lead",
    "values human ai",
    "tool-started call-task",
    *inside("tools", ["values human", "lifecycle started"]),
    *inside("tools", spoken("Three sources on tides.")),
    *inside("tools", ["updates research", "values human ai"]),
    "tool-finished call-task",
    "updates tools",
    "tools> lifecycle completed",
    "values human ai tool",
    *spoken("In short: Three sources on tides."),
    "updates lead",
    "values human ai tool ai",
    "lifecycle completed",
]
"""`team`, with what its subagent says."""


def work(*todo: str, pause_s: float = 0.01) -> dict[str, Any]:
    """The input of `slow`: one step to a name, six words to a step, `pause_s` seconds before each."""
    return {"messages": [], "done": [], "todo": list(todo), "pause_s": pause_s}
