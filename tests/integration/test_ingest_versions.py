"""`cornerman versions`, `restore` and `forget` as their users run them."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest

from tests.in_process import call
from tests.ingesting import ingested, open_working

pytestmark = pytest.mark.anyio


async def ingest_thrice(data: Path, path: Path) -> None:
    """For the local user, with other bytes each time."""
    async with open_working(data) as place:
        for price in (39, 41, 43):
            path.write_text(f"Seats cost {price}.")
            await ingested(place, path, tenant="local", keep_versions=True)


def test_a_version_that_was_kept_comes_back(tmp_path: Path) -> None:
    """It is listed with its time and figures; the one it replaces is kept; what is no version is named."""
    data, path = tmp_path / "data", tmp_path / "p.md"
    anyio.run(ingest_thrice, data, path)
    listed = json.loads(call(data, "versions", "--json", "p.md").stdout)
    versions = listed["versions"]
    assert (listed["document"], listed["place"]) == ("p.md", path.as_uri())
    assert [version["status"] for version in versions] == ["kept", "kept", "current"]
    assert all(v["chunks"] and v["tokens"] and v["ingested_at"].endswith("+00:00") for v in versions)
    first = versions[0]["version"][:8]
    restored = call(data, "restore", str(path), first)
    assert restored.returncode == 0 and first in restored.stdout
    rows = [line for line in call(data, "versions", "p.md").stdout.splitlines() if "│" in line]
    assert ["current" in row for row in rows] == [True, False, False] and first in rows[0]
    for wrong, said in (
        (first, "is the current one"),
        ("", "stands for 0"),
        ("xyz", "stands for 0 versions"),
    ):
        done = call(data, "restore", "p.md", wrong)
        assert done.returncode == 1 and said in done.stderr and versions[1]["version"][:8] in done.stderr
    unknown = call(data, "versions", "q.md")
    assert unknown.returncode == 1 and "DOCUMENT_MISSING" in unknown.stderr
    # The file is what counts when it is read again.
    assert "ingested" in call(data, "ingest", str(path)).stdout
    assert len(json.loads(call(data, "versions", "--json", "p.md").stdout)["versions"]) == 1


def test_documents_of_one_name(tmp_path: Path) -> None:
    """Nothing is forgotten by a name that two have; by its place one is, and then the name is enough."""
    data = tmp_path / "data"
    for folder in "ab":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "terms.md").write_text(f"Terms of {folder}.")
        done = call(data, "ingest", str(tmp_path / folder))
    assert f"another document of this name is from {tmp_path}/a/terms.md" in done.stdout
    both = call(data, "forget", "terms.md")
    said = " ".join(both.stderr.split())
    assert both.returncode == 1 and f"{tmp_path}/a/terms.md, {tmp_path}/b/terms.md" in said
    assert "terms.md is forgotten" in call(data, "forget", str(tmp_path / "a" / "terms.md")).stdout
    assert "terms.md is forgotten" in call(data, "forget", "terms.md").stdout
    assert call(data, "forget", "terms.md").returncode == 1


async def test_an_unchanged_document_keeps_its_time(tmp_path: Path) -> None:
    """The time is when its version was made, not when somebody last looked."""
    path = tmp_path / "p.md"
    path.write_text("Seats cost 39.")
    async with open_working(tmp_path / "data") as place:
        times = []
        for _ in range(2):
            await ingested(place, path)
            times += [document.ingested_at for document in await place.knowledge.current.documents("acme")]
        assert times[0] == times[1] != ""
