"""One contract, every engine: the embedded one, the client's in-memory mode, and a server where one is."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_client import AsyncQdrantClient

from ingestion.engines.calls import Calls
from ingestion.engines.collection import open_collection
from ingestion.engines.edge import open_edge
from ingestion.engines.server import open_client
from ingestion.index import Asked, Fields, Index, Put
from ingestion.vectors import Floats, Profile, Space, Sparse, Vectors
from ingestion.within import Days, Within
from runtime.errors import ProfileMismatch

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact"),
]

FIELDS = Fields(("document", "kind", "tags"), ("ordinal",), ("date",))
PROFILE = Profile(
    "test",
    {"words": Space("sparse", idf=True), "dense": Space("dense", 4), "colbert": Space("multi", 4)},
)
ENGINES = ["edge", "memory", *(["server"] if os.environ.get("CORNERMAN_QDRANT_URL") else [])]


@pytest.fixture(params=ENGINES)
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Index]:
    """An empty index of `PROFILE`."""
    if request.param == "edge":
        async with open_edge(tmp_path / "shard", PROFILE, FIELDS, 10) as opened:
            yield opened
        return
    name, calls = f"test-{uuid4()}", Calls(10)
    if request.param == "memory":
        client = AsyncQdrantClient(":memory:")
        yield await open_collection(client, name, PROFILE, FIELDS, calls)
        await client.close()
        return
    async with open_client(os.environ["CORNERMAN_QDRANT_URL"], None, 10) as client:
        yield await open_collection(client, name, PROFILE, FIELDS, calls)
        await client.delete_collection(name)


def unit(*values: float) -> Floats:
    row = np.array(values, dtype=np.float32)
    return row / np.linalg.norm(row)


def vectors(words: dict[int, float], *dense: float) -> Vectors:
    row = unit(*(dense or (1, 1, 1, 1)))
    return {"words": Sparse(list(words), list(words.values())), "dense": row, "colbert": np.stack([row, row])}


def put(id: str, words: dict[int, float], *dense: float, **payload: Any) -> Put:
    return Put(id, vectors(words, *dense), {"name": id, **payload})


def words(found: dict[int, float], limit: int = 10) -> Asked:
    return Asked({"words": Sparse(list(found), list(found.values()))}, limit)


async def names(index: Index, within: Within, asked: Asked) -> list[str]:
    return [hit.payload["name"] for hit in await index.search(within, asked)]


async def test_the_same_put_again_changes_nothing(index: Index) -> None:
    """A step that is done twice, after a crash, leaves the index as once."""
    points = [put("a", {1: 1.0}), put("b", {2: 1.0})]
    await index.put("acme", points)
    before = await index.read(Within("acme"), ["name", "tenant"])
    await index.put("acme", points)
    assert await index.read(Within("acme"), ["name", "tenant"]) == before
    assert await index.count(Within("acme")) == 2


async def test_more_points_than_a_page_are_all_read(index: Index) -> None:
    """Nothing of a long list is cut off, and batches come whole."""
    await index.put("acme", [put(str(n), {1: 1.0}, document="d", ordinal=n) for n in range(1_100)])
    rows = await index.read(Within("acme", {"document": "d"}), ["ordinal"])
    assert sorted(row["ordinal"] for row in rows) == list(range(1_100))


async def test_every_filter(index: Index) -> None:
    """Equal, one of, none of and days choose by the payload, lists in it included."""
    await index.put(
        "acme",
        [
            put("a", {1: 1.0}, kind="table", tags=["eu", "price"], date="2026-01-31T10:00:00Z", ordinal=0),
            put("b", {1: 1.0}, kind="text", tags=["us"], date="2026-02-01T00:00:00Z", ordinal=0),
            put("c", {1: 1.0}, kind="text", tags=[], ordinal=1),
        ],
    )
    chosen = {
        "all": Within("acme"),
        "kind": Within("acme", {"kind": "text"}),
        "number": Within("acme", {"ordinal": 0, "kind": "text"}),
        "tags": Within("acme", some={"tags": ["price", "us"]}),
        "none": Within("acme", some={"tags": []}),
        "but": Within("acme", but={"kind": ["table"], "tags": ["us"]}),
        "but nothing": Within("acme", but={"kind": []}),
        "since": Within("acme", days={"date": Days(first="2026-02-01")}),
        "until": Within("acme", days={"date": Days(last="2026-01-31T23:59:59Z")}),
        "other": Within("other"),
        "clash": Within("acme", {"tenant": "other"}),
    }
    found = {key: sorted(await names(index, within, words({1: 1.0}))) for key, within in chosen.items()}
    assert found == {
        "all": ["a", "b", "c"],
        "kind": ["b", "c"],
        "number": ["b"],
        "tags": ["a", "b"],
        "none": [],
        "but": ["c"],
        "but nothing": ["a", "b", "c"],
        "since": ["b"],
        "until": ["a"],
        "other": [],
        "clash": [],
    }
    assert {key: await index.count(within) for key, within in chosen.items()} == {
        key: len(some) for key, some in found.items()
    }


async def test_rare_words_weigh_more_among_the_tenants_own_points(index: Index) -> None:
    """Another tenant's documents change neither the order nor the scores of mine."""
    await index.put("acme", [put(f"c{n}", {1: 1.0}) for n in range(8)] + [put("rare", {2: 1.0})])
    asked = words({1: 1.0, 2: 1.0})
    alone = await index.search(Within("acme"), asked)
    await index.put("other", [put(f"o{n}", {2: 1.0}) for n in range(50)])
    assert await index.search(Within("acme"), asked) == alone
    assert alone[0].payload["name"] == "rare" and alone[0].score > 2 * alone[1].score


