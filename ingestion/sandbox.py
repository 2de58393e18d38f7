"""Parser processes: a hostile file costs its own process, and its own time and memory, only.

pebble's ProcessPool was tried and left: all its processes share one pipe and its lock, so that one killed
while it writes a result stops the others; an idle one that dies breaks the pool; and memory is not bounded.
anyio.to_process keeps its processes apart, but bounds neither time nor memory and imports `__main__` again.

What this does not do: a file that takes over a parser's code has this user's rights on this machine, and a
pickle is read from it. Against that, run the worker in a container of its own.
"""

from __future__ import annotations

import pickle
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar, cast

import anyio

from ingestion.parser_child import Reply
from ingestion.parser_process import ParserProcess, start_parser
from runtime.errors import RUN_ID, AppError, DocumentCorrupt, DocumentError, DocumentTooLarge, ParseTimeout

T = TypeVar("T")


class ParserFailure(Exception):
    """What was raised in a parser process, with its traceback as text: the cause of the error here."""


@asynccontextmanager
async def open_sandbox(
    processes: int,
    memory_bytes: int,
    *,
    max_calls: int = 200,
    max_waiting: int = 1_000,
) -> AsyncIterator[Sandbox]:
    """At most `processes` parser processes, each started when a call first needs it.

    `memory_bytes`: resident memory of each. One that holds more than half of it after a call, or has answered
    `max_calls`, is replaced: parsers leak. `max_waiting`: calls that may wait for a process.
    """
    sandbox = Sandbox(processes, memory_bytes, max_calls=max_calls, max_waiting=max_waiting)
    try:
        yield sandbox
    finally:
        await sandbox.close()


class Sandbox:
    """Runs functions in parser processes, in the order of the calls."""

    def __init__(self, processes: int, memory_bytes: int, *, max_calls: int, max_waiting: int) -> None:
        self.memory_bytes = memory_bytes
        self.restarts = 0
        """Processes that ended, by whatever cause; the next call starts another."""
        self._max_calls = max_calls
        self._max_waiting = max_waiting
        self._slots = anyio.CapacityLimiter(processes)
        self._processes: set[ParserProcess] = set()
        self._idle: list[ParserProcess] = []
        self._closed = False

    @property
    def alive(self) -> int:
        return sum(process.running for process in self._processes)

    @property
    def busy(self) -> int:
        return self._slots.borrowed_tokens

    async def call(
        self, function: Callable[..., T], *args: object, timeout_s: float, document: str = "the document"
    ) -> T:
        """What `function(*args)` returns in a parser process; cancelled, its process is killed at once.

        `function` is found by its name in its module, so it stands there at the top level; arguments and
        result are pickled. `timeout_s` starts with the call, not with the waiting for a process; `document`
        is named in errors. Raises ParseTimeout, DocumentTooLarge past the memory, DocumentCorrupt where the
        process crashes or the function raises anything but an AppError, and every AppError as it was raised.
        """
        request = pickle.dumps((function, args), pickle.HIGHEST_PROTOCOL)
        if self._slots.statistics().tasks_waiting >= self._max_waiting:
            raise DocumentError(
                f"{self._max_waiting} documents wait for a parser already, {document!r} cannot",
                document=document,
                limit=self._max_waiting,
            )
        async with self._slots:
            reply = await self._ask(request, timeout_s, document)
        return cast(T, self._opened(reply, document))

    async def close(self) -> None:
        """Kills all processes. Calls that still run fail as if their process had crashed."""
        self._closed = True
        for process in list(self._processes):
            await self._end(process)

    async def _ask(self, request: bytes, timeout_s: float, document: str) -> Reply:
        process, kept = await self._take(), False
        try:
            reply = pickle.loads(await process.ask(request, timeout_s=timeout_s))
            assert isinstance(reply, Reply)
            kept = reply.outcome != "memory" and not self._used_up(process)
        except TimeoutError:
            text = f"reading {document!r} took longer than {timeout_s:g} s"
            raise ParseTimeout(text, document=document, limit_s=timeout_s) from None
        except MemoryError:
            raise self._too_large(document) from None
        except (EOFError, pickle.UnpicklingError) as exc:
            text = f"reading {document!r} crashed its parser process: {process.ending}"
            raise DocumentCorrupt(text, document=document) from exc
        finally:
            if kept and not self._closed:
                self._idle.append(process)
            else:
                await self._end(process)
        return reply

    async def _take(self) -> ParserProcess:
        if self._closed:
            raise RuntimeError("the sandbox is closed")
        while self._idle:
            process = self._idle.pop()
            if process.running:
                return process
            await self._end(process)
        process = await start_parser(self.memory_bytes)
        self._processes.add(process)
        return process

    def _used_up(self, process: ParserProcess) -> bool:
        return process.calls >= self._max_calls or process.resident_bytes > self.memory_bytes // 2

    async def _end(self, process: ParserProcess) -> None:
        await process.kill()
        if process in self._processes:
            self._processes.remove(process)
            self.restarts += 1

    def _opened(self, reply: Reply, document: str) -> object:
        if reply.outcome == "returned":
            return reply.value
        if reply.outcome == "memory":
            raise self._too_large(document)
        cause = ParserFailure(reply.trace)
        if isinstance(reply.value, AppError):
            reply.value.run_id = RUN_ID.get()
            raise reply.value from cause
        raise DocumentCorrupt(f"{document!r} could not be read: {reply.value}", document=document) from cause

    def _too_large(self, document: str) -> DocumentTooLarge:
        megabytes = self.memory_bytes / 1_000_000
        text = f"reading {document!r} takes more memory than the {megabytes:,.0f} MB that a parser may have"
        return DocumentTooLarge(text, document=document, limit_bytes=self.memory_bytes)
