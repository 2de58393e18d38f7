"""One contract of collections and journals: embedded, the client in memory, and a server where one is."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_client import AsyncQdrantClient, models

from ingestion.collection import Collections
from ingestion.engines.calls import Calls
from ingestion.engines.edge_collections import open_collections
from ingestion.engines.journal_file import JournalFile
from ingestion.engines.journal_points import JournalPoints
from ingestion.engines.server import open_client
from ingestion.engines.server_collections import ServerCollections
from ingestion.index import Asked, Index, Put
from ingestion.journal import Journal, State
from ingestion.shown import Shown
from ingestion.vectors import Profile, Space, Sparse
from ingestion.versions import Versions
from ingestion.within import Lists, Within
from runtime.errors import InvalidInput, KnowledgeUnavailable, ProfileMismatch
from tests.qdrant import far_away

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact"),
]

URL = os.environ.get("CORNERMAN_QDRANT_URL")
ENGINES = ["edge", "memory", *(["server"] if URL else [])]
PROFILE = Profile("test", {"words": Space("sparse", idf=True)})
OTHER = Profile("other", {"words": Space("sparse", idf=True), "dense": Space("dense", 4)})
ASKED = Asked({"words": Sparse([1], [1.0])}, 100)


@dataclass(frozen=True)
class Kept:
    """A collection as `Versions` has it; each `journal()` is another process's where there may be some."""

    index: Index
    journal: Callable[[], Journal]

    def versions(self) -> Versions:
        return Versions(self.index, self.journal())


@asynccontextmanager
async def qdrant(engine: str) -> AsyncIterator[tuple[AsyncQdrantClient, str]]:
    """A client, and a prefix of one's own."""
    prefix = f"test-{uuid4()}-"
    if engine == "memory":
        client = AsyncQdrantClient(":memory:")
        yield far_away(client), prefix
        await client.close()
        return
    assert URL is not None
    async with open_client(URL, None, 10) as client:
        yield client, prefix
        for one in (await client.get_collections()).collections:
            if one.name.startswith(prefix):
                await client.delete_collection(one.name)


def beside(client: AsyncQdrantClient, prefix: str, first: str = "first") -> ServerCollections:
    """Another process's."""
    return ServerCollections(client, Calls(10), prefix, first, PROFILE)


@pytest.fixture(params=ENGINES)
async def collections(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Collections]:
    """Those of a new installation."""
    if request.param == "edge":
        async with open_collections(tmp_path, "first", PROFILE, 10) as opened:
            yield opened
        return
    async with qdrant(request.param) as (client, prefix):
        yield beside(client, prefix)


@pytest.fixture(params=ENGINES)
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kept]:
    if request.param == "edge":
        async with open_collections(tmp_path, "first", PROFILE, 10) as opened:
            only = JournalFile(tmp_path / "journal.json")
            yield Kept((await opened.current()).index, lambda: only)
        return
    async with qdrant(request.param) as (client, prefix):
        index = (await beside(client, prefix).current()).index
        yield Kept(index, lambda: JournalPoints(client, f"{prefix}first", Calls(10)))


def points(document_id: str, version: str, count: int) -> list[Put]:
    """A version's, as ingestion writes them."""
    about = {"document_id": document_id, "version": version, "document": f"{document_id}.md"}
    made = [
        Put(f"{version}-{n}", {"words": Sparse([1], [1.0])}, {**about, "ordinal": n}) for n in range(count)
    ]
    made[0].payload["chunks"] = count
    return made


