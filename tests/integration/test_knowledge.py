"""The knowledge on real files and the real engine: ingest, search, replace, isolate, survive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from ingestion.document import Document
from ingestion.find import find_documents
from ingestion.index import Index
from ingestion.knowledge import Ingested, Knowledge, Progress
from ingestion.route import parse
from runtime.errors import KnowledgeUnavailable, SettingsInvalid
from runtime.passage import Passage
from tests.samples import NAMES, SAMPLES, sample

pytestmark = pytest.mark.anyio

LIMITS = {"child_tokens": 128, "parent_tokens": 512, "max_bytes": 1_000_000}

QUESTIONS = [
    ("How much does the Business plan cost per seat?", "product-sheet.pdf", "Business plan 69"),
    ("What discount may a representative approve?", "price-list.xlsx", "| up to 5 % | the representative |"),
    ("How many points does MEDDPICC need for the forecast?", "sales-playbook.docx", "Below 8 of 16 points"),
    ("What may a representative never promise?", "sales-playbook.docx", "roadmap"),
    ("Does Harborline include single sign-on?", "battlecard-harborline.pdf", "Single sign-on included"),
    ("availability credit", "product-sheet.pdf", "credited 10 %"),
    ("Is our data safe with you?", "objection-guide.md", "Frankfurt and Singapore"),
    ("客户说太贵了怎么回答？", "objection-guide.zh.md", "价格"),
    ("销售代表自己能批多少折扣？", "objection-guide.zh.md", "销售代表自己最多能批 5%"),
    ("商务版上线要多久？", "product-sheet.zh.pdf", "三到四周"),
    ("人工智能会不会直接回复客户？", "objection-guide.zh.md", "由人来发送"),
    ("Harborline 的单点登录要买哪个版本？", "objection-guide.zh.md", "109 美元"),
]


@pytest.fixture(scope="module")
def sample_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds the sample knowledge for the tenant `acme`."""
    folder = tmp_path_factory.mktemp("data")

    async def ingest_all() -> list[Ingested]:
        async with Knowledge.open(folder, **LIMITS) as knowledge:
            return [await knowledge.ingest("acme", path) for path in find_documents([SAMPLES])]

    with pytest.MonkeyPatch.context() as patched:
        # The real parsers, but each file once for all tests: the two PDFs cost seconds.
        patched.setattr("ingestion.knowledge.parse", lambda _, name: sample(name))
        assert [outcome.status for outcome in anyio.run(ingest_all)] == ["ingested"] * 7
    return folder


@pytest.fixture
async def samples(sample_dir: Path) -> AsyncIterator[Knowledge]:
    """The sample knowledge, opened."""
    async with Knowledge.open(sample_dir, **LIMITS) as knowledge:
        yield knowledge


@pytest.fixture
async def knowledge(tmp_path: Path) -> AsyncIterator[Knowledge]:
    """An empty knowledge."""
    async with Knowledge.open(tmp_path / "data", **LIMITS) as opened:
        yield opened


def write(path: Path, text: str) -> Path:
    """The file with this text."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


async def test_questions_find_their_passages(samples: Knowledge) -> None:
    """A rep's question, English or Chinese, brings the right file first and the answer to read."""
    missed = []
    for question, document, answer in QUESTIONS:
        best = (await samples.search("acme", question, limit=3))[0]
        if best.document != document or answer not in best.text:
            missed.append((question, best.locator))
    assert missed == []


async def test_a_passage_points_into_the_file(samples: Knowledge) -> None:
    """A citation must open where it says: quote, offsets, page or section, in every format."""
    found = [p for question, *_ in QUESTIONS for p in await samples.search("acme", question)]
    parsed = {name: sample(name) for name in NAMES}
    assert {p.document for p in found} == set(parsed)
    for passage in found:
        document = parsed[passage.document]
        assert document.text[passage.start : passage.end] == passage.quote
        assert passage.quote in passage.text
        block = next(b for b in document.blocks if b.end > passage.start)
        assert passage.page == block.page
        assert (passage.page is None) == (not passage.document.endswith(".pdf"))
        assert passage.section


