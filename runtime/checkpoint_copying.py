"""Copying threads, page by page: never one long script, and from one cluster slot to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from runtime.checkpoint_removal import BUSY, new_token, unregister_gone
from runtime.checkpoint_thread import Setup, run_key, thread_script
from runtime.errors import ThreadBusy
from runtime.redis_calls import Operation, ask, command

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
    whole. Raises ThreadBusy, with the target as it was, when `source` is pruned or deleted again and again,
    or `target` is being pruned.
    """
    token = new_token()
    for _ in range(_ATTEMPTS):
        if (yield from _try_copy(setup, source, target, token)):
            return
    raise ThreadBusy("the thread was pruned or deleted while it was copied")


def _try_copy(setup: Setup, source: str, target: str, token: bytes) -> Operation[bool]:
    """False when the source changed in a way that the pages do not fit together."""
    seen, is_first = _Source(), True
    # The blobs come last: they then hold all that the pages before them refer to.
    for which, start in ((_CHECKPOINTS, b"-"), (_WRITES, b"-"), (_BLOBS, b"0")):
        while start:
            reply = yield from ask(thread_script("read_out", source, which, start, _PAGE, *seen))
            if reply == _CHANGED:
                return False
            epoch, first, start, *items = reply
            seen = _Source(epoch, first)
            if not first:
                return True
            yield from _write_in(target, token, is_first, which, items)
            is_first = False
    setup.known.forget(target)
    if (yield from ask(thread_script("replace", target, token, setup.ttl_ms(target)))) == BUSY:
        raise ThreadBusy("the thread to copy to was deleted meanwhile")
    yield from unregister_gone(target)
    return True


def _write_in(
    target: str, token: bytes, is_first: bool, which: int, items: Sequence[bytes]
) -> Operation[None]:
    runs = [item[1:].decode() for item in items if which == _CHECKPOINTS and item.startswith(b"\xff")]
    if runs:
        yield [command("SADD", run_key(run), target) for run in runs]
    if items:
        reply = yield from ask(thread_script("write_in", target, token, int(is_first), which, *items))
        if reply == BUSY:
            raise ThreadBusy("the thread to copy to is being pruned, or is the target of another copy")
