"""`cornerman search` and `cornerman index` as their users run them."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import anyio
import pytest

from tests.embeddings_server import SIZE, embeddings_server
from tests.in_process import call
from tests.ingesting import ingested, open_working

pytestmark = pytest.mark.anyio
PRICES = "# Prices\n\nThe Team plan costs 39 dollars.\n\n# 价格\n\n团队版每个席位三十九美元。\n"
TERMS = "# Terms\n\nThe Team plan is paid within thirty days.\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with two documents of the local user."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "prices.md").write_text(PRICES)
    (folder / "terms.md").write_text(TERMS)

    async def ingest() -> None:
        async with open_working(tmp_path / "data") as place:
            await ingested(place, folder / "prices.md", tenant="local", tags=["list"], date="2026-05-31")
            await ingested(place, folder / "terms.md", tenant="local", date="2025-12-31")

    anyio.run(ingest)
    return tmp_path / "data"


def documents(data: Path, *args: str) -> list[str]:
    """What a search of the command finds, best first."""
    done = call(data, "search", "Team plan", "--json", *args)
    assert done.returncode == 0, done.stderr
    return [reason["passage"]["document"] for reason in json.loads(done.stdout)["reasons"]]


def test_what_was_found_and_why(data: Path) -> None:
    """Rank and score by each vector, the place, the parent and the time are shown; JSON has all of it."""
    shown = call(data, "search", "What costs 39?")
    assert shown.returncode == 0 and "words" in shown.stdout and "prices.md, Prices" in shown.stdout
    assert "in a parent of" in shown.stdout and "Milliseconds: embed" in shown.stdout
    found = json.loads(call(data, "search", "--json", "What costs 39?").stdout)
    (best,) = found["reasons"]
    assert best["by"]["words"]["rank"] == best["fused"]["rank"] == 1 and best["again"] is None
    assert best["passage"]["quote"] in best["passage"]["text"] and best["children"] == 1
    assert set(found["ms"]) == {"embed", "words", "search"} and found["vectors"] == ["words"]
    nothing = call(data, "search", "zyxwvut")
    assert nothing.returncode == 0 and "Nothing that the query has" in nothing.stdout


def test_a_search_is_narrowed(data: Path) -> None:
    """By each filter alone and together; what is no filter is named with what is allowed."""
    assert sorted(documents(data)) == ["prices.md", "terms.md"]
    assert documents(data, "--tag", "list") == ["prices.md"] == documents(data, "--document", "prices.md")
    assert documents(data, "--since", "2026-01-01") == ["prices.md"]
    assert documents(data, "--until", "2025-12-31") == ["terms.md"]
    assert documents(data, "--tag", "list", "--until", "2025-12-31") == []
    assert documents(data, "--kind", "table") == [] and documents(data, "--language", "zh") == []
    zh = json.loads(call(data, "search", "团队版多少钱", "--json", "--language", "zh").stdout)
    assert [reason["passage"]["language"] for reason in zh["reasons"]] == ["zh"]
    for wrong in (("--since", "yesterday"), ("--since", "2026-02-01", "--until", "2026-01-01")):
        done = call(data, "search", "Team", *wrong)
        assert done.returncode == 1 and "invalid_input" in done.stderr and wrong[1] in done.stderr


def test_labels_change_without_reading_again(tmp_path: Path, data: Path) -> None:
    """Other tags on the same bytes are there at once; none named leaves them as they are."""
    path = str(tmp_path / "docs" / "terms.md")
    assert "unchanged" in call(data, "ingest", path, "--tag", "legal", "--date", "2026-06-01").stdout
    assert documents(data, "--tag", "legal", "--since", "2026-06-01") == ["terms.md"]
    assert "unchanged" in call(data, "ingest", path).stdout
    assert documents(data, "--tag", "legal", "--since", "2026-06-01", "--until", "2026-06-01") == ["terms.md"]
    refused = call(data, "ingest", path, "--date", "1.6.2026")
    assert refused.returncode == 1 and "write it as 2026-05-31" in refused.stdout.replace("\n", " ")


def test_figures_backup_and_the_way_back(tmp_path: Path, data: Path) -> None:
    """A backup is made, restored beside what is there, and what was there is used again and then dropped."""
    stats = json.loads(call(data, "index", "stats", "--json").stdout)
    assert (stats["documents"], stats["languages"]) == (2, {"en": 2, "zh": 1})
    assert call(data, "index", "backup", str(tmp_path / "b")).returncode == 0
    assert "is there already" in call(data, "index", "backup", str(tmp_path / "b")).stderr.replace("\n", " ")
    assert call(data, "forget", "terms.md").returncode == 0
    restored = call(data, "index", "restore", str(tmp_path / "b"))
    assert restored.returncode == 0 and "as of" in restored.stdout
    assert sorted(documents(data)) == ["prices.md", "terms.md"]
    for command in (["rollback"], ["migrate", "--to", "bm25"]):
        refused = call(data, "index", *command)
        assert refused.returncode == 1 and "index use" in refused.stderr.replace("\n", " "), command
    now = json.loads(call(data, "index", "stats", "--json").stdout)
    assert stats["collection"] in now["collections"] and len(now["collections"]) == 2
    assert call(data, "index", "use", stats["collection"]).returncode == 0
    assert documents(data) == ["prices.md"]
    assert call(data, "index", "drop", now["collection"]).returncode == 0
    assert call(data, "index", "drop", stats["collection"]).returncode == 1
    assert "kept collections" in call(data, "index", "stats").stdout


async def test_a_move_to_an_endpoint_and_back(data: Path) -> None:
    """The index gets dense vectors beside the words, is searched by both, and goes back by a command."""
    async with embeddings_server() as server:
        settings = {
            "CORNERMAN_EMBEDDING_BASE_URL": server.base_url,
            "CORNERMAN_EMBEDDING_SIZE": str(SIZE),
            "CORNERMAN_EMBEDDING_MODEL": "tiny",
        }
        command = partial(call, data, settings=settings)

        async def run(*args: str) -> str:
            done = await anyio.to_thread.run_sync(lambda: command(*args))
            assert done.returncode == 0, done.stderr
            return done.stdout

        assert "3 chunks of 2 versions" in await run("index", "migrate", "--to", "endpoint")
        found = json.loads(await run("search", "Team plan", "--json"))
        assert found["vectors"] == ["words", "dense"] and len(found["reasons"]) == 3
        alone = await anyio.to_thread.run_sync(partial(call, data, "search", "Team plan"))
        assert alone.returncode == 1 and "cornerman index migrate --to" in alone.stderr.replace("\n", " ")
        assert "0 chunks of 0 versions" in await run("index", "rollback")
        assert json.loads(await run("search", "Team plan", "--json"))["vectors"] == ["words"]
        refused = await anyio.to_thread.run_sync(partial(command, "index", "migrate", "--to", "bge-m3"))
        assert refused.returncode == 1 and "configured are bm25, endpoint" in refused.stderr.replace(
            "\n", " "
        )
