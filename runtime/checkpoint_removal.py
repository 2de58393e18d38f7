"""Deleting, pruning and pinning threads: never one long script, however large the thread is."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence

from runtime.checkpoint_thread import Setup, grave_key, register, run_key, thread_script
from runtime.errors import InvalidInput, ThreadBusy
from runtime.redis_calls import Operation, ask, command

BUSY = 0
"""What a script returns when it does not own what is built beside the thread."""
_MORE = 1
_RUNS = 500
"""Run ids in one reply."""


def delete(setup: Setup, thread: str) -> Operation[None]:
    """Removes all checkpoints and writes of a thread."""
    removal = new_removal()
    setup.known.forget(thread)
    yield from ask(thread_script("delete", thread, removal=removal))
    yield from strike_gone(setup, thread, removal)


def delete_for_runs(setup: Setup, run_ids: Iterable[str]) -> Operation[None]:
    """Removes what these runs stored, in whatever thread. Raises ThreadBusy."""
    for run in map(str, run_ids):
        for name in (yield from ask(command("SMEMBERS", run_key(run)))):
            thread, removal = name.decode(), new_removal()
            yield from _compact(setup, thread, "forget", run, removal)
            yield from _strike(setup, thread, [run])
            yield [command("UNLINK", grave_key(thread, removal))]


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
            removal = new_removal()
            yield from _compact(setup, thread, "prune", "", removal)
            yield from strike_gone(setup, thread, removal)


def pin(setup: Setup, thread: str, pinned: bool) -> Operation[None]:
    """A pinned thread does not expire until it is unpinned; a TTL then begins anew."""
    yield from ask(thread_script("pin", thread, int(pinned), setup.ttl_ms(thread)))


def new_removal() -> bytes:
    """The name of one removal or copy."""
    return secrets.token_bytes(8)


def strike_gone(setup: Setup, thread: str, removal: bytes) -> Operation[None]:
    """Takes the thread out of the sets of those runs whose last checkpoint the removal has taken away."""
    start = b"[\xff"
    while start:
        start, *runs = yield from ask(thread_script("buried", thread, start, _RUNS, removal=removal))
        yield from _strike(setup, thread, [run.decode() for run in runs])
    yield [command("UNLINK", grave_key(thread, removal))]


def _compact(setup: Setup, thread: str, name: str, run: str, removal: bytes) -> Operation[None]:
    """Builds what stays step by step, while the thread is used, and puts it in place at the end."""
    setup.known.forget(thread)
    is_first, reply = 1, _MORE
    while reply == _MORE:
        reply = yield from ask(thread_script(name, thread, removal, run, is_first, removal=removal))
        is_first = 0
    if reply == BUSY:
        raise ThreadBusy("the thread is being pruned already, was deleted meanwhile, or Redis failed over")


def _strike(setup: Setup, thread: str, runs: Sequence[str]) -> Operation[None]:
    if runs:
        yield [command("SREM", run_key(run), thread) for run in runs]
        # A run may have put something since, and its note of that may be what was just removed.
        held = yield from ask(thread_script("held", thread, *runs))
        if held:
            yield register([run.decode() for run in held], thread, setup.ttl_ms(thread))
