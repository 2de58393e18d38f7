"""Deleting, pruning and pinning threads: never one long script, however large the thread is."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence

from runtime.checkpoint_thread import Setup, run_key, thread_keys, thread_script
from runtime.errors import InvalidInput, ThreadBusy
from runtime.redis_calls import Operation, ask, command

BUSY = 0
"""What a script returns when another one builds something beside the thread."""
_RUNS = 500
"""Run ids in one reply."""


def delete(setup: Setup, thread: str) -> Operation[None]:
    """Removes all checkpoints and writes of a thread."""
    setup.known.forget(thread)
    yield from ask(thread_script("delete", thread))
    yield from unregister_gone(thread)


def delete_for_runs(setup: Setup, run_ids: Iterable[str]) -> Operation[None]:
    """Removes what these runs stored, in whatever thread. Raises ThreadBusy."""
    for run in map(str, run_ids):
        for name in (yield from ask(command("SMEMBERS", run_key(run)))):
            thread = name.decode()
            setup.known.forget(thread)
            yield from _compact(thread, "forget", run)
            yield [command("SREM", run_key(run), thread), command("UNLINK", thread_keys(thread)[-1])]


def prune(setup: Setup, threads: Sequence[str], strategy: str) -> Operation[None]:
    """`keep_latest`: what the newest checkpoint of each namespace needs; `delete`: nothing is kept.

    Raises ThreadBusy.
    """
    if strategy not in ("keep_latest", "delete"):
        raise InvalidInput(f"no pruning strategy {strategy!r}; known: keep_latest, delete")
    for thread in threads:
        if strategy == "delete":
            yield from delete(setup, thread)
        else:
            setup.known.forget(thread)
            yield from _compact(thread, "prune", "")
            yield from unregister_gone(thread)


def pin(setup: Setup, thread: str, pinned: bool) -> Operation[None]:
    """A pinned thread does not expire until it is unpinned; a TTL then begins anew."""
    yield from ask(thread_script("pin", thread, int(pinned), setup.ttl_ms(thread)))


def _compact(thread: str, name: str, run: str) -> Operation[None]:
    """Builds what stays step by step, while the thread is used, and puts it in place at the end."""
    token = new_token()
    cursor: list[bytes] = []
    while True:
        reply = yield from ask(thread_script(name, thread, token, run, *cursor))
        if reply == BUSY:
            raise ThreadBusy("the thread is being pruned already, or was deleted meanwhile")
        cursor = reply
        if not cursor:
            return


def new_token() -> bytes:
    """The name of one compaction or copy."""
    return secrets.token_bytes(8)


def unregister_gone(thread: str) -> Operation[None]:
    """Takes the thread out of the sets of those runs whose last checkpoint has just been taken away."""
    start = b"[\xff"
    while start:
        start, *runs = yield from ask(thread_script("buried", thread, start, _RUNS))
        if runs:
            yield [command("SREM", run_key(run.decode()), thread) for run in runs]
