"""Changes of a journal, one after the other in this process, and tried anew where another one was faster."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio

from ingestion.journal import Journal, State
from runtime.errors import KnowledgeUnavailable

T = TypeVar("T")

_TRIES = 8
"""Of a change that others' changes of the tenant's documents got before."""


class _Outrun(Exception):
    """Another process has changed the journal since it was read: what was to be done is to be seen anew."""


class Ledger:
    """What `Versions` writes its changes into."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._turn = anyio.Lock()

    async def state(self, tenant: str) -> State:
        return await self._journal.state(tenant)

    async def tenants(self) -> list[str]:
        """Those with hidden versions."""
        return await self._journal.tenants()

    async def in_turn(self, change: Callable[[], Awaitable[T]]) -> T:
        """Does it to its end, whoever is cancelled meanwhile; from its beginning again where it is outrun.

        Raises KnowledgeUnavailable when it is outrun each time.
        """
        async with self._turn:
            with anyio.CancelScope(shield=True):
                for _ in range(_TRIES):
                    try:
                        return await change()
                    except _Outrun:
                        continue
        raise KnowledgeUnavailable(
            f"other processes changed the tenant's documents {_TRIES} times while one was to be; try again"
        )

    @asynccontextmanager
    async def still(self) -> AsyncIterator[None]:
        """Within the block this process changes nothing; what begins to wait goes on after it."""
        async with self._turn:
            yield

    async def change(
        self,
        tenant: str,
        state: State,
        *,
        drop: Sequence[str] = (),
        keep: Sequence[str] = (),
        show: Sequence[str] = (),
    ) -> State:
        """See `State.change`; only within `in_turn`."""
        return await self.swap(tenant, state, state.change(drop=drop, keep=keep, show=show))

    async def swap(self, tenant: str, old: State, new: State) -> State:
        """`new`, which is the state now; only within `in_turn`, which begins anew where `old` is not."""
        if not await self.try_swap(tenant, old, new):
            raise _Outrun
        return new

    async def try_swap(self, tenant: str, old: State, new: State) -> bool:
        """False, and nothing is done, where `old` is no longer the state."""
        return await self._journal.swap(tenant, old, new)

    async def amend(self, tenant: str, state: State, amended: Callable[[State], State]) -> State:
        """Puts what is `amended` of the newest state in its place; where others are always faster, the sweep
        does it later."""
        for _ in range(_TRIES):
            new = amended(state)
            if await self.try_swap(tenant, state, new):
                return new
            state = await self.state(tenant)
        return state
