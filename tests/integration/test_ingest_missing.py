"""Documents that are no longer there, and those whose place only does not answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from anyio.abc import SocketStream

from compose import Installation
from ingestion.sources.fetch import Remote
from terminal.ingest_missing import without_missing
from terminal.ingest_runs import Outcome
from tests.ingesting import found, ingested, open_working
from tests.site import Site, reply, serving

pytestmark = pytest.mark.anyio


class Pages:
    """What the site answers, which tests change."""

    def __init__(self) -> None:
        self.answers = {"/p.md": reply("200 OK", b"Seats cost 39.")}

    async def __call__(self, stream: SocketStream, path: str) -> None:
        await stream.send(self.answers[path])


@asynccontextmanager
async def open_site(data_dir: Path, pages: Pages) -> AsyncIterator[tuple[Installation, str]]:
    """An installation that may fetch from the site, and the URL of its document."""
    async with serving(pages) as site, open_working(data_dir, ingest_hosts=_host(site)) as place:
        yield place, f"http://{_host(site)}/p.md"


def _host(site: Site) -> str:
    return f"127.0.0.1:{site.port}"


async def test_a_document_of_the_web(tmp_path: Path) -> None:
    """Fetched once for all its steps, and kept between them in no place but its own."""
    asked: list[str] = []

    async def answer(stream: SocketStream, path: str) -> None:
        asked.append(path)
        await stream.send(reply("200 OK", b"Seats cost 39."))

    async with serving(answer) as site, open_working(tmp_path, ingest_hosts=_host(site)) as place:
        url = f"http://{_host(site)}/p.md?v=1#prices"
        outcome = (await ingested(place, url))["p.md?v=1"]
        assert (outcome.status, outcome.place) == ("ingested", url.removesuffix("#prices"))
        assert asked == ["/p.md?v=1"] and await found(place, "seats") == ["Seats cost 39."]
        assert list((tmp_path / "ingest").glob("*")) == []
        assert (await ingested(place, url))["p.md?v=1"].status == "unchanged"


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
async def test_a_url_that_is_gone(tmp_path: Path, status: str) -> None:
    """By the server's own word the document leaves the knowledge, unless it is to stay."""
    pages = Pages()
    async with open_site(tmp_path, pages) as (place, url):
        await ingested(place, url)
        pages.answers["/p.md"] = reply(status)
        kept = (await ingested(place, url, keep_missing=True))["p.md"]
        assert (kept.status, kept.code) == ("refused", "DOCUMENT_MISSING")
        assert await found(place, "seats") == ["Seats cost 39."]
        gone = (await ingested(place, url))["p.md"]
        assert (gone.status, gone.code) == ("removed", "") and status[:3] in gone.reason
        assert await found(place, "seats") == []
        assert (await ingested(place, url))["p.md"].status == "refused"


async def test_a_url_that_is_back(tmp_path: Path) -> None:
    """What its last run found says nothing of this one: the document is read, and stays."""
    pages = Pages()
    async with open_site(tmp_path, pages) as (place, url):
        page, pages.answers["/p.md"] = pages.answers["/p.md"], reply("404 Not Found")
        assert (await ingested(place, url))["p.md"].code == "DOCUMENT_MISSING"
        pages.answers["/p.md"] = page
        back = (await ingested(place, url))["p.md"]
        assert (back.status, back.code, back.reason, back.chunks) == ("ingested", "", "", 1)
        assert await found(place, "seats") == ["Seats cost 39."]
        pages.answers["/p.md"] = reply("403 Forbidden")
        refused = (await ingested(place, url))["p.md"]
        assert (refused.status, refused.chunks, refused.tokens) == ("refused", 0, 0)


async def test_a_url_is_no_folder(tmp_path: Path) -> None:
    """A site's home page takes out nothing that was named below it."""
    pages = Pages()
    async with open_site(tmp_path, pages) as (place, url):
        await ingested(place, url)
        pages.answers["/"] = reply("200 OK", b"Welcome home.")
        outcomes = await ingested(place, url.removesuffix("p.md"))
        assert [outcome.status for outcome in outcomes.values()] == ["ingested"]
        assert await found(place, "seats") == ["Seats cost 39."]


async def test_a_url_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage, a login page or a server that is off takes nothing out."""
    monkeypatch.setattr("ingestion.opening.Remote", partial(Remote, pauses_s=(0, 0)))
    pages = Pages()
    async with open_site(tmp_path, pages) as (place, url):
        await ingested(place, url)
        for answer in (reply("503 Service Unavailable"), reply("403 Forbidden"), b""):
            pages.answers["/p.md"] = answer
            assert (await ingested(place, url))["p.md"].status in ("failed", "refused"), answer
            assert await found(place, "seats") == ["Seats cost 39."]
    async with open_working(tmp_path, ingest_hosts=url[7:-5]) as place:
        assert (await ingested(place, url))["p.md"].status == "failed"
        assert await found(place, "seats") == ["Seats cost 39."]


async def test_a_file_that_is_gone(tmp_path: Path) -> None:
    """Named itself, it leaves like one of a folder; a folder that is gone may only be unmounted."""
    folder = tmp_path / "kb"
    folder.mkdir()
    for name in ("a.md", "b.md", "c.md"):
        (folder / name).write_text(f"Text of {name[0]}.")
    async with open_working(tmp_path / "data") as place:
        await ingested(place, folder)
        (folder / "a.md").unlink()
        kept = await ingested(place, folder / "a.md", folder / "nowhere.md", keep_missing=True)
        assert {outcome.status for outcome in kept.values()} == {"refused"}
        gone = await ingested(place, folder / "a.md", folder / "nowhere.md")
        assert {o.document: o.status for o in gone.values()} == {
            "a.md": "removed",
            str(folder / "nowhere.md"): "refused",
        }
        for name in ("b.md", "c.md"):
            (folder / name).unlink()
        folder.rmdir()
        outcomes = await ingested(place, folder)
        assert [o.code for o in outcomes.values()] == ["DOCUMENT_MISSING"]
        left = [document.document for document in await place.knowledge.current.documents("acme")]
        assert left == ["b.md", "c.md"]


async def test_a_file_that_only_the_worker_misses(tmp_path: Path) -> None:
    """A worker that does not see a folder of this machine takes nothing out of the knowledge."""
    path = tmp_path / "a.md"
    path.write_text("Open.")
    async with open_working(tmp_path / "data") as place:
        await ingested(place, path)
        missed = Outcome("a.md", "refused", path.as_uri(), code="DOCUMENT_MISSING")
        told = await without_missing(place.knowledge.current, "acme", [], [missed])
        assert told == [missed] and await found(place, "open") == ["Open."]


async def test_what_a_folder_does_not_show_is_there_nevertheless(tmp_path: Path) -> None:
    """A hidden file and one behind a link, named themselves, stay when their folder is read."""
    folder, elsewhere = tmp_path / "kb", tmp_path / "elsewhere"
    for one in (folder, elsewhere):
        one.mkdir()
    (folder / "a.md").write_text("Open.")
    (folder / ".draft.md").write_text("Draft.")
    (elsewhere / "b.md").write_text("Linked.")
    (folder / "link").symlink_to(elsewhere)
    async with open_working(tmp_path / "data") as place:
        await ingested(place, folder / ".draft.md", folder / "link")
        assert set(await ingested(place, folder)) == {"a.md"}
        assert len(await place.knowledge.current.documents("acme")) == 3