async def test_two_vectors_are_fused_by_rank(index: Index) -> None:
    """What both find comes before what one finds best; a text that only one finds is found."""
    await index.put(
        "acme",
        [
            put("both", {1: 1.0, 3: 1.0}, 1, 1, 0, 0),
            put("words", {1: 3.0}, 0, 0, 0, 1),
            put("meaning", {9: 1.0}, 1, 0, 0, 0),
        ],
    )
    asked = Asked({"words": Sparse([1], [1.0]), "dense": unit(1, 1, 0, 0)}, 10)
    assert (await names(index, Within("acme"), asked))[0] == "both"
    assert set(await names(index, Within("acme"), asked)) == {"both", "words", "meaning"}
    assert await names(index, Within("acme"), Asked(asked.vectors, 1)) == ["both"]


async def test_a_multi_vector_ranks_anew_what_was_found(index: Index) -> None:
    """The order is that of the late interaction, the choice that of the search before it."""
    await index.put(
        "acme", [put("near", {1: 1.0}, 1, 0, 0, 0), put("far", {1: 9.0}, 0, 1, 0, 0), put("not", {5: 1.0})]
    )
    again = np.stack([unit(1, 0, 0, 0), unit(1, 0.1, 0, 0)])
    asked = Asked({"words": Sparse([1], [1.0])}, 10, rerank=again)
    assert await names(index, Within("acme"), asked) == ["near", "far"]
    both = Asked({"words": Sparse([1], [1.0]), "dense": unit(0, 1, 0, 0)}, 2, rerank=again)
    assert (await names(index, Within("acme"), both))[0] == "near"


async def test_a_query_of_no_word_finds_nothing(index: Index) -> None:
    """A question of stop words alone is no question to the words; to the meaning it still is."""
    await index.put("acme", [put("a", {1: 1.0})])
    assert await index.search(Within("acme"), words({})) == []
    both = Asked({"words": Sparse([], []), "dense": unit(1, 1, 1, 1)}, 5)
    assert await names(index, Within("acme"), both) == ["a"]


async def test_equal_scores_have_one_order(index: Index) -> None:
    """An evaluator who asks twice sees the same."""
    await index.put("acme", [put(str(n), {1: 1.0}) for n in range(20)])
    first = await names(index, Within("acme"), words({1: 1.0}, 20))
    assert first == await names(index, Within("acme"), words({1: 1.0}, 20)) and len(set(first)) == 20


async def test_marked_dropped_and_deleted(index: Index) -> None:
    """Changes reach the points named and no others, and none of another tenant."""
    for tenant in ("acme", "other"):
        await index.put(tenant, [put("a", {1: 1.0}, document="d"), put("b", {1: 1.0}, document="e")])
    await index.mark(Within("acme", {"document": "d"}), {"kind": "old"})
    assert await index.values("acme", ["a", "b", "z"], "kind") == {"a": "old", "b": None}
    await index.drop(Within("acme", {"document": "d"}))
    assert await names(index, Within("acme"), words({1: 1.0})) == ["b"]
    await index.delete("acme", ["b", "z"])
    assert await index.count(Within("acme")) == 0
    assert await index.count(Within("other")) == 2
    assert await index.values("other", ["a", "b"], "kind") == {"a": None, "b": None}


