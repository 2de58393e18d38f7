"""An embedder that remembers: documents' vectors in a file, the last queries' in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from sqlite3 import Error

import structlog
from anyio import CapacityLimiter, to_thread
from pydantic import TypeAdapter

from ingestion.embed import Embedder
from ingestion.embedders.kept import Kept
from ingestion.embedders.packed import pack, unpack
from ingestion.language import language_of
from ingestion.vectors import Profile, Vectors
from runtime.errors import ProfileMismatch

_PROFILE = TypeAdapter(Profile)
_QUERIES = 256
"""Of 32 tokens with ColBERT they are 32 MB."""

log = structlog.get_logger()


class Cached:
    """An `Embedder` that asks another only for what it does not know.

    A text is known by its content and the profile, name and spaces: whoever puts other weights under the same
    name gets the old vectors. Damaged rows count as not there, and a file that cannot be used costs
    the memory alone, not the embedding.
    """

    def __init__(self, embedder: Embedder, path: Path, max_bytes: int) -> None:
        """`path` is a file, which several processes may share; `max_bytes` bounds it."""
        self.profile = embedder.profile
        self._embedder = embedder
        self._kept = Kept(path, max_bytes)
        self._thread = CapacityLimiter(1)
        self._salt = blake2b(_PROFILE.dump_json(self.profile)).digest()
        self._queries: OrderedDict[str, Vectors] = OrderedDict()

    async def documents(self, texts: Sequence[str], around: Sequence[str] = ()) -> list[Vectors]:
        keys = [self._key(text) for text in texts]
        known = await to_thread.run_sync(self._read, list(dict.fromkeys(keys)), limiter=self._thread)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            made = await self._embedder.documents(list(missing.values()))
            new = dict(zip(missing, made, strict=True))
            await to_thread.run_sync(self._write, new, limiter=self._thread)
            known |= new
        return [known[key] for key in keys]

    async def query(self, text: str) -> Vectors:
        # anyio's lru_cache was read: at its limit it drops an entry whose value others still wait for.
        if text in self._queries:
            self._queries.move_to_end(text)
            return self._queries[text]
        vectors = await self._embedder.query(text)
        if self._is_whole(text, vectors):
            self._queries[text] = vectors
            if len(self._queries) > _QUERIES:
                self._queries.popitem(last=False)
        return vectors

    def _is_whole(self, text: str, vectors: Vectors) -> bool:
        """Whether no part has failed: else the words alone would be searched by long after it is back."""
        language = language_of(text)
        wanted = {name for name, space in self.profile.spaces.items() if space.speaks(language)}
        return wanted <= vectors.keys()

    def _key(self, text: str) -> bytes:
        return blake2b(text.encode(), key=self._salt, digest_size=16).digest()

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, Vectors]:
        try:
            rows = self._kept.read(keys)
        except (Error, OSError) as exc:
            log.warning("vector_cache.unreadable", error=repr(exc))
            return {}
        whole = ((key, self._unpacked(data)) for key, data in rows.items())
        return {key: vectors for key, vectors in whole if vectors is not None}

    def _unpacked(self, data: bytes) -> Vectors | None:
        try:
            vectors = unpack(data)
            self.profile.check(vectors)
        except (ValueError, ProfileMismatch):
            return None
        return vectors

    def _write(self, new: Mapping[bytes, Vectors]) -> None:
        try:
            self._kept.write({key: pack(vectors) for key, vectors in new.items()})
        except (Error, OSError) as exc:
            log.warning("vector_cache.unwritable", error=repr(exc))
