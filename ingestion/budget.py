"""How many bytes of documents are in flight in this process, and the waiting for room."""

from __future__ import annotations

from collections import deque
from types import TracebackType

import anyio

from runtime.errors import DocumentTooLarge

_LOOK_S = 1.0
"""How often a waiter looks for bytes that a lost hold gave back: a finalizer may run in any thread, and so
cannot wake it."""


class ByteBudget:
    """`limit` bytes to be held at once, given out in the order they were asked for.

    Nobody overtakes: a large hold waits until it has room, and those behind it wait for it. One event loop.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._held_bytes = 0
        self._active = 0
        self._leaks = 0
        self._queue: deque[Hold] = deque()
        self._lost: deque[int] = deque()

    @property
    def held_bytes(self) -> int:
        self._serve()
        return self._held_bytes

    @property
    def active_buffers(self) -> int:
        """Holds that have their bytes."""
        self._serve()
        return self._active

    @property
    def waiting(self) -> int:
        """Holds that wait for theirs."""
        return len(self._queue)

    @property
    def leak_count(self) -> int:
        """Holds that were lost without a release; their bytes were given back."""
        self._serve()
        return self._leaks

    def hold(self, size: int, label: str) -> Hold:
        """`async with budget.hold(size, label):` has `size` bytes inside the block.

        `label` names the document in errors. Raises DocumentTooLarge where `size` is above the limit.
        """
        if size < 0:
            raise ValueError(f"cannot hold {size} bytes")
        if size > self.limit:
            raise DocumentTooLarge(
                f"{label!r} needs {size:,} bytes at once, more than the {self.limit:,} there are for all",
                document=label,
                bytes=size,
                limit=self.limit,
            )
        return Hold(self, size)

    async def take(self, hold: Hold) -> None:
        """Waits until the hold has its bytes; cancelled, it has none."""
        self._queue.append(hold)
        self._serve()
        try:
            while not hold.active:
                with anyio.move_on_after(_LOOK_S):
                    await hold.granted.wait()
                self._serve()
        except BaseException:
            self._withdraw(hold)
            raise

    def give_back(self, hold: Hold) -> None:
        hold.active = False
        self._active -= 1
        self.shrink(hold, 0)

    def shrink(self, hold: Hold, size: int) -> None:
        self._held_bytes -= hold.size - size
        hold.size = size
        self._serve()

    def lose(self, hold: Hold) -> None:
        """From a finalizer, in whatever thread: the bytes come back when the budget is next looked at."""
        self._lost.append(hold.size)

    def _withdraw(self, hold: Hold) -> None:
        if hold.active:
            self.give_back(hold)
        else:
            self._queue.remove(hold)
            self._serve()

    def _serve(self) -> None:
        while self._lost:
            self._held_bytes -= self._lost.popleft()
            self._active -= 1
            self._leaks += 1
        while self._queue and self._held_bytes + self._queue[0].size <= self.limit:
            hold = self._queue.popleft()
            self._held_bytes += hold.size
            self._active += 1
            hold.active = True
            hold.granted.set()


class Hold:
    """A share of the budget, to be used once."""

    def __init__(self, budget: ByteBudget, size: int) -> None:
        self.size = size
        self.active = False
        """Whether it has its bytes."""
        self.granted = anyio.Event()
        self._budget = budget

    def shrink(self, size: int) -> None:
        """Gives back all but `size` bytes, once it is known that no more are needed."""
        self._budget.shrink(self, min(size, self.size))

    async def __aenter__(self) -> Hold:
        await self._budget.take(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._budget.give_back(self)

    def __del__(self) -> None:
        if self.active:
            self._budget.lose(self)
