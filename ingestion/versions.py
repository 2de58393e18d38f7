"""The versions of documents in the index: written out of sight, shown in one step, kept or deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ingestion.index import Index, Lists, Put, Values
from ingestion.journal import Journal
from ingestion.readers import Readers
from runtime.errors import InvalidInput, KnowledgeUnavailable

_SUPERSEDED = {"superseded": "yes"}
"""Payload of an old version that was kept on request."""


class Versions:
    """All methods block and bear to be called again, whichever of them died when.

    `reading`, `unseen` and `read` may be called from several threads, the others by one at a time.
    """

    def __init__(self, index: Index, journal: Journal) -> None:
        self._index = index
        self._journal = journal
        self._readers = Readers()

    def reading(self) -> AbstractContextManager[None]:
        """Within the block nothing that `unseen` lets through is deleted."""
        return self._readers.reading()

    def unseen(self, tenant: str) -> Lists:
        """What searches leave out."""
        return {"version": list(self._journal.hidden(tenant)), "superseded": list(_SUPERSEDED.values())}

    def read(self, tenant: str, fields: list[str], equal: Values) -> list[dict[str, Any]]:
        """The first points of the versions that searches see."""
        with self.reading():
            return self._index.read(tenant, fields, but=self.unseen(tenant), **{**equal, "ordinal": 0})

    def read_all(self, tenant: str, fields: list[str], document_id: str) -> list[dict[str, Any]]:
        """The first points of the document's versions, those that were kept among them."""
        but = {"version": list(self._journal.hidden(tenant))}
        return self._index.read(tenant, fields, but=but, document_id=document_id, ordinal=0)

    def stage(self, tenant: str, version: str, points: Sequence[Put], writer: str) -> None:
        """Writes points of a version that nobody sees."""
        hidden = self._journal.hidden(tenant).get(version)
        if hidden is not None and not hidden.writers:
            # It was to be deleted or kept, and that did not come to its end.
            self._finish(tenant, [version])
            hidden = None
        if hidden is None:
            if self._index.read(tenant, ["version"], version=version, ordinal=0):
                # It is seen already (its run was lost after `publish`), or was kept: as it is to be written.
                return
            # What an earlier try left behind may have been read in another way.
            self._index.drop(tenant, version=version)
        if hidden is None or writer not in hidden.writers:
            self._journal.write(tenant, version, [*(hidden.writers if hidden else ()), writer])
            # Whoever began before does not know that this version is hidden.
            self._readers.wait_for_present()
        self._index.put(tenant, points)

    def publish(
        self, tenant: str, document_id: str, version: str, points: int, keep: bool, moved_from: str
    ) -> None:
        """See `Knowledge.publish`."""
        found = self._index.count(tenant, version=version)
        is_staged = version in self._journal.hidden(tenant)
        if not is_staged and found:
            # Another run has shown it meanwhile, or it was kept: it is whole as that run wrote it.
            first = self._index.read(tenant, ["chunks"], version=version, ordinal=0)
            points = first[0]["chunks"] if first else points
        if found != points:
            if is_staged:
                self._drop(tenant, [version])
            raise KnowledgeUnavailable(
                f"{found} of {points} chunks were in the index when they were to be shown; ingest it again"
            )
        others = {v: kept for v, kept in self._settled(tenant, document_id).items() if v != version}
        moved = self._settled(tenant, moved_from) if moved_from else {}
        if keep:
            for old in _where(moved, kept=True):
                self._index.mark(tenant, {"document_id": document_id}, version=old)
            drop, superseded = _where(moved, kept=False), _where(others, kept=False)
        else:
            drop, superseded = [*others, *moved], []
        self._unmark(tenant, version)
        # The one step that readers see; what follows changes only what they no longer do.
        self._journal.change(tenant, drop=drop, keep=superseded, show=[version])
        self._finish(tenant, [*drop, *superseded])

    def restore(self, tenant: str, document_id: str, version: str) -> None:
        """See `Knowledge.restore`."""
        if not self._settled(tenant, document_id).get(version):
            raise InvalidInput(f"{version!r} is no version that was kept of this document")
        (first,) = self._index.read(tenant, ["chunks"], version=version, ordinal=0)
        self.publish(tenant, document_id, version, first["chunks"], keep=True, moved_from="")

    def rename(self, tenant: str, document_id: str, name: str) -> None:
        """All versions are shown under another name."""
        self._index.mark(tenant, {"document": name}, document_id=document_id)

    def discard(self, tenant: str, version: str, writer: str) -> None:
        """Deletes a version that was staged and not published, unless another run writes it too."""
        hidden = self._journal.hidden(tenant).get(version)
        if hidden is None or writer not in hidden.writers:
            return
        left = [other for other in hidden.writers if other != writer]
        if left:
            self._journal.write(tenant, version, left)
        else:
            self._drop(tenant, [version])

    def remove(self, tenant: str, document_id: str) -> bool:
        """Deletes all versions, those being written among them; False when there is none."""
        there = self._index.count(tenant, document_id=document_id) > 0
        rows = self._index.read(tenant, ["version"], document_id=document_id, ordinal=0)
        self._drop(tenant, [row["version"] for row in rows])
        # A version whose first point is not written yet is in no row.
        self._index.drop(tenant, document_id=document_id)
        return there

    def leftovers(self) -> list[tuple[str, str]]:
        """Tenant and version of what runs and processes that never came back have left."""
        return self._journal.leftovers()

    def sweep(self, tenant: str, version: str) -> None:
        """Ends what was begun with one of `leftovers`, unless a run has taken it up since."""
        if not self._journal.is_left(tenant, version):
            return
        if self._journal.hidden(tenant)[version].writers:
            self._journal.change(tenant, drop=[version])
        self._finish(tenant, [version])

    def _settled(self, tenant: str, document_id: str) -> dict[str, bool]:
        """The document's versions that the journal has nothing to say of, and whether each was kept."""
        fields = ["version", *_SUPERSEDED]
        rows = self._index.read(tenant, fields, document_id=document_id, ordinal=0)
        hidden = self._journal.hidden(tenant)
        return {row["version"]: _is_kept(row) for row in rows if row["version"] not in hidden}

    def _unmark(self, tenant: str, version: str) -> None:
        """A kept version that is to be shown again is from now on out of sight by the journal alone."""
        if any(map(_is_kept, self._index.read(tenant, [*_SUPERSEDED], version=version, ordinal=0))):
            self._journal.change(tenant, keep=[version])
            self._index.mark(tenant, dict.fromkeys(_SUPERSEDED, ""), version=version)

    def _drop(self, tenant: str, versions: Sequence[str]) -> None:
        self._journal.change(tenant, drop=versions)
        self._finish(tenant, versions)

    def _finish(self, tenant: str, versions: Sequence[str]) -> None:
        """Deletes or marks versions that are hidden for that, once nobody reads them any more."""
        self._readers.wait_for_present()
        hidden = self._journal.hidden(tenant)
        for version in versions:
            if hidden[version].keep:
                self._index.mark(tenant, _SUPERSEDED, version=version)
            else:
                self._index.drop(tenant, version=version)
        self._journal.change(tenant, show=versions)


def _is_kept(payload: Mapping[str, Any]) -> bool:
    return payload.get("superseded") == _SUPERSEDED["superseded"]


def _where(versions: Mapping[str, bool], *, kept: bool) -> list[str]:
    return [version for version, is_kept in versions.items() if is_kept == kept]
