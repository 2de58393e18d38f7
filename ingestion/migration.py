"""A move of the index to another embedder, while the current collection goes on serving."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from ingestion.collection import collection_name
from ingestion.embed import Embedder
from ingestion.index import Put
from ingestion.moving import Difference, Held
from ingestion.points import batches
from ingestion.record import point_name, searchable
from ingestion.vectors import Profile
from runtime.errors import KnowledgeUnavailable

_BATCH = 32
"""Chunks that are embedded and written at once."""
_ROUNDS = 10
"""Times that what has changed meanwhile is brought over before the switch is given up."""
_ENOUGH = 0.9
"""Share of sample chunks that are to be found by their own text."""


class Mover(Protocol):
    """`ingestion.moving.Moving`, or the way to it."""

    async def prepare(self, name: str, profile: Profile) -> None: ...
    async def difference(self, name: str, profile: Profile) -> Difference: ...
    async def payloads(self, held: Held, first: int, count: int) -> list[dict[str, Any]]: ...
    async def put(self, name: str, profile: Profile, held: Held, points: Sequence[Put]) -> None: ...
    async def end(self, name: str, profile: Profile, held: Held) -> None: ...
    async def settle(self, name: str, profile: Profile, difference: Difference) -> None: ...
    async def samples(self) -> list[Held]: ...
    async def finds(self, name: str, profile: Profile, held: Held) -> bool: ...
    async def switch(self, name: str, profile: Profile) -> bool: ...


@dataclass(frozen=True)
class Moved:
    """What became of a move."""

    collection: str
    versions: int
    """Brought over in this go; what an earlier go had brought is not in it."""
    chunks: int
    samples: int
    """Chunks whose own text was searched for, and found."""


Progress = Callable[[int, int], None]
"""Takes chunks that are embedded and written, and all that are to be in this round."""


async def migrate(mover: Mover, name: str, embedder: Embedder, report: Progress) -> Moved:
    """Moves to the embedder that is configured as `name`. What was begun before goes on where it was.

    Raises KnowledgeUnavailable where samples are not found in the end, or documents change faster than they
    are brought over: the current collection then stays, and the next try goes on.
    """
    collection, profile = collection_name(name, embedder.profile), embedder.profile
    await mover.prepare(collection, profile)
    versions = chunks = 0
    for _ in range(_ROUNDS):
        difference = await mover.difference(collection, profile)
        await mover.settle(collection, profile, difference)
        chunks += await _bring(mover, collection, embedder, difference.missing, report)
        versions += len(difference.missing)
        samples = await _samples_found(mover, collection, profile)
        if await mover.switch(collection, profile):
            return Moved(collection, versions, chunks, samples)
    raise KnowledgeUnavailable(
        f"documents changed faster than they were brought over, {_ROUNDS} times; let the ingestion end first"
    )


async def _bring(
    mover: Mover, collection: str, embedder: Embedder, missing: Sequence[Held], report: Progress
) -> int:
    """Embeds and writes versions; how many chunks."""
    total, done = sum(held.chunks for held in missing), 0
    for held in missing:
        for first in range(0, held.chunks, _BATCH):
            payloads = await mover.payloads(held, first, _BATCH)
            for batch in batches(await _points(embedder, held, payloads)):
                await mover.put(collection, embedder.profile, held, batch)
            done += len(payloads)
            report(done, total)
        # One that was replaced while it was read is not whole; the next round brings what took its place.
        with suppress(KnowledgeUnavailable):
            await mover.end(collection, embedder.profile, held)
    return done


async def _points(embedder: Embedder, held: Held, payloads: Sequence[dict[str, Any]]) -> list[Put]:
    texts = [searchable(payload) for payload in payloads]
    vectors = await embedder.documents(texts, [str(payload["parent_text"]) for payload in payloads])
    return [
        Put(point_name(held.version, payload["chunk_id"]), of_it, payload)
        for payload, of_it in zip(payloads, vectors, strict=True)
    ]


async def _samples_found(mover: Mover, collection: str, profile: Profile) -> int:
    samples = await mover.samples()
    found = sum([await mover.finds(collection, profile, held) for held in samples])
    if found < _ENOUGH * len(samples):
        raise KnowledgeUnavailable(
            f"in {collection!r} only {found} of {len(samples)} sample chunks are found by their own text;"
            " the current collection stays"
        )
    return found
