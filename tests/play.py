"""Plays a graph as a worker does, and keeps what a client would have received."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.stream.transformers import CustomTransformer
from langgraph.types import Command

from graphs import GRAPHS
from runtime.context import Context


@dataclass
class Heard:
    """What one run sent."""

    text: str = ""
    """All tokens, in order."""
    custom: list[dict[str, Any]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    """Names of custom events and `token`, as they came."""
    metadata: list[dict[str, Any]] = field(default_factory=list)
    """Of each message, as its end told it."""

    def named(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.custom if event["name"] == name]


class Play:
    """A compiled graph with one thread."""

    def __init__(self, graph: str, context: Context, store: BaseStore | None = None) -> None:
        # An empty allowlist is the strictest: state that holds anything but plain values would not load.
        saver = InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        self.store = store or InMemoryStore()
        self.graph = GRAPHS[graph]().compile(checkpointer=saver, store=self.store, name=graph)
        self.context = context
        self.on_token: Callable[[], None] | None = None
        self.config: RunnableConfig = {"configurable": {"thread_id": "acme/thread-1"}}

    async def say(self, text: str, **inputs: Any) -> Heard:
        """One turn of the rep."""
        return await self.run({"messages": [{"role": "user", "content": text}], **inputs})

    async def command(self, command: str, **inputs: Any) -> Heard:
        return await self.run({"command": command, **inputs})

    async def answer(self, answer: Any) -> Heard:
        """Answers the interrupt that is open."""
        return await self.run(Command(resume=answer))

    async def run(self, given: Any) -> Heard:
        heard = Heard()
        running = await self.graph.astream_events(
            given,
            self.config,
            version="v3",
            context=self.context,
            transformers=[CustomTransformer],
            durability="sync",
        )
        async with running as stream:
            async for event in stream:
                _take(event, heard)
                if self.on_token and heard.order[-1:] == ["token"]:
                    self.on_token()
        return heard

    async def state(self) -> dict[str, Any]:
        return dict((await self.graph.aget_state(self.config)).values)


def _take(event: Any, heard: Heard) -> None:
    data = event["params"]["data"]
    if event["method"] == "custom":
        heard.custom.append(data)
        heard.order.append(data["name"])
    elif event["method"] == "messages" and data[0].get("event") == "content-block-delta":
        if text := data[0]["delta"].get("text", ""):
            heard.text += text
            heard.order.append("token")
    elif event["method"] == "messages" and data[0].get("event") == "message-finish":
        heard.metadata.append(data[0].get("metadata", {}))