async def test_scores_fall_and_each_parent_comes_once(samples: Knowledge) -> None:
    """Several children of one parent are one passage for the model."""
    found = await samples.search("acme", "discount for seats and term", limit=8)
    assert len(found) == len({(p.document, p.text) for p in found}) == 8
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)
    assert found == await samples.search("acme", "discount for seats and term", limit=8)


async def test_nothing_to_find(samples: Knowledge) -> None:
    """No shared word, no passage: the graph then says that the documents do not know."""
    for query in ["", "   ", "the of and", "我们的了是", "zyxwvut", "？！…", "\x00\ud83d"]:
        assert await samples.search("acme", query) == [], query


async def test_stats_and_documents(samples: Knowledge) -> None:
    """What `doctor` and `ingest` show is what the index holds."""
    documents = await samples.documents("acme")
    assert [d.document for d in documents] == sorted(path.name for path in SAMPLES.iterdir())
    assert {d.document: d.pages for d in documents}["product-sheet.pdf"] == 5
    stats = await samples.stats("acme")
    assert (stats.documents, stats.chunks) == (7, sum(d.chunks for d in documents))
    assert sum(stats.languages.values()) == stats.chunks and stats.languages["zh"] > 30
    assert (await samples.stats("nobody")).documents == 0


async def test_the_same_content_is_unchanged(samples: Knowledge) -> None:
    """Ingesting a folder again costs nothing and changes nothing."""
    before = await samples.stats("acme")
    for path in SAMPLES.iterdir():
        outcome = await samples.ingest("acme", path)
        assert (outcome.status, outcome.document) == ("unchanged", path.name)
        assert outcome.chunks > 0
    assert await samples.stats("acme") == before


async def test_changed_content_takes_the_place_of_the_old(knowledge: Knowledge, tmp_path: Path) -> None:
    """An old price must not be found beside the new one."""
    path = write(tmp_path / "prices.md", "# Prices\n\nTeam costs 39 dollars.\n\n# Terms\n\nThirty days.")
    await knowledge.ingest("acme", path)
    write(path, "# Prices\n\nTeam costs 41 dollars.")
    assert (await knowledge.ingest("acme", path)).status == "ingested"
    assert [p.quote for p in await knowledge.search("acme", "team dollars")] == [
        "Prices\n\nTeam costs 41 dollars."
    ]
    assert await knowledge.search("acme", "thirty") == []
    assert (await knowledge.stats("acme")).documents == 1


