"""Copying threads, page by page: never one long script, and from one cluster slot to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from runtime.checkpoint_removal import BUSY, new_removal, strike_gone
from runtime.checkpoint_thread import Setup, register, thread_script
from runtime.errors import ThreadBusy
from runtime.redis_calls import Operation, ask

_PAGE = 100
"""Items in one reply."""
_ATTEMPTS = 3
_CHANGED = 0
_CHECKPOINTS, _BLOBS, _WRITES = 1, 2, 3


class _Source(NamedTuple):
    """What tells that it is the same thread still: none of what the copy needs can have gone."""

    epoch: bytes = b""
    first: bytes = b""


def copy(setup: Setup, source: str, target: str) -> Operation[None]:
    """Makes `target` hold what `source` holds, instead of what it held; nothing, when `source` is empty.

    Of what is written to `source` meanwhile, some checkpoints may be in the copy and others not; each is
    whole. What is written to `target` meanwhile goes with what it held. Raises ThreadBusy, with the target as
    it was, when `source` is pruned or deleted again and again, or `target` is being pruned or is deleted.
    """
    removal = new_removal()
    for _ in range(_ATTEMPTS):
        if (yield from _try_copy(setup, source, target, removal)):
            return
    raise ThreadBusy("the thread was pruned or deleted while it was copied")


def _try_copy(setup: Setup, source: str, target: str, removal: bytes) -> Operation[bool]:
    """False when the source changed in a way that the pages do not fit together."""
    seen, page = _Source(), 0
    # The blobs come last: they then hold all that the pages before them refer to.
    for which, start in ((_CHECKPOINTS, b"-"), (_WRITES, b"-"), (_BLOBS, b"0")):
        while start:
            reply = yield from ask(thread_script("read_out", source, which, start, _PAGE, *seen))
            if reply == _CHANGED:
                return False
            epoch, first, start, *items = reply
            seen, page = _Source(epoch, first), page + 1
            if not first:
                return True
            if which == _CHECKPOINTS:
                yield from _register(setup, target, items)
            written = yield from ask(
                thread_script("write_in", target, removal, page, which, *items, removal=removal)
            )
            _check(written)
    replaced = thread_script("replace", target, removal, page, setup.ttl_ms(target), removal=removal)
    _check((yield from ask(replaced)))
    setup.known.forget(target)
    yield from strike_gone(setup, target, removal)
    return True


def _register(setup: Setup, target: str, members: Sequence[bytes]) -> Operation[None]:
    runs = [member[1:].decode() for member in members if member.startswith(b"\xff")]
    if runs:
        yield register(runs, target, setup.ttl_ms(target))


def _check(reply: int) -> None:
    if reply == BUSY:
        raise ThreadBusy(
            "the thread to copy to is being pruned or copied to, was deleted, or Redis failed over"
        )
