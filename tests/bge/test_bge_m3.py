"""BGE-M3 through FlagEmbedding itself: what its vectors are, and what is refused."""

from __future__ import annotations

from pathlib import Path

import anyio
import numpy as np
import pytest
from FlagEmbedding import BGEM3FlagModel

from ingestion.embedders.bge_m3 import BgeM3
from ingestion.vectors import Space, Sparse, Vectors
from runtime.errors import KnowledgeUnavailable, SettingsInvalid
from tests.bge.tiny_model import CHILDREN, MAX_TOKENS, SIZE, write

pytestmark = pytest.mark.anyio


def lexical(vectors: Vectors) -> dict[int, float]:
    sparse = vectors["lexical"]
    assert isinstance(sparse, Sparse)
    return dict(zip(sparse.indices, sparse.values, strict=True))


def rows(vectors: Vectors, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    floats = vectors[name]
    assert not isinstance(floats, Sparse)
    return floats


def assert_alike(one: Vectors, other: Vectors) -> None:
    for name in ("dense", "colbert"):
        np.testing.assert_allclose(rows(one, name), rows(other, name), atol=1e-5)
    assert lexical(one) == pytest.approx(lexical(other), abs=1e-5)


async def test_the_vectors_are_those_of_the_profile(embedder: BgeM3) -> None:
    """English and Chinese come out in the shapes, types and norms that an index takes, and no weight is 0."""
    assert embedder.profile.name == "bge-m3"
    assert embedder.profile.spaces == {
        "dense": Space("dense", SIZE),
        "lexical": Space("sparse"),
        "colbert": Space("multi", SIZE),
    }
    for vectors in await embedder.documents(CHILDREN):
        embedder.profile.check(vectors)
        dense, colbert = rows(vectors, "dense"), rows(vectors, "colbert")
        assert dense.dtype == colbert.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(dense), 1, atol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(colbert, axis=1), 1, atol=1e-6)
        assert lexical(vectors) and min(lexical(vectors).values()) > 0


async def test_it_answers_as_flag_embedding_does(embedder: BgeM3, folder: Path) -> None:
    """Our way through the loaded model is the library's own, dense, lexical and ColBERT, padding included."""
    own = BGEM3FlagModel(str(folder), use_fp16=False, devices="cpu").encode(
        list(CHILDREN), return_dense=True, return_sparse=True, return_colbert_vecs=True
    )
    for i, ours in enumerate(await embedder.documents(CHILDREN)):
        weights = {int(token): float(weight) for token, weight in own["lexical_weights"][i].items()}
        assert lexical(ours) == pytest.approx(weights, abs=1e-5)
        np.testing.assert_allclose(rows(ours, "dense"), own["dense_vecs"][i], atol=1e-5)
        np.testing.assert_allclose(rows(ours, "colbert"), own["colbert_vecs"][i], atol=1e-5)


async def test_a_text_has_one_vector_whatever_stands_beside_it(embedder: BgeM3) -> None:
    """The same text twice, in a batch of longer ones or as a query, is found by itself."""
    together = await embedder.documents([*CHILDREN, CHILDREN[0]])
    assert_alike(together[0], together[-1])
    for text, vectors in zip(CHILDREN, together, strict=False):
        assert_alike(vectors, await embedder.query(text))


async def test_an_empty_text_and_a_very_long_one_have_vectors(embedder: BgeM3) -> None:
    """Neither stops a document: one has no words, the other counts by its beginning."""
    long = "budget " * 20_000
    nothing, cut = await embedder.documents(["", long])
    for vectors in (nothing, cut):
        embedder.profile.check(vectors)
    assert lexical(nothing) == {}
    # The first token is the text's and has no row.
    assert len(rows(cut, "colbert")) == MAX_TOKENS - 1
    assert_alike(cut, await embedder.query(long[: len(long) // 2]))
    assert await embedder.documents([]) == []


async def test_without_colbert_there_is_none(folder: Path) -> None:
    """Half a megabyte for each child is made only for whoever wants it."""
    embedder = BgeM3(folder, timeout_s=60, device="cpu")
    assert set(await embedder.query(CHILDREN[0])) == set(embedder.profile.spaces) == {"dense", "lexical"}


async def test_a_query_goes_between_batches(embedder: BgeM3) -> None:
    """A rep's question does not wait until whole documents are embedded, however many are at it."""
    done: list[str] = []

    async def embed(name: str) -> None:
        await embedder.documents(CHILDREN * 20)
        done.append(name)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(embed, "first document")
        tasks.start_soon(embed, "second document")
        await anyio.wait_all_tasks_blocked()
        await embedder.query(CHILDREN[0])
        done.append("query")
    assert done == ["query", "first document", "second document"]


async def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    """A damaged download never fills an index with vectors that find nothing."""
    embedder = BgeM3(write(tmp_path, broken=True), timeout_s=60, colbert=True, device="cpu")
    with pytest.raises(KnowledgeUnavailable, match="not finite"):
        await embedder.documents(CHILDREN)


async def test_files_that_cannot_be_loaded_are_named(tmp_path: Path) -> None:
    """A model that is half there is told by its folder, and may be completed while the process runs."""
    weights = write(tmp_path) / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    embedder = BgeM3(tmp_path, timeout_s=60, device="cpu")
    with pytest.raises(KnowledgeUnavailable, match=tmp_path.name):
        await embedder.query(CHILDREN[0])
    weights.write_bytes(whole)
    assert await embedder.query(CHILDREN[0])


async def test_a_device_that_is_not_there_is_named(folder: Path) -> None:
    """A wrong setting fails as what it is, not as a traceback of torch's."""
    embedder = BgeM3(folder, timeout_s=60, device="cuda:7")
    with pytest.raises(KnowledgeUnavailable, match=folder.name):
        await embedder.query(CHILDREN[0])


@pytest.mark.parametrize("file", ["config.json", "colbert_linear.pt", "sparse_linear.pt"])
def test_a_missing_file_is_named(tmp_path: Path, file: str) -> None:
    """FlagEmbedding would make up random heads, or ask the network for a model of the folder's name."""
    (write(tmp_path) / file).unlink()
    with pytest.raises(SettingsInvalid, match=file) as caught:
        BgeM3(tmp_path, timeout_s=60)
    assert str(tmp_path) in str(caught.value)


def test_more_tokens_than_the_model_reads_are_refused(folder: Path) -> None:
    """Else torch fails in the middle of the first long document."""
    with pytest.raises(SettingsInvalid, match=f"{MAX_TOKENS} tokens, fewer than {MAX_TOKENS + 1}"):
        BgeM3(folder, timeout_s=60, max_tokens=MAX_TOKENS + 1)
