"""The `tasks` channel, which LangGraph's own transformers keep to themselves."""

from __future__ import annotations

from typing import Any

from langgraph.stream._types import ProtocolEvent, StreamTransformer
from langgraph.stream.stream_channel import StreamChannel

TASKS_METHOD = "custom:cornerman.tasks"
"""The method under which core forwards what `TaskEvents` pushes."""
_SHOWN = ("id", "name", "triggers", "result", "error", "interrupts")


class TaskEvents(StreamTransformer):
    """Begin and end of each task of the run, with `namespace` in the payload.

    Without the task's input: it is the state, which `values` carry already. Of an error only its type.
    """

    required_stream_modes = ("tasks",)

    def __init__(self, scope: tuple[str, ...] = ()) -> None:
        super().__init__(scope)
        self._channel: StreamChannel[dict[str, Any]] = StreamChannel("cornerman.tasks")

    def init(self) -> dict[str, Any]:
        return {"cornerman_tasks": self._channel}

    def process(self, event: ProtocolEvent) -> bool:
        # The root's transformer sees the events of all subgraphs; theirs would say them again.
        if event["method"] == "tasks" and not self.scope:
            data = event["params"]["data"]
            shown = {key: data[key] for key in _SHOWN if key in data}
            if shown.get("error"):
                shown["error"] = type(shown["error"]).__name__
            self._channel.push({"namespace": list(event["params"]["namespace"]), **shown})
        return True