async def test_vectors_of_another_profile_are_refused(index: Index) -> None:
    """Nothing is written of a batch that does not fit, and the error says what would."""
    good, nan = put("a", {1: 1.0}), vectors({1: 1.0})
    wrong: list[Vectors] = [
        {"words": Sparse([1], [1.0])},
        {**good.vectors, "dense": unit(1, 0, 0)},
        {**good.vectors, "dense": np.stack([unit(1, 0, 0, 0)])},
        {**good.vectors, "colbert": unit(1, 0, 0, 0)},
        {**good.vectors, "words": unit(1, 0, 0, 0)},
        {**good.vectors, "dense": Sparse([1], [1.0])},
        {**good.vectors, "words": Sparse([1, 1], [1.0, 1.0])},
        {**good.vectors, "words": Sparse([1], [float("nan")])},
        {**nan, "dense": np.full(4, np.inf, dtype=np.float32)},
    ]
    for one in wrong:
        with pytest.raises(ProfileMismatch, match="test"):
            await index.put("acme", [good, Put("b", one, {})])
    assert await index.count(Within("acme")) == 0


async def test_a_collection_refuses_another_profile(tmp_path: Path) -> None:
    """An installation whose embedder changed says so at start, and names what to do."""
    other = Profile("other", {"words": Space("sparse", idf=True)})
    async with open_edge(tmp_path / "shard", PROFILE, FIELDS, 10):
        pass
    with pytest.raises(ProfileMismatch, match=r"'test'.*'other'.*migrate"):
        async with open_edge(tmp_path / "shard", other, FIELDS, 10):
            pass
    client = AsyncQdrantClient(":memory:")
    await open_collection(client, "c", PROFILE, FIELDS, Calls(10))
    with pytest.raises(ProfileMismatch, match=r"'test'.*'other'.*migrate"):
        await open_collection(client, "c", other, FIELDS, Calls(10))
    await client.close()


def test_no_point_without_a_tenant() -> None:
    """A forgotten tenant is an error, not a search of everybody's documents."""
    with pytest.raises(ValueError, match="tenant"):
        Within("")


NASTY = st.text(alphabet="ab*'\"{}[].:\\/\x00\n中", min_size=1, max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_tenants_never_meet(index: Index, data: st.DataObject) -> None:
    """Whatever tenants, documents and filter values are called, and however alike, each sees its own."""
    one, other = data.draw(st.lists(NASTY, min_size=2, max_size=2, unique=True))
    document = data.draw(NASTY)
    key = data.draw(st.sampled_from(["document", "tenant", "kind", "tags"]))
    value = data.draw(st.sampled_from([other, one, document]))
    await index.put(one, [put("p", {1: 1.0}, document=document, owner=one)])
    await index.put(other, [put("p", {1: 1.0}, document=document, owner=other)])
    for within in (
        Within(one),
        Within(one, {key: value}),
        Within(one, some={key: [value, other]}),
        Within(one, but={key: [value]}),
    ):
        for asked in (words({1: 1.0}), Asked(vectors({1: 1.0}), 10), Asked({"dense": unit(1, 1, 1, 1)}, 10)):
            found = await index.search(
                within, Asked({k: v for k, v in asked.vectors.items() if k != "colbert"}, 10)
            )
            assert {hit.payload["owner"] for hit in found} <= {one}
        assert {row["owner"] for row in await index.read(within, ["owner"])} <= {one}
    assert await index.count(Within(one)) == 1
    await index.drop(Within(one))
    assert await index.count(Within(other)) == 1
    await index.drop(Within(other))


async def test_tenants_are_named(index: Index) -> None:
    """A move of the index reaches everybody's documents, whatever they are called."""
    assert await index.tenants() == []
    names = ["acme", 'x" OR "1"="1', "租户/../acme", *(f"t{n:02d}" for n in range(20))]
    for name in names:
        await index.put(name, [put("a", {1: 1.0}), put("b", {2: 1.0})])
    assert await index.tenants() == sorted(names)


async def test_all_of_the_payload_is_read(index: Index) -> None:
    """A copy of a point is as the point."""
    await index.put("acme", [put("a", {1: 1.0}, tags=["x", "y"], ordinal=3)])
    (row,) = await index.read(Within("acme"), [])
    assert row == {"name": "a", "tags": ["x", "y"], "ordinal": 3, "tenant": "acme"}
