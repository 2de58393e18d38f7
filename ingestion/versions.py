"""The versions of documents in a collection: written out of sight, shown in one step, kept or deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from ingestion.index import Index, Put
from ingestion.journal import Hidden, Journal, State
from ingestion.ledger import Ledger
from ingestion.shown import SUPERSEDED
from ingestion.within import Within
from runtime.errors import InvalidInput, KnowledgeUnavailable


class Versions:
    """All methods bear to be called again, whichever of them died when, here or in another process.

    A change runs to its end, whoever is cancelled meanwhile; in one process they come one after the other.
    """

    def __init__(self, index: Index, journal: Journal, grace_s: float = 0.0) -> None:
        """`grace_s`: how long another process may take to end what it has begun to delete or to keep."""
        self._index = index
        self._ledger = Ledger(journal)
        self._grace_s = grace_s

    async def stage(self, tenant: str, version: str, points: Sequence[Put], writer: str) -> None:
        """Writes points of a version that nobody sees."""

        async def stage() -> None:
            if await self._begin(tenant, version, writer):
                await self._index.put(tenant, points)
                await self._withdraw_late(tenant, version, points, writer)

        await self._ledger.in_turn(stage)

    async def publish(
        self, tenant: str, document_id: str, version: str, points: int, keep: bool, moved_from: str
    ) -> None:
        """See `Knowledge.publish`."""

        async def publish() -> None:
            await self._publish(tenant, document_id, version, points, keep, moved_from)

        await self._ledger.in_turn(publish)

    async def restore(self, tenant: str, document_id: str, version: str) -> None:
        """See `Knowledge.restore`."""

        async def restore() -> None:
            first = Within(tenant, {"document_id": document_id, "version": version, "ordinal": 0})
            rows = await self._index.read(first, ["chunks", *SUPERSEDED])
            # A restore that did not come to its end has hidden it, as one that is to be kept.
            hidden = (await self._ledger.state(tenant)).hidden.get(version)
            if not rows or not (hidden.keep if hidden else _is_kept(rows[0])):
                raise InvalidInput(f"{version!r} is no version that was kept of this document")
            await self._publish(tenant, document_id, version, rows[0]["chunks"], keep=True, moved_from="")

        await self._ledger.in_turn(restore)

    async def relabel(self, tenant: str, document_id: str, payload: dict[str, Any]) -> None:
        """All versions get these values, which are not of the text: a name, tags."""

        async def relabel() -> None:
            # Before as well: who dies in between has changed what is told of the document all the same.
            state = await self._ledger.change(tenant, await self._ledger.state(tenant))
            await self._index.mark(Within(tenant, {"document_id": document_id}), payload)
            await self._ledger.change(tenant, state)

        await self._ledger.in_turn(relabel)

    async def discard(self, tenant: str, version: str, writer: str) -> None:
        """Deletes a version that was staged and not published, unless another run writes it too."""

        async def discard() -> None:
            state = await self._ledger.state(tenant)
            hidden = state.hidden.get(version)
            if hidden is None or writer not in hidden.writers:
                return
            left = [other for other in hidden.writers if other != writer]
            if left:
                await self._ledger.swap(tenant, state, state.write(version, left))
            else:
                await self._drop(tenant, [version], state)

        await self._ledger.in_turn(discard)

    async def remove(self, tenant: str, document_id: str) -> bool:
        """Deletes all versions, those being written among them; False when there is none."""
        return await self._ledger.in_turn(lambda: self._remove(tenant, document_id))

    async def admit(self, tenant: str, version: str, points: int) -> None:
        """Shows a version that was staged beside all others, as it was marked elsewhere.

        Raises KnowledgeUnavailable where it has not as many points, and drops those.
        """

        async def admit() -> None:
            state = await self._ledger.state(tenant)
            await self._check_whole(tenant, version, points, state)
            if any(map(_is_kept, await self._index.read(_first(tenant, version), [*SUPERSEDED]))):
                state = await self._ledger.swap(tenant, state, replace(state, keeps=True))
            if version in state.hidden:
                await self._ledger.change(tenant, state, show=[version])

        await self._ledger.in_turn(admit)

    async def mark(self, tenant: str, version: str, payload: dict[str, Any]) -> None:
        """Gives a version these values, that of being superseded among them."""

        async def mark() -> None:
            state = await self._ledger.change(tenant, await self._ledger.state(tenant))
            if _is_kept(payload):
                state = await self._ledger.swap(tenant, state, replace(state, keeps=True))
            await self._index.mark(_of(tenant, version), payload)
            await self._ledger.change(tenant, state)

        await self._ledger.in_turn(mark)

    async def dismiss(self, tenant: str, versions: Sequence[str]) -> None:
        """Deletes these versions, whatever they are."""

        async def dismiss() -> None:
            await self._drop(tenant, versions, await self._ledger.state(tenant))

        await self._ledger.in_turn(dismiss)

    def still(self) -> AbstractAsyncContextManager[None]:
        """Within the block this process changes nothing; what begins to wait goes on after it."""
        return self._ledger.still()

    async def leftovers(self) -> list[tuple[str, str]]:
        """Tenant and version of what runs and processes that never came back have left."""
        left: list[tuple[str, str]] = []
        for tenant in await self._ledger.tenants():
            hidden = (await self._ledger.state(tenant)).hidden
            left += [(tenant, version) for version, one in hidden.items() if one.is_left(self._grace_s)]
        return left

    async def sweep(self, tenant: str, version: str) -> None:
        """Ends what was begun with one of `leftovers`, unless a run has taken it up since."""

        async def sweep() -> None:
            state = await self._ledger.state(tenant)
            hidden = state.hidden.get(version)
            if hidden is None or not hidden.is_left(self._grace_s):
                return
            if hidden.writers:
                state = await self._ledger.change(tenant, state, drop=[version])
            await self._finish(tenant, [version], state)

        await self._ledger.in_turn(sweep)

    async def _begin(self, tenant: str, version: str, writer: str) -> bool:
        """Hides the version for its writer; False where it is there already, as it is to be written."""
        state = await self._ledger.state(tenant)
        hidden = state.hidden.get(version)
        if hidden is not None and not hidden.writers:
            if not hidden.is_left(self._grace_s):
                raise KnowledgeUnavailable("this version is being taken out by another process; try again")
            # It was to be deleted or kept, and that did not come to its end.
            state, hidden = await self._finish(tenant, [version], state), None
        if hidden is None:
            if await self._index.read(_first(tenant, version), ["version"]):
                # It is seen already (its run was lost after `publish`), or was kept.
                return False
            # What an earlier try left behind may have been read in another way.
            await self._index.drop(_of(tenant, version))
        if hidden is None or writer not in hidden.writers:
            writers = [*(hidden.writers if hidden else ()), writer]
            await self._ledger.swap(tenant, state, state.write(version, writers))
        return True

    async def _withdraw_late(self, tenant: str, version: str, points: Sequence[Put], writer: str) -> None:
        """Takes back what came after another process had shown the version, and then one that replaced it."""
        state = await self._ledger.state(tenant)
        hidden = state.hidden.get(version)
        if not points or (hidden is not None and writer in hidden.writers):
            return
        settled = await self._settled(tenant, str(points[0].payload["document_id"]), state)
        if any(other != version for other in _where(settled, kept=False)):
            await self._drop(tenant, [version], state)

    async def _publish(
        self, tenant: str, document_id: str, version: str, points: int, keep: bool, moved_from: str
    ) -> None:
        state = await self._ledger.state(tenant)
        await self._check_whole(tenant, version, points, state)
        settled = await self._settled(tenant, document_id, state)
        others = {v: kept for v, kept in settled.items() if v != version}
        moved = await self._settled(tenant, moved_from, state) if moved_from else {}
        if keep:
            for old in _where(moved, kept=True):
                await self._index.mark(_of(tenant, old), {"document_id": document_id})
            drop, superseded = _where(moved, kept=False), _where(others, kept=False)
        else:
            drop, superseded = [*others, *moved], []
        state = await self._unmark(tenant, version, state)
        # The one step that readers see; what follows changes only what they no longer do.
        state = await self._ledger.change(tenant, state, drop=drop, keep=superseded, show=[version])
        await self._note_kept(tenant, await self._finish(tenant, [*drop, *superseded], state))

    async def _note_kept(self, tenant: str, state: State) -> None:
        """Searches need not leave out what is no longer there; whoever is outrun leaves that to the next."""
        if state.keeps and not any(hidden.keep for hidden in state.hidden.values()):
            if not await self._index.count(Within(tenant, SUPERSEDED)):
                await self._ledger.try_swap(tenant, state, replace(state, keeps=False))

    async def _check_whole(self, tenant: str, version: str, points: int, state: State) -> None:
        found = await self._index.count(_of(tenant, version))
        is_staged = version in state.hidden
        if not is_staged and found:
            # Another run has shown it meanwhile, or it was kept: it is whole as that run wrote it.
            first = await self._index.read(_first(tenant, version), ["chunks"])
            points = first[0]["chunks"] if first else points
        if found != points or not found:
            if is_staged:
                await self._drop(tenant, [version], state)
            raise KnowledgeUnavailable(
                f"{found} of {points} chunks were in the index when they were to be shown; ingest it again"
            )

    async def _remove(self, tenant: str, document_id: str) -> bool:
        all_of_it = Within(tenant, {"document_id": document_id})
        there = await self._index.count(all_of_it) > 0
        rows = await self._index.read(Within(tenant, {"document_id": document_id, "ordinal": 0}), ["version"])
        await self._drop(tenant, [row["version"] for row in rows], await self._ledger.state(tenant))
        # A version whose first point is not written yet is in no row.
        await self._index.drop(all_of_it)
        await self._note_kept(tenant, await self._ledger.state(tenant))
        return there

    async def _settled(self, tenant: str, document_id: str, state: State) -> dict[str, bool]:
        """The document's versions that the journal has nothing to say of, and whether each was kept."""
        first = Within(tenant, {"document_id": document_id, "ordinal": 0})
        rows = await self._index.read(first, ["version", *SUPERSEDED])
        return {row["version"]: _is_kept(row) for row in rows if row["version"] not in state.hidden}

    async def _unmark(self, tenant: str, version: str, state: State) -> State:
        """A kept version that is to be shown again is from now on out of sight by the journal alone."""
        rows = await self._index.read(_first(tenant, version), [*SUPERSEDED])
        if any(map(_is_kept, rows)):
            state = await self._ledger.change(tenant, state, keep=[version])
            await self._index.mark(_of(tenant, version), dict.fromkeys(SUPERSEDED, ""))
        return state

    async def _drop(self, tenant: str, versions: Sequence[str], state: State) -> None:
        state = await self._ledger.change(tenant, state, drop=versions)
        await self._finish(tenant, versions, state)

    async def _finish(self, tenant: str, versions: Sequence[str], state: State) -> State:
        """Deletes or marks versions that are hidden for that; the sweep does what is left."""
        ended: dict[str, Hidden] = {version: state.hidden[version] for version in versions}
        for version, hidden in ended.items():
            if hidden.keep:
                await self._index.mark(_of(tenant, version), SUPERSEDED)
            else:
                await self._index.drop(_of(tenant, version))
        return await self._ledger.amend(tenant, state, lambda now: now.without(ended)) if ended else state


def _of(tenant: str, version: str) -> Within:
    return Within(tenant, {"version": version})


def _first(tenant: str, version: str) -> Within:
    """The point that holds the version's own figures."""
    return Within(tenant, {"version": version, "ordinal": 0})


def _is_kept(payload: Mapping[str, Any]) -> bool:
    return payload.get("superseded") == SUPERSEDED["superseded"]


def _where(versions: Mapping[str, bool], *, kept: bool) -> list[str]:
    return [version for version, is_kept in versions.items() if is_kept == kept]
