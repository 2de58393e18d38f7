"""The cache of vectors in a real file: what it spares and forgets, and that it never stands in the way."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import anyio
import numpy as np
import pytest

from ingestion.embedders.cache import Cached
from ingestion.vectors import Profile, Space, Sparse, Vectors
from runtime.errors import KnowledgeUnavailable

pytestmark = pytest.mark.anyio

SIZE = 256
BYTES = 1_000_000


class Counted:
    """An embedder that remembers what it was asked for; rows and weights depend on the text and the name."""

    def __init__(self, name: str = "counted") -> None:
        self.profile = Profile(name, {"dense": Space("dense", SIZE), "words": Space("sparse")})
        self.asked: list[str] = []
        self.fails = False

    async def documents(self, texts: Sequence[str], around: Sequence[str] = ()) -> list[Vectors]:
        if self.fails:
            raise KnowledgeUnavailable("down")
        self.asked += texts
        return [self._vectors(text) for text in texts]

    async def query(self, text: str) -> Vectors:
        (vectors,) = await self.documents([text])
        return vectors

    def _vectors(self, text: str) -> Vectors:
        seed = np.random.default_rng([*self.profile.name.encode(), *text.encode()])
        row = seed.normal(size=SIZE).astype(np.float32)
        return {"dense": row / np.linalg.norm(row), "words": Sparse([len(text)], [0.5])}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "vectors.sqlite"


def raw(vectors: Sequence[Vectors]) -> list[tuple[bytes, object]]:
    return [(np.asarray(each["dense"]).tobytes(), each["words"]) for each in vectors]


async def test_a_text_is_embedded_once(path: Path) -> None:
    """An unchanged paragraph of a new version costs nothing, in this process and in the next."""
    embedder = Counted()
    cached = Cached(embedder, path, BYTES)
    first = await cached.documents(["a", "b", "a"])
    assert embedder.asked == ["a", "b"] and cached.profile == embedder.profile
    later = Cached(embedder, path, BYTES)
    again = await later.documents(["b", "c", "a"])
    assert embedder.asked == ["a", "b", "c"]
    assert raw([first[1], first[0]]) == raw([again[0], again[2]])
    assert await later.documents([]) == []


async def test_another_profile_is_another_text(path: Path) -> None:
    """Models that share a file never get each other's vectors."""
    one, other = Counted("one"), Counted("other")
    await Cached(one, path, BYTES).documents(["a"])
    made = await Cached(other, path, BYTES).documents(["a"])
    assert other.asked == ["a"] and raw(made) == raw(await other.documents(["a"]))


async def test_queries_are_remembered_in_memory(path: Path) -> None:
    """The same question again costs nothing; the oldest of too many is forgotten, and none goes to disk."""
    embedder = Counted()
    cached = Cached(embedder, path, BYTES)
    assert await cached.query("a") is await cached.query("a")
    for i in range(300):
        await cached.query(f"question {i}")
    embedder.asked.clear()
    await cached.query("question 299")
    assert embedder.asked == []
    await cached.query("a")
    assert embedder.asked == ["a"] and not path.exists()


async def test_a_failure_is_not_remembered(path: Path) -> None:
    """What could not be embedded is asked for again."""
    embedder = Counted()
    cached = Cached(embedder, path, BYTES)
    embedder.fails = True
    for call in (cached.documents(["a"]), cached.query("a")):
        with pytest.raises(KnowledgeUnavailable):
            await call
    embedder.fails = False
    assert await cached.query("a") and await cached.documents(["a"])


async def test_the_file_is_bounded_and_forgets_what_was_used_longest_ago(path: Path) -> None:
    """Years of documents fit into the bytes allowed, and what is still in use stays."""
    embedder = Counted()
    cached = Cached(embedder, path, BYTES)
    for batch in range(40):
        await cached.documents(["in use", *(f"{batch}/{i}" for i in range(40))])
    assert path.stat().st_size <= BYTES
    embedder.asked.clear()
    await cached.documents(["in use", "39/0", "0/0"])
    assert embedder.asked == ["0/0"]


async def test_what_does_not_fit_at_all_is_not_kept(path: Path) -> None:
    """A huge batch neither bursts the file nor empties it."""
    embedder = Counted()
    cached = Cached(embedder, path, 200_000)
    await cached.documents(["small"])
    await cached.documents([f"text {i}" for i in range(200)])
    embedder.asked.clear()
    await cached.documents(["small"])
    assert embedder.asked == [] and path.stat().st_size <= 200_000


async def test_damaged_rows_are_made_again(path: Path) -> None:
    """A flipped byte on disk costs one embedding; it never becomes a vector."""
    embedder = Counted()
    cached = Cached(embedder, path, BYTES)
    whole = await cached.documents(["a", "b"])
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        key, data = db.execute("SELECT key, data FROM kept LIMIT 1").fetchone()
        damaged = bytearray(data)
        damaged[len(data) // 2] ^= 1
        db.execute("UPDATE kept SET data = ? WHERE key = ?", (bytes(damaged), key))
    for expected in (3, 3):
        assert raw(await cached.documents(["a", "b"])) == raw(whole)
        assert len(embedder.asked) == expected


async def test_a_file_that_is_no_database_is_begun_anew(path: Path) -> None:
    """Rubbish in its place costs what was kept, not every document from then on."""
    embedder = Counted()
    cached = Cached(embedder, path, BYTES)
    path.parent.mkdir()
    path.write_bytes(b"rubbish" * 1_000)
    for _ in range(3):
        await cached.documents(["a"])
    assert len(embedder.asked) < 3


async def test_a_place_that_cannot_be_written_costs_the_memory_alone(tmp_path: Path) -> None:
    """A full or forbidden disk does not stop ingestion."""
    (tmp_path / "file").touch()
    embedder = Counted()
    cached = Cached(embedder, tmp_path / "file" / "vectors.sqlite", BYTES)
    assert await cached.documents(["a"]) and await cached.documents(["a"])
    assert embedder.asked == ["a", "a"]


async def test_several_processes_share_it(path: Path) -> None:
    """Workers that write the same file at once lose nothing and find each other's work."""
    program = """
import sys
from pathlib import Path
import anyio
from tests.integration.test_embed_cache import BYTES, Counted
from ingestion.embedders.cache import Cached

async def work(path, name):
    cached = Cached(Counted(), Path(path), BYTES)
    for i in range(20):
        await cached.documents([f"{name}/{i}", f"shared/{i}"])

anyio.run(work, *sys.argv[1:])
"""
    running = [subprocess.Popen([sys.executable, "-c", program, str(path), name]) for name in "abc"]
    for process in running:
        assert await anyio.to_thread.run_sync(process.wait) == 0
    embedder = Counted()
    texts = [f"{name}/{i}" for name in ("a", "b", "c", "shared") for i in range(20)]
    made = await Cached(embedder, path, BYTES).documents(texts)
    assert embedder.asked == []
    assert raw(made) == raw(await Counted().documents(texts))
