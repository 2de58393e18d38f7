"""The index moves to another embedder, and back, while it serves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import anyio
import pytest
from redis.asyncio import Redis

from ingestion.collection import embedder_of
from ingestion.embedders.configured import Embedders
from ingestion.knowledge import Knowledge
from ingestion.migration import migrate
from ingestion.opening_knowledge import open_knowledge
from ingestion.record import document_id_of
from ingestion.remote import RemoteKnowledge, functions
from ingestion.report import Labels
from ingestion.vectors import Vectors
from runtime.errors import InvalidInput, KnowledgeUnavailable, ProfileMismatch
from runtime.remote import Caller, answering
from tests.embedders import Hashed, two_embedders
from tests.knowledge import HERE, points_of, put, written

pytestmark = pytest.mark.anyio


def text_of(number: int) -> str:
    return f"Part {number} alpha costs {number + 100} dollars."


def silent(done: int, total: int) -> None:
    """Nobody watches."""


@pytest.fixture
def hashed() -> Hashed:
    return Hashed()


@pytest.fixture
def embedders(hashed: Hashed) -> Embedders:
    return two_embedders(hashed)


@pytest.fixture
async def knowledge(tmp_path: Path, embedders: Embedders) -> AsyncIterator[Knowledge]:
    """Forty documents of two tenants, one of them with a version that was kept."""
    async with open_knowledge(tmp_path / "data", embedders, 10) as opened:
        for number in range(40):
            tenant = ("acme", "租户")[number % 2]
            await put(
                opened, tenant, written(f"{number}.md", text_of(number)), tags=["all"], date="2026-01-31"
            )
        await put(opened, "acme", written("0.md", "Part 0 costs 99 dollars."), keep=True)
        yield opened


async def everything(knowledge: Knowledge) -> list[object]:
    """What people see of both tenants: documents, their versions, and what is found."""
    seen: list[object] = []
    for number, tenant in ((8, "acme"), (9, "租户")):
        documents = await knowledge.documents(tenant)
        versions = [await knowledge.versions(tenant, document.document_id) for document in documents]
        found = await knowledge.search(tenant, text_of(number), limit=3)
        seen += [documents, versions, [(p.document, p.text, p.quote, p.start, p.version) for p in found][:1]]
    return seen


async def test_there_and_back(knowledge: Knowledge, hashed: Hashed, embedders: Embedders) -> None:
    """Nothing is lost or changed on the way, what was kept stays kept, and the way back embeds nothing."""
    before = await everything(knowledge)
    moved = await migrate(knowledge.moving, "both", embedders.named("both"), silent)
    assert embedder_of(await knowledge.collection()) == "both"
    assert (moved.versions, moved.chunks, moved.samples) == (41, len(hashed.embedded), 20)
    assert await everything(knowledge) == before
    found = await knowledge.explain("acme", "Part 8 alpha costs 108 dollars.")
    assert set(found.vectors) == {"words", "dense"} and found.reasons[0].passage.document == "8.md"
    assert len(await knowledge.versions("acme", document_id_of("0.md"))) == 2
    back = await migrate(knowledge.moving, "bm25", embedders.named("bm25"), silent)
    assert (await knowledge.collection(), back.chunks) == (HERE, 0)
    assert await everything(knowledge) == before


async def test_it_goes_on_where_it_was(
    tmp_path: Path, knowledge: Knowledge, hashed: Hashed, embedders: Embedders
) -> None:
    """An embedder that fails, or a command that is killed, costs no more than the version at hand."""
    before = await everything(knowledge)
    hashed.fails_after = 20
    with pytest.raises(KnowledgeUnavailable, match="is down"):
        await migrate(knowledge.moving, "both", embedders.named("both"), silent)
    assert await knowledge.collection() == HERE and await everything(knowledge) == before
    hashed.fails_after = None
    await migrate(knowledge.moving, "both", embedders.named("both"), silent)
    assert len(hashed.embedded) == len(set(hashed.embedded)), "nothing is embedded twice"
    assert await everything(knowledge) == before


async def test_documents_that_change_meanwhile(
    knowledge: Knowledge, hashed: Hashed, embedders: Embedders
) -> None:
    """What is ingested, taken out or renamed while texts are embedded is so afterwards too."""
    changes: Iterator[Callable[[], Awaitable[object]]] = iter(
        [
            lambda: put(knowledge, "acme", written("new.md", "Gamma costs 7 dollars.")),
            lambda: put(knowledge, "acme", written("2.md", "Part 2 costs nothing.")),
            lambda: knowledge.remove("acme", document_id_of("4.md")),
            lambda: knowledge.relabel("acme", document_id_of("6.md"), Labels("six.md", ("x",), "2026-02-02")),
        ]
    )

    class Changing(Hashed):
        async def documents(self, texts: Sequence[str], around: Sequence[str] = ()) -> list[Vectors]:
            for change in changes:
                await change()
                break
            return await super().documents(texts)

    embedders = two_embedders(Changing())
    knowledge.embedders = embedders
    await migrate(knowledge.moving, "both", embedders.named("both"), silent)
    assert embedder_of(await knowledge.collection()) == "both"
    names = {document.document: document for document in await knowledge.documents("acme")}
    assert {"new.md", "2.md", "six.md"} <= set(names) and not {"4.md", "6.md"} & set(names)
    assert (names["six.md"].tags, names["six.md"].date) == (("x",), "2026-02-02")
    assert [p.document for p in await knowledge.search("acme", "Gamma", limit=1)] == ["new.md"]
    assert "nothing" in (await knowledge.search("acme", "Part 2 costs nothing."))[0].text


async def test_searches_go_on(knowledge: Knowledge, embedders: Embedders) -> None:
    """At no moment of a move does a question find nothing, or something else."""
    found: list[str] = []
    done = anyio.Event()

    async def ask() -> None:
        while not done.is_set():
            found.append((await knowledge.search("acme", "Part 8 alpha costs 108 dollars."))[0].document)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await migrate(knowledge.moving, "both", embedders.named("both"), silent)
        done.set()
    assert set(found) == {"8.md"}


async def test_an_embedder_that_finds_nothing_is_not_switched_to(knowledge: Knowledge) -> None:
    """Weights that answer rubbish cost a message, not the reps' answers."""

    class Broken(Hashed):
        async def query(self, text: str) -> Vectors:
            return await super().query(text + "?")

    embedders = Embedders({"bm25": knowledge.embedders.named("bm25"), "broken": Broken()}, "bm25")
    knowledge.embedders = embedders
    with pytest.raises(KnowledgeUnavailable, match="sample chunks are found"):
        await migrate(knowledge.moving, "broken", embedders.named("broken"), silent)
    assert await knowledge.collection() == HERE