async def test_a_replacement_that_was_cut_off_is_finished(
    knowledge: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash between writing the new chunks and dropping the old ones must not leave both for good."""
    same = "# Terms\n\nThirty days.\n\n"
    path = write(tmp_path / "prices.md", same + "# Team\n\nTeam costs 39 dollars.")
    await knowledge.ingest("acme", path)
    write(path, same + "# Team\n\nTeam costs 41 dollars.")

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("crash")

    with monkeypatch.context() as patched:
        patched.setattr(Index, "drop", crash)
        with pytest.raises(RuntimeError, match="crash"):
            await knowledge.ingest("acme", path)
    assert len(await knowledge.search("acme", "team")) == 2
    assert (await knowledge.ingest("acme", path)).status == "ingested"
    assert [p.quote for p in await knowledge.search("acme", "team")] == ["Team\n\nTeam costs 41 dollars."]
    assert (await knowledge.ingest("acme", path)).status == "unchanged"


async def test_a_refused_file_leaves_the_old_version(knowledge: Knowledge, tmp_path: Path) -> None:
    """A broken upload must not empty the index."""
    path = write(tmp_path / "prices.md", "Team costs 39 dollars.")
    await knowledge.ingest("acme", path)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    outcome = await knowledge.ingest("acme", path)
    assert (outcome.status, outcome.code) == ("refused", "FORMAT_UNSUPPORTED")
    assert "PNG" in outcome.reason
    assert len(await knowledge.search("acme", "team")) == 1


async def test_refusals_name_file_and_limit(knowledge: Knowledge, tmp_path: Path) -> None:
    """One bad file is an outcome, not an exception, so the others go on."""
    (tmp_path / "big.txt").write_bytes(b"x" * 1_000_001)
    (tmp_path / "empty.md").touch()
    names = ["big.txt", "empty.md", "nowhere.pdf", "data"]
    outcomes = [await knowledge.ingest("acme", tmp_path / name) for name in names]
    assert [o.code for o in outcomes] == [
        "DOCUMENT_TOO_LARGE",
        "DOCUMENT_EMPTY",
        "DOCUMENT_MISSING",
        "DOCUMENT_MISSING",
    ]
    assert all(name in outcome.reason for name, outcome in zip(names, outcomes, strict=True))
    assert "at most 1000000" in outcomes[0].reason


@pytest.mark.parametrize("other", ["", "ACME", 'x" OR "1"="1', "租户/../acme"])
async def test_tenants_see_nothing_of_each_other(knowledge: Knowledge, tmp_path: Path, other: str) -> None:
    """Equal document names, equal text, hostile tenant names: no hit, no score, no removal crosses over."""
    mine = write(tmp_path / "a" / "notes.md", "Margins are seventy percent.\n\nSeats cost money.")
    await knowledge.ingest("acme", mine)
    alone = await knowledge.search("acme", "margins seats")
    theirs = write(tmp_path / "b" / "notes.md", "Seats. Seats. Seats cost nothing.")
    await knowledge.ingest(other, theirs)
    assert await knowledge.search(other, "margins") == []
    assert await knowledge.search("acme", "nothing") == []
    assert await knowledge.search("acme", "margins seats") == alone
    assert await knowledge.remove(other, "notes.md")
    assert await knowledge.search("acme", "margins seats") == alone
    assert (await knowledge.stats(other)).documents == 0


async def test_remove(knowledge: Knowledge, tmp_path: Path) -> None:
    """A withdrawn document is not cited again; a wrong name is told."""
    await knowledge.ingest("acme", write(tmp_path / "a.md", "Seats cost money."))
    assert await knowledge.remove("acme", "a.md") is True
    assert await knowledge.search("acme", "seats") == []
    assert await knowledge.remove("acme", "a.md") is False


async def test_progress_runs_through_the_stages(knowledge: Knowledge, tmp_path: Path) -> None:
    """A progress bar needs every stage once, in order, and an end."""
    seen: list[Progress] = []
    text = "\n\n".join(f"# Part {n}\n\n{'Some words here. ' * 20}" for n in range(300))
    outcome = await knowledge.ingest("acme", write(tmp_path / "long.md", text), on_progress=seen.append)
    stages = [p.stage for p in seen]
    assert list(dict.fromkeys(stages)) == ["parse", "chunk", "embed", "index"]
    embed = [(p.done, p.total) for p in seen if p.stage == "embed"]
    assert embed[0] == (0, outcome.chunks) and embed[-1] == (outcome.chunks, outcome.chunks)
    assert len(embed) > 2 and embed == sorted(embed)
    assert seen[-1] == Progress("long.md", "index", 1, 1)


async def test_a_name_of_its_own(knowledge: Knowledge, tmp_path: Path) -> None:
    """Two files of one name are kept apart by the names they are given."""
    for folder in ("a", "b"):
        path = write(tmp_path / folder / "readme.md", f"Seats in folder {folder}.")
        await knowledge.ingest("acme", path, name=f"{folder}/readme.md")
    assert {p.document for p in await knowledge.search("acme", "seats")} == {"a/readme.md", "b/readme.md"}


async def test_many_at_once(knowledge: Knowledge, tmp_path: Path) -> None:
    """Documents of several kinds ingested and searched concurrently end as if one after the other."""
    found: list[Passage] = []

    async def ingest(path: Path) -> None:
        assert (await knowledge.ingest("acme", path)).status == "ingested"
        found.extend(await knowledge.search("acme", "seats"))

    async with anyio.create_task_group() as tasks:
        for path in SAMPLES.glob("*.[mdx]*"):
            tasks.start_soon(ingest, path)
        for n in range(10):
            tasks.start_soon(ingest, write(tmp_path / f"{n}.md", f"Seats number {n}."))
    assert (await knowledge.stats("acme")).documents == 14
    assert found


async def test_a_search_does_not_wait_for_parsers(
    knowledge: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rep's question in a call is answered while a folder of slow documents is being read."""
    await knowledge.ingest("acme", write(tmp_path / "a.md", "Seats cost money."))
    held = threading.Event()

    def slow(data: bytes, name: str) -> Document:
        held.wait(timeout=60)
        return parse(data, name)

    monkeypatch.setattr("ingestion.knowledge.parse", slow)
    async with anyio.create_task_group() as tasks:
        for n in range(8):
            tasks.start_soon(knowledge.ingest, "acme", write(tmp_path / f"{n}.md", f"Number {n}."))
        await anyio.wait_all_tasks_blocked()
        try:
            assert len(await knowledge.search("acme", "seats")) == 1
        finally:
            held.set()
    assert (await knowledge.stats("acme")).documents == 9


INGEST_AND_HANG = """
import anyio, pathlib, sys
from ingestion.knowledge import Knowledge
async def main():
    limits = dict(child_tokens=128, parent_tokens=512, max_bytes=1_000_000)
    async with Knowledge.open(pathlib.Path(sys.argv[1]), **limits) as knowledge:
        await knowledge.ingest("acme", pathlib.Path(sys.argv[2]))
        print("ready", flush=True)
        await anyio.sleep_forever()
anyio.run(main)
"""


async def test_another_process_owns_it_and_what_it_wrote_survives_its_death(tmp_path: Path) -> None:
    """A second process is told the owner's pid; after SIGKILL nothing that was acknowledged is gone."""
    path = write(tmp_path / "a.md", "Seats cost money.")
    data = tmp_path / "data"
    command = [sys.executable, "-c", INGEST_AND_HANG, str(data), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert await anyio.to_thread.run_sync(owner.stdout.readline) == "ready\n"
        with pytest.raises(KnowledgeUnavailable, match=f"process {owner.pid}"):
            async with Knowledge.open(data, **LIMITS):
                pass
        os.kill(owner.pid, signal.SIGKILL)
    async with Knowledge.open(data, **LIMITS) as knowledge:
        assert [p.quote for p in await knowledge.search("acme", "seats")] == ["Seats cost money."]
        assert (await knowledge.ingest("acme", path)).status == "unchanged"


async def test_a_half_made_index_is_made_again(tmp_path: Path) -> None:
    """A process killed while it created the index must not block the next start."""
    write(tmp_path / "data" / "x", "")
    (tmp_path / "data" / "index" / "shard.new" / "segments").mkdir(parents=True)
    async with Knowledge.open(tmp_path / "data", **LIMITS) as knowledge:
        assert (await knowledge.stats("acme")).documents == 0


async def test_a_damaged_index_is_named(tmp_path: Path) -> None:
    """The message says which folder to move away; nothing is overwritten."""
    config = write(tmp_path / "shard" / "edge_config.json", "no JSON")
    (tmp_path / "data" / "index").mkdir(parents=True)
    config.parent.rename(tmp_path / "data" / "index" / "shard")
    with pytest.raises(KnowledgeUnavailable, match="shard' cannot be opened"):
        async with Knowledge.open(tmp_path / "data", **LIMITS):
            pass
    assert (tmp_path / "data" / "index" / "shard" / "edge_config.json").read_text() == "no JSON"


@pytest.mark.parametrize(("child", "parent"), [(8, 512), (600, 512)])
async def test_limits_without_sense(tmp_path: Path, child: int, parent: int) -> None:
    """A child larger than its parent is a mistake in the settings, told at the start."""
    with pytest.raises(SettingsInvalid, match=f"child_tokens is {child}"):
        async with Knowledge.open(tmp_path, child_tokens=child, parent_tokens=parent, max_bytes=1):
            pass


async def test_other_limits_index_anew(tmp_path: Path) -> None:
    """Chunks of an old size must not stay because the file did not change."""
    path = write(tmp_path / "a.md", "Some words here. " * 100)
    counts = []
    for child in (64, 32):
        async with Knowledge.open(
            tmp_path / "d", child_tokens=child, parent_tokens=128, max_bytes=10_000
        ) as k:
            outcome = await k.ingest("acme", path)
            assert outcome.status == "ingested"
            counts.append((await k.stats("acme")).chunks)
    assert counts[1] > counts[0]