async def ingest(
    versions: Versions, tenant: str, document_id: str, version: str, count: int = 4, *, keep: bool = False
) -> None:
    made = points(document_id, version, count)
    for batch in (made[: count // 2], made[count // 2 :]):
        await versions.stage(tenant, version, batch, version)
    await versions.publish(tenant, document_id, version, count, keep, "")


async def seen(kept: Kept, tenant: str, versions: Versions | None = None) -> list[str]:
    """The versions of what a search finds, one entry a point."""

    async def search(but: Lists) -> list[str]:
        hits = await kept.index.search(Within(tenant, but=but), ASKED)
        return [str(hit.payload["version"]) for hit in hits]

    return sorted(await Shown(kept.index, kept.journal()).seen(tenant, search, str))


async def count_up(journal: Journal, times: int) -> None:
    """Counts in the revision; each is counted once, whoever counts at the same time."""
    for _ in range(times):
        for _ in range(1_000):
            state = await journal.state("acme")
            if await journal.swap("acme", state, State(state.hidden, str(int(state.revision or 0) + 1))):
                break
            await checkpoint()
        else:
            raise AssertionError("never first")


async def test_no_swap_is_lost(kept: Kept) -> None:
    """Of two changes of one state one is done, and each is told: none is lost, none is done twice."""
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(count_up, kept.journal(), 3)
    assert (await kept.journal().state("acme")).revision == "60"


async def test_no_swap_is_done_twice_when_answers_are_lost() -> None:
    """A change whose answer was lost, and that others followed since, is still known as one's own."""
    client = AsyncQdrantClient(":memory:")
    await beside(client, "p-").current()
    slow = far_away(client, Random(1), lost=0.3)
    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(count_up, JournalPoints(slow, "p-first", Calls(10)), 3)
    assert (await JournalPoints(client, "p-first", Calls(10)).state("acme")).revision == "30"
    await client.close()


async def test_a_swap_of_a_state_that_is_gone_does_nothing(kept: Kept) -> None:
    """Who read before another's change has to read again; so has who believes that there is nothing yet."""
    journal = kept.journal()
    first = State().write("v1", ["w"])
    assert await journal.swap("acme", State(), first)
    assert not await journal.swap("acme", State(), State().write("v2", ["w"]))
    assert await kept.journal().state("acme") == first
    assert await journal.tenants() == ["acme"]
    assert await journal.swap("acme", first, State(revision="x"))
    assert await journal.tenants() == []


NASTY = st.text(alphabet="ab*'\"{}[].:\\/\x00\n中", min_size=1, max_size=6) | st.sampled_from(
    ["journal", "hides", "rests", "journal_of", "tenant"]
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tenants=st.lists(NASTY, min_size=2, max_size=3, unique=True))
async def test_journals_of_tenants_are_apart(kept: Kept, tenants: list[str]) -> None:
    """Whatever tenants are called, each has its own journal, and operations on points reach none of them."""
    journal = kept.journal()
    states = {tenant: State().write(f"v{n}", ["w"]) for n, tenant in enumerate(tenants)}
    for tenant, state in states.items():
        assert await journal.swap(tenant, await journal.state(tenant), state)
    for tenant in tenants:
        for within in (
            Within(tenant),
            Within(tenant, {"journal": "hides"}),
            Within(tenant, {"tenant": tenant}),
        ):
            assert await kept.index.count(within) == 0
            assert await kept.index.read(within, ["journal_of"]) == []
            assert await kept.index.search(within, ASKED) == []
            await kept.index.mark(within, {"journal": "rests"})
            await kept.index.drop(within)
        await kept.index.delete("journal", [tenant])
    assert {tenant: await journal.state(tenant) for tenant in tenants} == states
    assert sorted(await journal.tenants()) == sorted(tenants)
    assert await kept.index.tenants() == []
    for tenant, state in states.items():
        assert await journal.swap(tenant, state, State())


async def test_a_version_takes_the_place_of_the_one_before(kept: Kept) -> None:
    """Staged it is out of sight; published it is seen alone, and nothing is left of the other."""
    versions = kept.versions()
    await ingest(versions, "acme", "d", "v1")
    await versions.stage("acme", "v2", points("d", "v2", 3), "w")
    assert await seen(kept, "acme") == ["v1"] * 4
    await versions.publish("acme", "d", "v2", 3, False, "")
    assert await seen(kept, "acme") == ["v2"] * 3
    assert await kept.index.count(Within("acme")) == 3
    assert await versions.leftovers() == []


async def test_a_kept_version_is_restored(kept: Kept) -> None:
    """The old version is out of sight and in the list, and changes places with the new one."""
    versions = kept.versions()
    await ingest(versions, "acme", "d", "v1")
    await ingest(versions, "acme", "d", "v2", keep=True)
    assert await seen(kept, "acme") == ["v2"] * 4
    await kept.versions().restore("acme", "d", "v1")
    assert await seen(kept, "acme") == ["v1"] * 4
    assert {
        row["version"] for row in await Shown(kept.index, kept.journal()).read_all("acme", ["version"], "d")
    } == {"v1", "v2"}
    with pytest.raises(InvalidInput, match="'v1'"):
        await versions.restore("acme", "d", "v1")


async def test_removed_and_discarded(kept: Kept) -> None:
    """All versions go with their document; what one run discards stays for the other that writes it."""
    versions, others = kept.versions(), kept.versions()
    await ingest(versions, "acme", "d", "v1")
    await ingest(versions, "acme", "d", "v2", keep=True)
    await versions.stage("acme", "v3", points("e", "v3", 2), "one")
    await others.stage("acme", "v3", points("e", "v3", 2), "other")
    await versions.discard("acme", "v3", "one")
    await others.publish("acme", "e", "v3", 2, False, "")
    assert await others.remove("acme", "d")
    assert not await versions.remove("acme", "d")
    assert await seen(kept, "acme") == ["v3"] * 2
    await versions.stage("acme", "v4", points("e", "v4", 2), "one")
    await others.discard("acme", "v4", "one")
    assert await kept.index.count(Within("acme")) == 2


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(2, 9), min_size=1, max_size=3), keep=st.booleans())
async def test_a_read_sees_exactly_one_version(kept: Kept, sizes: list[int], keep: bool) -> None:
    """However reads and publishes meet, a read finds the whole of one version: never two, half or none."""
    tenant, writer, reader = uuid4().hex, kept.versions(), kept.versions()
    await ingest(writer, tenant, "d", "v0", 5)
    whole = [["v0"] * 5, *([f"v{n}"] * size for n, size in enumerate(sizes, 1))]

    async def publish_all() -> None:
        for n, size in enumerate(sizes, 1):
            await ingest(writer, tenant, "d", f"v{n}", size, keep=keep)
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(publish_all)
        for _ in range(10_000):
            assert await seen(kept, tenant, reader) in whole
    assert await seen(kept, tenant, reader) == whole[-1]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    runs=st.lists(
        st.tuples(st.sampled_from(["a", "b"]), st.integers(1, 3), st.booleans()), min_size=2, max_size=4
    )
)
async def test_processes_that_write_at_once_lose_nothing(
    kept: Kept, runs: list[tuple[str, int, bool]]
) -> None:
    """What one process publishes or discards never takes away what another publishes of another document."""
    tenant = uuid4().hex

    async def run(number: int, document_id: str, size: int, is_discarded: bool) -> None:
        versions, version = kept.versions(), f"{document_id}{number}"
        for _ in range(20):
            try:
                await versions.stage(tenant, version, points(document_id, version, size), "w")
                if is_discarded:
                    return await versions.discard(tenant, version, "w")
                return await versions.publish(tenant, document_id, version, size, False, "")
            except KnowledgeUnavailable:
                await checkpoint()
        raise AssertionError("never first")

    async with anyio.create_task_group() as tasks:
        for number, one in enumerate(runs):
            tasks.start_soon(run, number, *one)
    for left in await kept.versions().leftovers():
        await kept.versions().sweep(*left)
    found = await seen(kept, tenant)
    sizes = {f"{run[0]}{number}": run[1] for number, run in enumerate(runs) if not run[2]}
    assert {version[0] for version in found} == {version[0] for version in sizes}
    assert len(set(found)) == len({version[0] for version in found})
    assert all(found.count(version) == sizes[version] for version in found)
    assert await kept.index.count(Within(tenant)) == len(found)


