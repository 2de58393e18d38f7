"""Inside a parser process: calls come in by its standard input, replies leave by its standard output.

Replies are frames: eight bytes of length, big-endian, then a pickle of a `Reply`. A frame of no length says
that the process is ready. The parent's side is parser_process.py.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import resource
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

from runtime.errors import AppError

_SET_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of <linux/prctl.h>."""
_NICE = 10
"""Whoever talks on this machine goes before the documents that are read on it."""


class Reply(NamedTuple):
    """How a call ended."""

    outcome: Literal["returned", "raised", "failed", "memory"]
    """`raised`: an AppError; `failed`: any other exception; `memory`: an allocation was refused."""
    value: Any = None
    """What was returned, the AppError, or for `failed` type and text of the exception."""
    trace: str = ""
    """Of the exception, as text: tracebacks do not travel."""


def main(parent: int, data_bytes: int) -> None:
    """Answers calls until the pipe closes. `parent`: the pid to die with; `data_bytes`: for RLIMIT_DATA."""
    calls, replies = _take_pipes()
    _die_with(parent)
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (data_bytes, data_bytes))
    sys.addaudithook(_refuse_network)
    _send(replies, b"")
    while True:
        try:
            call, cpu_s = pickle.load(calls)
        except EOFError:
            return
        _allow_cpu(cpu_s)
        _send(replies, _answer(call))


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The parent's pipes, moved to where no library prints: some of them write to descriptor 1 in C."""
    calls, replies = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    return os.fdopen(calls, "rb"), os.fdopen(replies, "wb")


def _die_with(parent: int) -> None:
    """Ends this process when its parent ends, even by SIGKILL; and before the parent if memory runs out.

    Elsewhere than on Linux only the end of the pipe tells, which a busy parser notices after its call.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
    with contextlib.suppress(OSError):  # a sandboxed /proc may be read-only
        Path("/proc/self/oom_score_adj").write_text("1000")


def _refuse_network(event: str, _: tuple[Any, ...]) -> None:
    """A document's remote references stay unread. It holds for Python's sockets, not for a C library's."""
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        raise PermissionError("a parser process has no network")


def _allow_cpu(seconds: int) -> None:
    """SIGXCPU after so many more CPU seconds: the bound that holds while the parent is stuck or stopped."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds, hard))


def _answer(call: bytes) -> bytes:
    try:
        function, args = pickle.loads(call)
        return pickle.dumps(Reply("returned", function(*args)), pickle.HIGHEST_PROTOCOL)
    except AppError as exc:
        return pickle.dumps(Reply("raised", exc, traceback.format_exc()))
    except MemoryError:
        return pickle.dumps(Reply("memory"))
    # The border of a process: what a parser raises has to travel, and only its text surely can.
    except Exception as exc:
        return pickle.dumps(Reply("failed", f"{type(exc).__name__}: {exc}", traceback.format_exc()))


def _send(replies: BinaryIO, frame: bytes) -> None:
    replies.write(len(frame).to_bytes(8, "big"))
    replies.write(frame)
    replies.flush()
