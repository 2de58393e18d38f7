"""Embedders that need no model: words, several as one, batches, and vectors on the wire and in bytes."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from ingestion.embedders.batches import batches
from ingestion.embedders.bm25 import Bm25Embedder, bm25
from ingestion.embedders.packed import pack, unpack
from ingestion.embedders.together import Together
from ingestion.embedders.wire import as_row, as_vectors
from ingestion.vectors import Profile, Space, Sparse, Vector, Vectors
from runtime.errors import KnowledgeUnavailable, SettingsInvalid

ENGLISH = "The price of the Team plan includes prices of seats."
CHINESE = "企业版的价格包含单点登录。"


class Scripted:
    """An embedder of one dense float, the text's length."""

    def __init__(self, name: str, *, fails: bool = False, gate: anyio.Event | None = None) -> None:
        self.profile = Profile(name, {name: Space("dense", 1)})
        self.asked = anyio.Event()
        self._name = name
        self._fails = fails
        self._gate = gate

    async def documents(self, texts: Sequence[str], around: Sequence[str] = ()) -> list[Vectors]:
        self.asked.set()
        if self._gate:
            await self._gate.wait()
        if self._fails:
            raise KnowledgeUnavailable(f"{self._name} is down")
        return [{self._name: np.array([len(text)], np.float32)} for text in texts]

    async def query(self, text: str) -> Vectors:
        (vectors,) = await self.documents([text])
        return vectors


def words(vectors: Vectors) -> Sparse:
    sparse = vectors["words"]
    assert isinstance(sparse, Sparse)
    return sparse


@pytest.mark.anyio
async def test_words_are_the_engines_own() -> None:
    """Documents carry how often a word is in them, queries that it is; English is stemmed, Chinese cut."""
    embedder = Bm25Embedder()
    texts = [ENGLISH, CHINESE, "", "the of and"]
    for text, made in zip(texts, await embedder.documents(texts), strict=True):
        embedder.profile.check(made)
        own = bm25(256 if text == CHINESE else 128).embed_document(text)
        assert words(made) == Sparse(own.indices, own.values)
    asked = await embedder.query("prices")
    embedder.profile.check(asked)
    assert words(asked).values == [1.0]
    assert await embedder.weights("prices") == dict.fromkeys(words(asked).indices, 1.0)
    assert await embedder.weights("the of") == {}
    assert set(words(asked).indices) < set(words((await embedder.documents([ENGLISH]))[0]).indices)
    assert embedder.profile == Profile("bm25", {"words": Space("sparse", idf=True)})


@pytest.mark.anyio
async def test_many_texts_keep_their_order_across_batches() -> None:
    """A thousand texts go through threads in pieces and come out as they went in."""
    texts = [f"plan x{i}" for i in range(1_000)]
    made = await Bm25Embedder().documents(texts)
    engine = bm25()
    assert [words(each).indices for each in made] == [engine.embed_document(text).indices for text in texts]


@given(st.lists(st.text(max_size=12)), st.integers(1, 5), st.integers(1, 20))
def test_batches_are_whole_and_bounded(texts: list[str], count: int, chars: int) -> None:
    """No text is lost, doubled or moved; only a text that is too long by itself goes beyond the bound."""
    made = list(batches(texts, count, chars))
    assert [text for batch in made for text in batch] == texts
    for batch in made:
        assert 0 < len(batch) <= count
        assert len(batch) == 1 or sum(map(len, batch)) <= chars


@pytest.mark.anyio
async def test_together_they_are_one_embedder() -> None:
    """A collection holds the vectors of all of them, under one profile that names them."""
    both = Together(Scripted("a"), Bm25Embedder())
    assert both.profile.name == "a+bm25" and set(both.profile.spaces) == {"a", "words"}
    made = [*await both.documents([ENGLISH, CHINESE]), await both.query("price")]
    for vectors in made:
        both.profile.check(vectors)
    assert [float(np.asarray(vectors["a"])[0]) for vectors in made] == [len(ENGLISH), len(CHINESE), 5]
    assert await both.documents([]) == []


@pytest.mark.anyio
async def test_together_they_are_asked_at_once() -> None:
    """A search waits for the slowest, not for their sum."""
    gate = anyio.Event()
    first, second = Scripted("a", gate=gate), Scripted("b", gate=gate)
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(Together(first, second).query, "price")
            await first.asked.wait()
            await second.asked.wait()
            gate.set()


@pytest.mark.anyio
async def test_one_that_fails_fails_them_together() -> None:
    """Half of a profile is never written, and the error is the failed one's own, with no group around it."""
    both = Together(Scripted("a", gate=anyio.Event()), Scripted("b", fails=True))
    with pytest.raises(KnowledgeUnavailable, match="b is down") as caught:
        await both.documents(["text"])
    assert caught.value.__cause__ is None