async def test_switched_and_dropped(collections: Collections) -> None:
    """A new collection is filled beside the one that serves, takes its place, and the old one can go."""
    assert (await collections.current()).name == "first"
    second = await collections.open("second", OTHER)
    assert (await collections.current(fresh=True)).name == "first"
    assert await collections.names() == ["first", "second"]
    await collections.switch("second")
    here = await collections.current()
    assert (here.name, here.index.profile) == ("second", OTHER) and here.versions is second.versions
    with pytest.raises(InvalidInput, match="'second'"):
        await collections.drop("second")
    await collections.drop("first")
    assert await collections.names() == ["second"]
    with pytest.raises(InvalidInput, match="'first'"):
        await collections.drop("first")


async def test_opened_again(collections: Collections) -> None:
    """A collection that is open is the same one, so that its changes come one after the other."""
    one = await collections.open("second", OTHER)
    assert (await collections.open("second", OTHER)).versions is one.versions
    assert (await collections.open("first", PROFILE)).versions is (await collections.current()).versions


async def test_one_that_was_kept_is_opened_by_its_name(collections: Collections) -> None:
    """A roll back needs no more than the name; one that is gone is named in the error."""
    await collections.current()
    await collections.open("second", OTHER)
    assert (await collections.kept("second")).index.profile == OTHER
    assert await (await collections.kept("second")).index.tenants() == []
    with pytest.raises(InvalidInput, match="'third'"):
        await collections.kept("third")


