"""Deleting, pruning, copying and pinning threads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runtime.checkpoint_thread import Setup, run_key, thread_script
from runtime.errors import InvalidInput
from runtime.redis_calls import Operation, ask, command


def delete(setup: Setup, thread: str) -> Operation[None]:
    """Removes all checkpoints and writes of a thread."""
    setup.known.forget(thread)
    runs = yield from ask(thread_script("delete", thread))
    yield from _unregister(thread, runs)


def delete_for_runs(setup: Setup, run_ids: Iterable[str]) -> Operation[None]:
    """Removes what these runs stored, in whatever thread."""
    for run in map(str, run_ids):
        for name in (yield from ask(command("SMEMBERS", run_key(run)))):
            thread = name.decode()
            setup.known.forget(thread)
            yield from ask(thread_script("forget", thread, run))
            yield from _unregister(thread, [run])


def prune(setup: Setup, threads: Sequence[str], strategy: str) -> Operation[None]:
    """`keep_latest`: what the newest checkpoint of each namespace needs; `delete`: nothing is kept."""
    if strategy not in ("keep_latest", "delete"):
        raise InvalidInput(f"no pruning strategy {strategy!r}; known: keep_latest, delete")
    for thread in threads:
        if strategy == "delete":
            yield from delete(setup, thread)
        else:
            setup.known.forget(thread)
            runs = yield from ask(thread_script("prune", thread))
            yield from _unregister(thread, runs)


def copy(setup: Setup, source: str, target: str) -> Operation[None]:
    """Makes `target` hold what `source` holds, instead of what it held; nothing, when `source` is empty."""
    runs, *dumps = yield from ask(thread_script("dump", source))
    if not dumps[0]:
        return
    ttl_ms = setup.ttl_ms(target)
    yield [command("SADD", run_key(run.decode()), target) for run in runs]
    setup.known.forget(target)
    before = yield from ask(thread_script("restore", target, ttl_ms, *dumps))
    yield from _unregister(target, set(before) - set(runs))


def pin(setup: Setup, thread: str, pinned: bool) -> Operation[None]:
    """A pinned thread does not expire until it is unpinned; a TTL then begins anew."""
    yield from ask(thread_script("pin", thread, int(pinned), setup.ttl_ms(thread)))


def _unregister(thread: str, runs: Iterable[bytes | str]) -> Operation[None]:
    calls = [command("SREM", run_key(run if isinstance(run, str) else run.decode()), thread) for run in runs]
    for start in range(0, len(calls), 1000):
        yield calls[start : start + 1000]
