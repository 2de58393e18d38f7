"""A document is known by the place it comes from; its name is for people."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from compose import Installation
from runtime.errors import DocumentMissing, InvalidInput
from terminal.documents import find
from terminal.ingest_table import remarks
from tests.ingesting import COMMAND, ENGINEER, found, id_of, ingested, open_working, started

pytestmark = pytest.mark.anyio


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Installation]:
    """An installation of its own, whose clients may read the test's folder."""
    async with open_working(tmp_path / "data", ingest_roots=str(tmp_path)) as opened:
        yield opened


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


async def names(place: Installation) -> list[str]:
    return [document.document for document in await place.knowledge.current.documents("acme")]


async def test_two_folders_with_a_file_of_one_name(place: Installation, tmp_path: Path) -> None:
    """Both stay, also with the same bytes, and it is said; each is found, changed and forgotten by itself."""
    a, b = (write(tmp_path / folder / "terms.md", "Thirty days.") for folder in "ab")
    assert (await ingested(place, a))["terms.md"].namesakes == []
    second = (await ingested(place, b))["terms.md"]
    assert second.status == "ingested" and second.namesakes == [a.as_uri()]
    assert not second.moved_from and await names(place) == ["terms.md", "terms.md"]
    said = [str(remark) for remark in remarks([second])]
    assert said == [f"terms.md: another document of this name is from {a}"]
    write(b, "Ten days.")
    assert (await ingested(place, b))["terms.md"].namesakes == [a.as_uri()]
    assert await found(place, "thirty") == ["Thirty days."] and await found(place, "ten") == ["Ten days."]
    knowledge = place.knowledge.current
    with pytest.raises(InvalidInput, match="is the name of 2 documents") as raised:
        await find(knowledge, "acme", "terms.md")
    assert str(a) in str(raised.value) and str(b) in str(raised.value)
    for named in (str(a), a.as_uri(), str(tmp_path / "b" / ".." / "a" / "terms.md")):
        assert (await find(knowledge, "acme", named)).source == a.as_uri()
    with pytest.raises(DocumentMissing):
        await find(knowledge, "other", str(a))
    await knowledge.remove("acme", id_of(a))
    assert (await find(knowledge, "acme", "terms.md")).source == b.as_uri()


async def test_one_place_named_in_many_ways(place: Installation, tmp_path: Path) -> None:
    """By itself, with its folder, a glob, a URI or through a link: one document, which is not read again."""
    path = write(tmp_path / "kb" / "a" / "terms.md", "Thirty days.")
    write(tmp_path / "kb" / "b" / "terms.md", "Ten days.")
    (tmp_path / "link.md").symlink_to(path)
    assert (await ingested(place, path))["terms.md"].status == "ingested"
    ways = [str(tmp_path / "kb" / "a"), f"{tmp_path}/kb/a/*.md", path.as_uri(), str(tmp_path / "link.md")]
    for way in (*ways, os.path.relpath(path)):
        assert [o.status for o in (await ingested(place, way)).values()] == ["unchanged"], way
    assert await names(place) == ["terms.md"]
    together = await ingested(place, tmp_path / "kb")
    assert {name: o.status for name, o in together.items()} == {
        "a/terms.md": "unchanged",
        "b/terms.md": "ingested",
    }
    assert await names(place) == ["a/terms.md", "b/terms.md"], "as it was called last"
    (passage,) = await place.knowledge.current.search("acme", "thirty")
    assert passage.document == "a/terms.md" and str(tmp_path) not in repr(passage)


@pytest.mark.parametrize("keep", [False, True])
async def test_a_document_that_moved(place: Installation, tmp_path: Path, keep: bool) -> None:
    """The same name and bytes, and nothing where it was: it is there once, with the versions that it had."""
    old = write(tmp_path / "old" / "terms.md", "Twenty days.")
    await ingested(place, old)
    write(old, "Thirty days.")
    await ingested(place, old, keep_versions=True)
    new = tmp_path / "new" / "terms.md"
    new.parent.mkdir()
    shutil.move(old, new)
    moved = (await ingested(place, new, keep_versions=keep))["terms.md"]
    assert (moved.status, moved.moved_from, moved.namesakes) == ("ingested", old.as_uri(), [])
    knowledge = place.knowledge.current
    assert [document.source for document in await knowledge.documents("acme")] == [new.as_uri()]
    assert await found(place, "days") == ["Thirty days."]
    assert len(await knowledge.versions("acme", id_of(new))) == (2 if keep else 1)
    assert await knowledge.versions("acme", id_of(old)) == []
    again = (await ingested(place, new))["terms.md"]
    assert (again.status, again.moved_from) == ("unchanged", "")


async def test_what_has_not_moved(place: Installation, tmp_path: Path) -> None:
    """Other bytes, or a tenant's of another: both stay, though one file is gone."""
    old = write(tmp_path / "old" / "terms.md", "Thirty days.")
    await ingested(place, old)
    old.unlink()
    new = write(tmp_path / "new" / "terms.md", "Ten days.")
    other = (await ingested(place, new))["terms.md"]
    assert other.moved_from == "" and other.namesakes == [old.as_uri()]
    assert len(await names(place)) == 2


async def test_a_client_is_told_no_places(place: Installation, tmp_path: Path) -> None:
    """Where the machine's own documents are; and what it calls a document takes nobody's place."""
    hidden = write(tmp_path / "own" / "terms.md", "Thirty days.")
    mine = write(tmp_path / "open" / "terms.md", "Ten days.")
    await ingested(place, hidden)
    client = await started(place, ENGINEER, source=str(mine), name="terms.md")
    assert client["status"] == "ingested" and client["namesakes"] == []
    assert str(hidden) not in str(client)
    assert await found(place, "thirty") == ["Thirty days."]
    own = await started(place, COMMAND, "own", source=str(mine))
    assert own["namesakes"] == [hidden.as_uri()]
    assert await place.knowledge.current.documents("other") == []
