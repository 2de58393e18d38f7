"""Backups of the index, checked by restoring them."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from ingestion.collection import original_name
from ingestion.embedders.configured import Embedders
from ingestion.knowledge import Knowledge
from ingestion.record import document_id_of
from runtime.errors import InvalidInput, KnowledgeUnavailable, ProfileMismatch
from tests.embedders import Hashed
from tests.knowledge import HERE, open_bm25, points_of, put, written

pytestmark = pytest.mark.anyio


@pytest.fixture
async def knowledge(tmp_path: Path) -> AsyncIterator[Knowledge]:
    async with open_bm25(tmp_path / "data") as opened:
        for number in range(12):
            tenant = ("acme", "other")[number % 2]
            await put(opened, tenant, written(f"{number}.md", f"Part {number} costs {number + 100}."))
        await put(opened, "acme", written("0.md", "Part 0 costs 99."), keep=True)
        await opened.stage(
            "acme", "half", await points_of(written("h.md", "Half."), "half"), writer="a", collection=HERE
        )
        yield opened


async def test_what_was_is_there_again(tmp_path: Path, knowledge: Knowledge) -> None:
    """Documents, kept versions and what nobody may see yet are as they were; what came later is not."""

    async def seen() -> object:
        return await knowledge.documents("acme"), await knowledge.search("acme", "part costs", limit=9)

    before = await seen()
    made = await knowledge.backup(str(tmp_path / "b"))
    assert made.points == {"acme": 8, "other": 6} and made.collection == HERE
    await knowledge.remove("acme", document_id_of("2.md"))
    await put(knowledge, "acme", written("later.md", "Part later costs much."))
    await knowledge.recover(str(tmp_path / "b"))
    assert (
        await knowledge.documents("acme"),
        await knowledge.search("acme", "part costs", limit=9),
    ) == before
    assert len(await knowledge.versions("acme", document_id_of("0.md"))) == 2
    assert await knowledge.search("acme", "half") == []
    current = await knowledge.collection()
    assert current != HERE and original_name(current) == HERE
    await knowledge.use(HERE)
    assert await knowledge.search("acme", "later")
    await knowledge.drop(current)
    assert (await knowledge.stats("acme")).collections == (HERE,)


async def test_it_can_be_restored_elsewhere_and_again(tmp_path: Path, knowledge: Knowledge) -> None:
    """Another machine's index takes it; a backup is not used up by being restored, and lasts."""
    await knowledge.backup(str(tmp_path / "b"))
    async with open_bm25(tmp_path / "elsewhere") as there:
        for _ in range(2):
            await there.recover(str(tmp_path / "b"))
            assert await there.documents("other") == await knowledge.documents("other")
    async with open_bm25(tmp_path / "elsewhere") as there:
        assert await there.documents("acme") == await knowledge.documents("acme")


async def test_a_copy_is_of_one_moment(tmp_path: Path, knowledge: Knowledge) -> None:
    """Whatever is ingested while it is made, every document in it is whole."""
    stop = anyio.Event()

    async def change() -> None:
        for number in range(400):
            if stop.is_set():
                return
            await put(knowledge, "acme", written("2.md", f"Part {number}.", "# Terms", f"Days: {number}."))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(change)
        for number in range(3):
            await knowledge.backup(str(tmp_path / f"b{number}"))
        stop.set()
    async with open_bm25(tmp_path / "elsewhere") as there:
        for number in range(3):
            await there.recover(str(tmp_path / f"b{number}"))
            for document in await there.documents("acme"):
                assert await there.count("acme", document.version) == document.chunks
            assert len(await there.documents("acme")) == 6


async def test_what_is_no_backup_is_refused(tmp_path: Path, knowledge: Knowledge) -> None:
    """The message names the folder; the current collection stays, and nothing half is left."""
    target = tmp_path / "b"
    await knowledge.backup(str(target))
    with pytest.raises(InvalidInput, match="is there already"):
        await knowledge.backup(str(target))
    with pytest.raises(InvalidInput, match="cannot be written"):
        await knowledge.backup("/proc/b")
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(InvalidInput, match="no whole backup"):
            await knowledge.recover(str(folder))
    segment = next((target / "collection" / "segments").iterdir())
    shutil.rmtree(segment)
    with pytest.raises(KnowledgeUnavailable):
        await knowledge.recover(str(target))
    assert await knowledge.collection() == HERE
    assert (await knowledge.stats("acme")).collections == (HERE,)


async def test_a_backup_of_vectors_that_nobody_makes(tmp_path: Path, knowledge: Knowledge) -> None:
    """It is refused before it is current, since nothing could be searched in it."""
    await knowledge.backup(str(tmp_path / "b"))
    knowledge.embedders = Embedders({"hashed": Hashed()}, "hashed")
    with pytest.raises(ProfileMismatch):
        await knowledge.recover(str(tmp_path / "b"))
    assert await knowledge.collection() == HERE