def test_vectors_of_one_name_are_refused() -> None:
    """One would silently take the other's place."""
    with pytest.raises(SettingsInvalid, match="words"):
        Together(Bm25Embedder(), Bm25Embedder())


def floats(dimensions: int) -> st.SearchStrategy[Vector]:
    shapes = array_shapes(min_dims=dimensions, max_dims=dimensions, max_side=6)
    return arrays(np.float32, shapes, elements=st.floats(width=32, allow_nan=False, allow_infinity=False))


WEIGHTS = st.dictionaries(st.integers(0, 2**32 - 1), st.floats(allow_nan=False, allow_infinity=False))
SPARSE = WEIGHTS.map(lambda weights: Sparse(list(weights), list(weights.values())))
NAMES = st.sampled_from(["dense", "lexical", "colbert", "words"])
VECTORS = st.dictionaries(NAMES, st.one_of(floats(1), floats(2), SPARSE))


def assert_same(one: Vectors, other: Vectors) -> None:
    assert list(one) == list(other)
    for name, vector in one.items():
        back = other[name]
        if isinstance(vector, Sparse):
            assert back == vector
        else:
            assert not isinstance(back, Sparse)
            assert back.dtype == np.float32 and back.shape == vector.shape
            assert back.tobytes() == vector.tobytes()


@given(VECTORS)
def test_vectors_come_back_from_json_as_they_were(vectors: Vectors) -> None:
    """What another process or a later step puts into the index is what was made, bit for bit."""
    assert_same(vectors, as_vectors(orjson.loads(orjson.dumps(as_row(vectors)))))


@given(VECTORS)
def test_vectors_come_back_from_bytes_as_they_were(vectors: Vectors) -> None:
    """And so is what the cache gives."""
    assert_same(vectors, unpack(pack(vectors)))


ROWS = [
    {"a": [[2], "AAAAAA=="]},
    {"a": [[1], "no base64!"]},
    {"a": [[1, -5], "AAAAAA=="]},
    {"a": [1, 2]},
    {"a": [[1]]},
    {"a": None},
]


@pytest.mark.parametrize("row", ROWS, ids=repr)
def test_a_row_that_is_none_is_refused(row: dict[str, object]) -> None:
    """A damaged file is one kind of error, whichever byte of it is wrong."""
    with pytest.raises(ValueError):
        as_vectors(row)


@given(VECTORS, st.data())
def test_damaged_bytes_are_refused(vectors: Vectors, data: st.DataObject) -> None:
    """No flipped bit and no cut becomes a vector."""
    packed = bytearray(pack(vectors))
    at = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(ValueError):
        unpack(bytes(packed[:at]))
    packed[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(ValueError):
        unpack(bytes(packed))


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("What costs 69?", "The Business plan costs 69 dollars."),
        ("1,200 seats", "From 1200 on."),
        ("３．５", "It is 3.5 wide."),
        ("2025年", "价格自 2025 年起"),
        ("part 4711", "Order SKU-4711-B."),
    ],
)
@pytest.mark.anyio
async def test_numbers_are_words(asked: str, text: str) -> None:
    """A price, a year, a part number finds the text it stands in; the engine's tokenizer drops them."""
    embedder = Bm25Embedder()
    without = "".join(sign for sign in asked if not sign.isdigit())
    query, other = words(await embedder.query(asked)).indices, words(await embedder.query(without)).indices
    (document,) = await embedder.documents([text])
    assert ({*query} - {*other}) & {*words(document).indices}, "the number itself"


@pytest.mark.anyio
async def test_the_passage_around_counts_as_much_as_the_text() -> None:
    """A child is found by its parent's words too; its own weigh most, and a text alone is as it was."""
    embedder = Bm25Embedder()
    child, parent = "seats cost money", "seats cost money. Terms: thirty days."
    (alone,), (around,) = await embedder.documents([parent]), await embedder.documents([child])
    (made,) = await embedder.documents([child], [parent])
    weights = [dict(zip(*words(one), strict=True)) for one in (alone, around)]
    expected = {index: sum(each.get(index, 0) for each in weights) for index in weights[0]}
    assert dict(zip(*words(made), strict=True)) == pytest.approx(expected)
    (twice,) = await embedder.documents([parent], [parent])
    assert words(twice).values == pytest.approx([2 * value for value in words(alone).values])


@pytest.mark.anyio
@pytest.mark.parametrize("text", ["10GB", "100k", "150ms", "2026Q1", "v2", "1.5x", "1,200USD"])
async def test_digits_of_a_word_are_no_number(text: str) -> None:
    """Nobody who asks for 1 or 15 wants 10GB or 150ms."""
    embedder = Bm25Embedder()
    (made,) = await embedder.documents([text])
    own = set(bm25().embed_document(text).indices)
    assert set(words(made).indices) == own
