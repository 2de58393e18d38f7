"""One parser process as its parent sees it: started, asked, watched, killed."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from contextlib import suppress
from math import ceil
from pathlib import Path

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from runtime.errors import DocumentError

_START_S = 60.0
"""A Python start takes 0.1 s; this is for a machine that swaps."""
_WATCH_S = 0.05
_EXIT_S = 2.0
_OVERHEAD_BYTES = 512 * 1024 * 1024
"""By how much RLIMIT_DATA lies above the limit on resident memory. It counts what is mapped and never used:
stacks of threads, arenas. Measured: 75 MB with PyMuPDF's models, 240 MB with RapidOCR's, 175 MB with
docling's. RLIMIT_AS cannot be used: the same three map 0.4, 1.1 and 0.6 GB more than they use."""
_BROKEN = (anyio.BrokenResourceError, anyio.ClosedResourceError)
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_START = "import sys; sys.path[:] = {path!r}; from ingestion.parser_child import main; main({parent}, {data})"
"""Not multiprocessing's spawn, which imports the parent's `__main__` again: that is the whole CLI."""


async def start_parser(memory_bytes: int) -> ParserProcess:
    """Raises DocumentError where the process does not get as far as to take calls."""
    code = _START.format(path=sys.path, parent=os.getpid(), data=memory_bytes + _OVERHEAD_BYTES)
    # Cancelled in the middle, it would leave a process that nobody knows.
    with anyio.CancelScope(shield=True):
        # A session of its own: no signal of the terminal reaches it.
        process = await anyio.open_process(
            [sys.executable, "-c", code], stderr=subprocess.DEVNULL, start_new_session=True
        )
    parser = ParserProcess(process, memory_bytes)
    try:
        await parser.ready()
    except BaseException:
        await parser.kill()
        raise
    return parser


class ParserProcess:
    """Answers one call at a time; after any error of `ask` it is to be killed."""

    def __init__(self, process: Process, memory_bytes: int) -> None:
        assert process.stdin is not None and process.stdout is not None
        self.calls = 0
        self._memory_bytes = memory_bytes
        self._process = process
        self._requests = process.stdin
        self._replies = BufferedByteReceiveStream(process.stdout)
        self._over_memory = False

    async def ready(self) -> None:
        """Waits until it takes calls."""
        frame = None
        with anyio.move_on_after(_START_S):
            frame = await self._frame()
        if frame is None:
            await self._ended()
            raise DocumentError(f"a parser process could not be started: {self.ending}", limit_s=_START_S)

    async def ask(self, function_and_args: bytes, *, timeout_s: float) -> bytes:
        """The pickled Reply to a pickled call.

        Raises TimeoutError, MemoryError past `memory_bytes`, EOFError where the process ended.
        """
        self.calls += 1
        cpu_s = ceil(timeout_s * (os.cpu_count() or 1)) + 1
        reply = None
        with anyio.fail_after(timeout_s):
            async with anyio.create_task_group() as group:
                group.start_soon(self._watch, group.cancel_scope)
                reply = await self._exchange(pickle.dumps((function_and_args, cpu_s)))
                group.cancel_scope.cancel()
        if self._over_memory:
            raise MemoryError
        if reply is None:
            await self._ended()
            raise TimeoutError if self._process.returncode == -signal.SIGXCPU else EOFError
        return reply

    async def _exchange(self, request: bytes) -> bytes | None:
        try:
            await self._requests.send(request)
        except _BROKEN:
            return None
        return await self._frame()

    async def _frame(self) -> bytes | None:
        try:
            length = int.from_bytes(await self._replies.receive_exactly(8), "big")
            # What does not fit into the process cannot be what it made: it lies, or is broken.
            if length > self._memory_bytes:
                return None
            return await self._replies.receive_exactly(length)
        except (anyio.IncompleteRead, anyio.EndOfStream, *_BROKEN):
            return None

    async def _ended(self) -> None:
        """Waits a moment for the exit that follows the end of its pipe."""
        with anyio.move_on_after(_EXIT_S):
            await self._process.wait()

    async def _watch(self, scope: anyio.CancelScope) -> None:
        """Cancels the scope once the process holds too much. From outside: inside, C code keeps the GIL."""
        while not self._over_memory:
            await anyio.sleep(_WATCH_S)
            self._over_memory = self.resident_bytes > self._memory_bytes
        scope.cancel()

    @property
    def resident_bytes(self) -> int:
        """What it holds of the machine's memory, its own children's left out; 0 where there is no /proc."""
        try:
            statm = Path(f"/proc/{self._process.pid}/statm").read_text()
        except OSError:
            return 0
        return int(statm.split()[1]) * _PAGE_BYTES if statm else 0

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    @property
    def ending(self) -> str:
        """How the process ended, for people."""
        code = self._process.returncode
        if code is None:
            return "it stopped answering"
        if code < 0:
            return f"it was ended by signal {-code} ({signal.strsignal(-code)})"
        return f"it ended with status {code}"

    async def kill(self) -> None:
        """Ends it and what it started, at once, and reaps it."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(_EXIT_S):
            if self.running:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.aclose()
