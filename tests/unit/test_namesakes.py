"""Which documents of one name are one document."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.namesakes import namesakes
from ingestion.record import document_id_of
from ingestion.report import StoredDocument
from ingestion.sources.locate import Rules

pytestmark = pytest.mark.anyio


def stored(source: str, digest: str = "d") -> StoredDocument:
    """A document of the name in question."""
    id = document_id_of(source)
    return StoredDocument("p.md", id, "v", None, 1, 1, {}, source=source, digest=digest)


async def moved_from(*others: StoredDocument, rules: Rules | None = None) -> str:
    """Where a new document with the digest `d` was before."""
    found = await namesakes(others, document_id_of("file:///new"), "d", rules or Rules())
    assert found.others == [other.source for other in others if other.source != found.moved_from]
    return found.moved_from


async def test_what_has_moved(tmp_path: Path) -> None:
    """The same bytes from a file that is gone; not of a URL, of other bytes, or where something is still."""
    there, gone = tmp_path / "there.md", (tmp_path / "gone.md").as_uri()
    there.touch()
    assert await moved_from(stored(gone)) == gone
    assert await moved_from(stored(there.as_uri()), stored(gone)) == gone
    assert await moved_from(stored(gone), stored((tmp_path / "gone too.md").as_uri())) == gone
    for other in (
        stored(gone, "e"),
        stored(there.as_uri()),
        stored(tmp_path.as_uri()),
        stored("https://h/p.md"),
    ):
        assert await moved_from(other) == "", other


async def test_a_client_moves_only_what_it_may_read(tmp_path: Path) -> None:
    """What it cannot see is not gone: else it could ask which files there are, and take documents over."""
    inside, outside = (tmp_path / name / "gone.md" for name in ("open", "closed"))
    rules = Rules(roots=[tmp_path / "open"])
    assert await moved_from(stored(inside.as_uri()), rules=rules) == inside.as_uri()
    assert await moved_from(stored(outside.as_uri()), rules=rules) == ""


async def test_a_document_is_not_its_own_namesake(tmp_path: Path) -> None:
    """Its own last version has its name, and with many of one name only some are told."""
    new = stored("file:///new")
    many = [stored(f"https://h/{number}") for number in range(30)]
    found = await namesakes([new, *many], new.document_id, "", Rules())
    assert found.moved_from == "" and found.others == [other.source for other in many[:10]]