async def test_documents_stay_with_their_collection(collections: Collections) -> None:
    """After a switch and back a search finds what it found before, journal and all."""
    first = await collections.current()
    await ingest(first.versions, "acme", "d", "v1")
    revision = await first.shown.revision("acme")
    await collections.open("second", PROFILE)
    await collections.switch("second")
    assert await (await collections.current()).index.count(Within("acme")) == 0
    await collections.switch("first")
    back = await collections.current(fresh=True)
    assert await back.index.count(Within("acme")) == 4
    assert await back.shown.revision("acme") == revision


@pytest.fixture(params=[engine for engine in ENGINES if engine != "edge"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[tuple[AsyncQdrantClient, str]]:
    """Where several processes may be; the embedded index has one owner."""
    async with qdrant(request.param) as one:
        yield one


async def test_a_switch_of_another_process_is_seen(server: tuple[AsyncQdrantClient, str]) -> None:
    """At once by those who write, two seconds later by those who search; until then without a question."""
    time = 0.0
    mine = ServerCollections(server[0], Calls(10), server[1], "first", PROFILE, now=lambda: time)
    assert (await mine.current()).name == "first"
    other = beside(*server)
    await other.open("second", OTHER)
    await other.switch("second")
    time = 1.9
    assert (await mine.current()).name == "first"
    time = 2.0
    assert (await mine.current()).name == "second"
    await other.switch("first")
    assert (await mine.current()).name == "second"
    assert (await mine.current(fresh=True)).name == "first"
    assert (await mine.current()).name == "first"


async def test_processes_that_start_at_once_share_one_collection(
    server: tuple[AsyncQdrantClient, str],
) -> None:
    """Whoever was first: all write to the same one."""
    found: list[str] = []

    async def start() -> None:
        here = await beside(*server).current()
        await ingest(here.versions, "acme", uuid4().hex, uuid4().hex)
        found.append(here.name)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(start)
    assert found == ["first"] * 5
    assert await beside(*server).names() == ["first"]
    assert await (await beside(*server).current()).index.count(Within("acme")) == 20


async def test_a_slow_start_turns_no_switch_back(
    server: tuple[AsyncQdrantClient, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that found nothing, and comes to its end after others have moved on, follows them."""
    client = server[0]
    create = client.create_payload_index

    async def overtaken(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(client, "create_payload_index", create)
        other = beside(*server)
        await other.current()
        await other.open("second", OTHER)
        await other.switch("second")
        return await create(*args, **kwargs)

    monkeypatch.setattr(client, "create_payload_index", overtaken)
    assert (await beside(*server).current()).name == "second"


async def test_differently_configured_processes_that_start_at_once(
    server: tuple[AsyncQdrantClient, str],
) -> None:
    """They end with one current collection; who came late with another follows, maybe after an error."""
    all_of_them = [beside(*server, first=f"first{n}") for n in range(3)]

    async def start(one: ServerCollections) -> None:
        try:
            await one.current()
        except KnowledgeUnavailable as exc:
            assert "alias" in str(exc)

    async with anyio.create_task_group() as tasks:
        for one in all_of_them:
            tasks.start_soon(start, one)
    assert len({(await one.current(fresh=True)).name for one in all_of_them}) == 1


async def test_collections_without_a_current_one_are_not_started_anew(
    server: tuple[AsyncQdrantClient, str],
) -> None:
    """A restored snapshot holds no alias: an error says so, and the documents do not seem to be gone."""
    client, prefix = server
    await beside(*server).open("other", PROFILE)
    with pytest.raises(KnowledgeUnavailable, match=r"'other'.*current"):
        await beside(*server).current()
    to = models.CreateAlias(alias_name=f"{prefix}current", collection_name=f"{prefix}other")
    await client.update_collection_aliases([models.CreateAliasOperation(create_alias=to)])
    assert (await beside(*server).current()).name == "other"


async def test_collections_of_other_vectors_are_refused(server: tuple[AsyncQdrantClient, str]) -> None:
    """A name stands for one profile, in every process."""
    await beside(*server).open("second", OTHER)
    with pytest.raises(ProfileMismatch, match="'other'"):
        await beside(*server).open("second", PROFILE)


async def test_an_installation_sees_only_its_prefix(server: tuple[AsyncQdrantClient, str]) -> None:
    """Two installations on one server do not list, drop or search each other's collections."""
    client, prefix = server
    mine, other = beside(client, f"{prefix}a-"), beside(client, f"{prefix}b-")
    await ingest((await mine.current()).versions, "acme", "d", "v1")
    assert await (await other.current()).index.count(Within("acme")) == 0
    await other.open("second", OTHER)
    assert await mine.names() == ["first"]
    with pytest.raises(InvalidInput):
        await mine.drop("second")
