"""The tree of graphs of a run, from its lifecycle events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from runtime.events import EventLog


@dataclass
class AgentTree:
    """One graph and those below it."""

    namespace: tuple[str, ...] = ()
    graph: str = ""
    status: str = "running"
    children: dict[str, AgentTree] = field(default_factory=dict)

    @staticmethod
    async def read(log: EventLog, thread: str, run_id: str | None) -> AgentTree | None:
        """The latest run's tree, or that of `run_id`; None when the log has no such run."""
        tree: AgentTree | None = None
        ours, seq = False, 0
        while page := await log.read(thread, seq):
            seq = page[-1].seq
            for event in (logged.event for logged in page if logged.event.method == "lifecycle"):
                envelope = orjson.loads(event.body)
                data = envelope["params"]["data"]
                if data["event"] == "running" and not event.namespace:
                    ours = run_id is None or envelope["event_id"].startswith(f"synth:{run_id}:")
                    tree = AgentTree() if ours else tree
                if ours and tree is not None:
                    tree.note(event.namespace, data)
        return tree

    def note(self, namespace: Sequence[str], data: dict[str, Any]) -> None:
        """One lifecycle event of this graph or of one below it."""
        node = self
        for depth, part in enumerate(namespace, 1):
            node = node.children.setdefault(part, AgentTree(tuple(namespace[:depth])))
        node.status = data["event"]
        node.graph = data.get("graph_name") or node.graph

    def json(self, graph: str) -> dict[str, Any]:
        """In the wire's form; `graph` names a node that no event named."""
        return {
            "namespace": list(self.namespace),
            "status": self.status,
            "graph_name": self.graph or graph,
            "children": [child.json(part.partition(":")[0]) for part, child in self.children.items()],
        }
