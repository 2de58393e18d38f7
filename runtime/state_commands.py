"""The protocol's commands that read a thread: its state, its checkpoints, the tree of its agents."""

from __future__ import annotations

from typing import Any

from runtime.agent_tree import AgentTree
from runtime.context import User
from runtime.errors import InvalidInput, NoSuchNamespace, NoSuchRun, NotFound
from runtime.events import EventLog
from runtime.keys import thread_key
from runtime.thread_state import ThreadState
from runtime.threads import ThreadRow, Threads

Params = dict[str, Any]
_MAX_LISTED = 1_000


class StateCommands:
    """Each method is a command: user, thread id and params in, the result out."""

    def __init__(self, threads: Threads, state: ThreadState, events: EventLog) -> None:
        self._threads = threads
        self._state = state
        self._events = events

    async def get(self, user: User, thread_id: str, params: Params) -> Params:
        """`state.get`: values, or those of `keys`, and the checkpoint. Raises NoSuchRun, NoSuchNamespace."""
        row = await self._ran(user, thread_id)
        namespace, keys = _names(params, "namespace"), _names(params, "keys")
        state = await self._state.get(user, row, namespace=namespace)
        if state is None or (namespace and state.created_at is None):
            raise NoSuchNamespace(f"nothing ran under {namespace}")
        where = state.config["configurable"]
        checkpoint = {"id": where.get("checkpoint_id", ""), "ns": where.get("checkpoint_ns", "")}
        return {"values": _chosen(state.values, keys), "checkpoint": checkpoint}

    async def list_checkpoints(self, user: User, thread_id: str, params: Params) -> Params:
        """`state.listCheckpoints`: the newest first, older than `before`, at most `limit` (10)."""
        row = await self._ran(user, thread_id)
        limit = params.get("limit", 10)
        if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= _MAX_LISTED:
            raise InvalidInput(f"limit must be a number from 1 to {_MAX_LISTED}, not {limit!r:.40}")
        before, namespace = _name(params, "before"), _names(params, "namespace")
        states = await self._state.history(user, row, limit, before=before, namespace=namespace)
        return {
            "checkpoints": [
                {
                    "id": state.config["configurable"]["checkpoint_id"],
                    "timestamp": state.created_at,
                    "step": (state.metadata or {}).get("step", -1),
                    "metadata": {k: v for k, v in (state.metadata or {}).items() if k != "thread_id"},
                }
                for state in states
            ]
        }

    async def tree(self, user: User, thread_id: str, params: Params) -> Params:
        """`agent.getTree`: the graphs of the latest run, or of `run_id`, with status. Raises NoSuchRun."""
        row = await self._ran(user, thread_id)
        thread = thread_key(user.tenant, thread_id)
        run_id = _name(params, "run_id")
        tree = await AgentTree.read(self._events, thread, run_id)
        if tree is None:
            raise NoSuchRun(f"no run {run_id!r} in the log of this thread")
        return {"tree": tree.json(row.graph)}

    async def _ran(self, user: User, thread_id: str) -> ThreadRow:
        try:
            row = await self._threads.get(user, thread_id)
        except NotFound as exc:
            raise NoSuchRun("nothing ran on this thread") from exc
        if not row.graph:
            raise NoSuchRun("nothing ran on this thread")
        return row


def _chosen(values: Any, keys: list[str]) -> Any:
    """All values where no keys are named, or where they are no object, as an @entrypoint's may be."""
    if not isinstance(values, dict):
        return {} if values is None else values
    return {k: v for k, v in values.items() if not keys or k in keys}


def _name(params: Params, name: str) -> str | None:
    given = params.get(name)
    if not isinstance(given, str | None):
        raise InvalidInput(f"{name} must be a string, not {type(given).__name__}")
    return given


def _names(params: Params, name: str) -> list[str]:
    given = params.get(name)
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(part, str) for part in given):
        raise InvalidInput(f"{name} must be an array of strings")
    return given
