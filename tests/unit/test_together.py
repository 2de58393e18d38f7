"""A query is embedded by those of several embedders that can; documents by all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from ingestion.embedders.bm25 import Bm25Embedder
from ingestion.embedders.cache import Cached
from ingestion.embedders.together import Together
from ingestion.vectors import Profile, Space, Vectors
from runtime.errors import KnowledgeUnavailable, ProfileMismatch

pytestmark = pytest.mark.anyio

ENGLISH, CHINESE = "What is the price of the Team plan?", "企业版的价格是多少？"


class Part:
    """An embedder of one dense float that fails with `error` while it has one."""

    def __init__(self, name: str, *languages: str) -> None:
        self.profile = Profile(name, {name: Space("dense", 1, languages=languages)})
        self.error: Exception | None = None
        self.asked: list[str] = []
        self._name = name

    async def documents(self, texts: Sequence[str], around: Sequence[str] = ()) -> list[Vectors]:
        self.asked += texts
        if self.error:
            raise self.error
        return [{self._name: np.array([1], np.float32)} for _ in texts]

    async def query(self, text: str) -> Vectors:
        (vectors,) = await self.documents([text])
        return vectors


async def test_a_part_that_does_not_speak_the_language_is_not_asked() -> None:
    """A Chinese question costs no call to a model of English, and does not fail with it."""
    part = Part("dense", "en")
    both = Together(part, Bm25Embedder())
    part.error = KnowledgeUnavailable("down")
    assert set(await both.query(CHINESE)) == {"words"} and part.asked == []
    part.error = None
    assert set(await both.query(ENGLISH)) == {"dense", "words"}
    for unknown in ("", "1234", "가격은 얼마입니까"):
        assert "dense" in await both.query(unknown)


async def test_documents_are_embedded_by_all_whatever_their_language() -> None:
    """A collection holds whole profiles: a point without one of its vectors would be refused."""
    part = Part("dense", "en")
    both = Together(part, Bm25Embedder())
    (made,) = await both.documents([CHINESE])
    both.profile.check(made)
    part.error = KnowledgeUnavailable("down")
    with pytest.raises(KnowledgeUnavailable, match="down"):
        await both.documents([ENGLISH])


async def test_a_part_that_fails_is_left_out_of_a_query() -> None:
    """With the embedding endpoint down a rep is still answered, by words."""
    part = Part("dense")
    both = Together(part, Bm25Embedder())
    part.error = KnowledgeUnavailable("down")
    assert set(await both.query(ENGLISH)) == {"words"}
    part.error = None
    assert set(await both.query(ENGLISH)) == {"dense", "words"}


async def test_when_all_fail_the_first_error_is_told() -> None:
    """Nothing to search by is no empty result."""
    one, other = Part("one"), Part("other")
    one.error, other.error = KnowledgeUnavailable("one is down"), KnowledgeUnavailable("other is down")
    with pytest.raises(KnowledgeUnavailable, match="one is down"):
        await Together(one, other).query(ENGLISH)


async def test_another_error_is_not_hidden() -> None:
    """A model that answers in another size is set up wrongly, and stays so."""
    part = Part("dense")
    part.error = ProfileMismatch("another size")
    with pytest.raises(ProfileMismatch):
        await Together(part, Bm25Embedder()).query(ENGLISH)


async def test_health_is_told_when_it_changes() -> None:
    """An outage of an hour is two lines, by name, without what was asked."""
    part = Part("dense")
    both = Together(part, Bm25Embedder())
    with capture_logs() as logs:
        for error in (None, KnowledgeUnavailable("x"), KnowledgeUnavailable("x"), None, None):
            part.error = error
            await both.query(ENGLISH)
    assert logs == [
        {"event": "embedder.left_out", "embedder": "dense", "log_level": "warning"},
        {"event": "embedder.back", "embedder": "dense", "log_level": "info"},
    ]


async def test_a_query_without_a_part_is_not_remembered(tmp_path: Path) -> None:
    """A question asked during an outage is searched by all vectors again when it is over."""
    part = Part("dense", "en")
    cached = Cached(Together(part, Bm25Embedder()), tmp_path / "vectors.sqlite", 1_000_000)
    part.error = KnowledgeUnavailable("down")
    assert set(await cached.query(ENGLISH)) == {"words"}
    part.error = None
    assert set(await cached.query(ENGLISH)) == {"dense", "words"}
    part.error = KnowledgeUnavailable("down")
    assert set(await cached.query(ENGLISH)) == {"dense", "words"}


async def test_a_query_in_a_language_of_one_part_is_remembered(tmp_path: Path) -> None:
    """What a part that does not speak it would make is not missing."""
    cached = Cached(Together(Part("dense", "en"), Bm25Embedder()), tmp_path / "vectors.sqlite", 1_000_000)
    assert await cached.query(CHINESE) is await cached.query(CHINESE)