async def test_another_process_moves_it(
    redis_url: str, client: Redis, knowledge: Knowledge, embedders: Embedders
) -> None:
    """The command needs no access to the index: its owner stores what the command embeds."""
    from runtime.redis import connect

    before = await everything(knowledge)
    async with connect(redis_url, timeout_s=None) as waiting, answering(waiting, functions(knowledge)):
        remote = RemoteKnowledge(Caller(waiting), timeout_s=10)
        await migrate(remote.moving, "both", embedders.named("both"), silent)
        assert await remote.collection() == await knowledge.collection() != HERE
        assert await everything(knowledge) == before
        with pytest.raises(InvalidInput):
            await remote.drop(await remote.collection())
        await remote.drop(HERE)
        with pytest.raises(InvalidInput, match="there is no collection"):
            await remote.use(HERE)


async def test_vectors_of_another_collection_are_refused(knowledge: Knowledge, embedders: Embedders) -> None:
    """A run that embedded before the switch is told, so that it embeds anew; nothing of it is seen."""
    points = await points_of(written("late.md", "Delta costs 5 dollars."), "v")
    await knowledge.stage("acme", "v", points, writer="a", collection=HERE)
    await migrate(knowledge.moving, "both", embedders.named("both"), silent)
    with pytest.raises(ProfileMismatch, match="is current now"):
        await knowledge.stage("acme", "v", points, writer="a", collection=HERE)
    with pytest.raises(ProfileMismatch, match="is current now"):
        await knowledge.publish("acme", document_id_of("late.md"), "v", points=len(points), collection=HERE)
    here = await knowledge.collection()
    with pytest.raises(ProfileMismatch, match="of the profile"):
        await knowledge.stage("acme", "v", points, writer="a", collection=here)
    assert await knowledge.shown("acme", document_id_of("late.md")) is None


async def test_an_index_whose_embedder_is_not_configured(
    tmp_path: Path, knowledge: Knowledge, embedders: Embedders
) -> None:
    """The message says what it holds and what to do; documents are listed all the same."""
    await migrate(knowledge.moving, "both", embedders.named("both"), silent)
    knowledge.embedders = Embedders({"bm25": embedders.named("bm25")}, "bm25")
    assert len(await knowledge.documents("acme")) == 20
    with pytest.raises(ProfileMismatch, match="cornerman index migrate --to"):
        await knowledge.search("acme", "Part")
    await migrate(knowledge.moving, "bm25", embedders.named("bm25"), silent)
    assert await knowledge.search("acme", "Part")


async def test_changes_that_wait_for_the_switch(knowledge: Knowledge, embedders: Embedders) -> None:
    """What is taken out or renamed while the index is switched is so in the one that is current then."""
    await migrate(knowledge.moving, "both", embedders.named("both"), silent)
    there = await knowledge.collection()
    await migrate(knowledge.moving, "bm25", embedders.named("bm25"), silent)
    here = await knowledge.collections.current()
    async with anyio.create_task_group() as tasks:
        async with here.versions.still():
            tasks.start_soon(knowledge.remove, "acme", document_id_of("2.md"))
            tasks.start_soon(knowledge.relabel, "acme", document_id_of("4.md"), Labels("four.md"))
            await anyio.wait_all_tasks_blocked()
            await knowledge.collections.switch(there)
    assert await knowledge.collection() == there
    names = {document.document for document in await knowledge.documents("acme")}
    assert "four.md" in names and not {"2.md", "4.md"} & names


async def test_an_owner_that_could_not_search_it_says_so_first(
    knowledge: Knowledge, hashed: Hashed, embedders: Embedders
) -> None:
    """Before hours of embedding, not after them."""
    knowledge.embedders = Embedders({"bm25": embedders.named("bm25")}, "bm25")
    with pytest.raises(ProfileMismatch):
        await migrate(knowledge.moving, "both", embedders.named("both"), silent)
    assert hashed.embedded == []
