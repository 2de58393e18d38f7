"""A thread's keys, and what the saver's settings say about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from urllib.parse import unquote

from langchain_core.runnables import RunnableConfig

from runtime.checkpoint_bytes import Codec
from runtime.checkpoint_known import Known
from runtime.errors import CheckpointLost, InvalidInput
from runtime.keys import tagged
from runtime.redis_calls import Command, Operation, ask, command, script

_BUILDS_ON = {
    "put": ("carry", "carry_put", "store"),
    "write": ("carry", "store"),
    "prune": ("carry", "bury", "build", "compact"),
    "forget": ("carry", "bury", "build", "compact"),
    "delete": ("bury",),
    "write_in": ("carry", "bury", "build"),
    "replace": ("bury", "build"),
}
_KINDS = ("c", "b", "w", "fence", "c+", "b+", "w+")
"""A thread's keys: checkpoints, blobs, writes; the fence of its runs; the first three as they are built."""
_LOST = 0

Ttl = int | None | Callable[[str], int | None]
"""Seconds, for all threads or by thread id; None: threads do not expire."""


class Setup(NamedTuple):
    """What every operation needs of its saver."""

    codec: Codec
    known: Known
    ttl: Ttl
    in_cluster: bool

    def ttl_ms(self, thread: str) -> int:
        """0 for a thread that does not expire."""
        seconds = self.ttl(thread) if callable(self.ttl) else self.ttl
        return (seconds or 0) * 1000


class Spot(NamedTuple):
    """Where a config points."""

    thread: str
    namespace: str
    checkpoint_id: str
    """'' for the newest, or for a checkpoint without parent."""
    fence: str
    """'' when the writer carries none."""


def spot(config: RunnableConfig) -> Spot:
    """Raises InvalidInput for ids that cannot be part of a key."""
    given = config["configurable"]
    stopped = given.get("__stopped")
    # What a stopped run's nodes still write is stale.
    fence = 0 if stopped and stopped() else given.get("__fence")
    return Spot(
        checked(given["thread_id"]),
        checked(given.get("checkpoint_ns") or ""),
        checked(given.get("checkpoint_id") or ""),
        "" if fence is None else str(fence),
    )


def checked(part: object) -> str:
    """The part of a key as text. Raises InvalidInput."""
    text = str(part)
    try:
        data = text.encode()
    except UnicodeEncodeError as exc:
        raise InvalidInput(f"{text!r} cannot be an id: it is no Unicode text") from exc
    if b"\0" in data:
        raise InvalidInput(f"{text!r} cannot be an id: it holds a zero byte")
    return text


def checkpoint_config(thread: str, namespace: str, checkpoint_id: str) -> RunnableConfig:
    """The config that leads to a checkpoint."""
    return {
        "configurable": {
            "thread_id": thread,
            "checkpoint_ns": namespace,
            "checkpoint_id": checkpoint_id,
        }
    }


def thread_script(name: str, thread: str, *args: Any, removal: bytes = b"") -> Command:
    """A call of `lua/checkpoint_<name>.lua` with the thread's keys, one of them of this `removal` alone."""
    parts = ("common", *_BUILDS_ON.get(name, ()), name)
    tag = tagged(checked(thread), "")
    keys = [*(tag + kind for kind in _KINDS), grave_key(thread, removal)]
    return script(tuple(f"checkpoint_{part}" for part in parts), keys, *args)


def grave_key(thread: str, removal: bytes) -> str:
    """Holds the checkpoints that one removal has taken away, until their runs have been read."""
    return tagged(thread, f"x{removal.hex()}")


def read(call: Command) -> Operation[Any]:
    """The reply of a script that reads. Raises CheckpointLost."""
    reply = yield from ask(call)
    if reply == _LOST:
        raise CheckpointLost()
    return reply


def thread_of(key: str) -> str | None:
    """The thread whose checkpoints `key` holds; None for any other key."""
    if not (key.startswith("{") and key.endswith("}:c")):
        return None
    return unquote(key[1:-3])  # `tagged` escapes every %, so this undoes it exactly.


def register(runs: Iterable[str], thread: str, ttl_ms: int) -> list[Command]:
    """Notes that the runs have checkpoints in the thread."""
    calls = []
    for run in runs:
        calls.append(command("SADD", run_key(run), thread))
        if ttl_ms:
            calls.append(command("PEXPIRE", run_key(run), ttl_ms))
    return calls


def run_key(run_id: str) -> str:
    """Set of the threads that hold checkpoints of a run."""
    return f"checkpoints:run:{run_id}"
