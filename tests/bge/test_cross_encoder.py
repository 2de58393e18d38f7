"""The cross-encoder through FlagEmbedding itself: what its scores are, and what is refused."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from FlagEmbedding import FlagReranker

from ingestion.embedders.cross_encoder import CrossEncoder
from runtime.errors import KnowledgeUnavailable, SettingsInvalid
from tests.bge.tiny_model import CHILDREN, MAX_TOKENS
from tests.bge.tiny_model import write as write_embedding_model
from tests.bge.tiny_reranker import write

pytestmark = pytest.mark.anyio

QUERY = "What does a seat cost?"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model in bge-reranker's layout."""
    return write(tmp_path_factory.mktemp("bge-reranker"))


@pytest.fixture(scope="module")
def reranker(files: Path) -> CrossEncoder:
    """Three texts in a batch; its model is loaded by the first test that asks."""
    return CrossEncoder(files, timeout_s=60, device="cpu", batch=3)


@pytest.mark.parametrize("query", [QUERY, "合同可以退款吗？", "budget " * 2_000], ids=["en", "zh", "long"])
async def test_it_answers_as_flag_embedding_does(reranker: CrossEncoder, files: Path, query: str) -> None:
    """Our way through the loaded model is the library's own, padding and cutting included.

    Of an empty text it makes no pair, and scores the query alone.
    """
    texts = [*CHILDREN, "budget " * 2_000]
    library = FlagReranker(str(files), devices="cpu")
    own = library.compute_score([(query, text) for text in texts])
    assert await reranker.scores(query, texts) == pytest.approx(own, abs=1e-4)


async def test_a_pair_has_one_score_whatever_stands_beside_it(reranker: CrossEncoder) -> None:
    """In the order of the texts, the same text twice, alone or in a batch of longer ones."""
    together = await reranker.scores(QUERY, [*CHILDREN, "", CHILDREN[0]])
    assert together[0] == pytest.approx(together[-1], abs=1e-5)
    for text, score in zip([*CHILDREN, ""], together, strict=False):
        assert await reranker.scores(QUERY, [text]) == pytest.approx([score], abs=1e-5)
    assert len(set(map(str, together))) >= len(CHILDREN)


async def test_the_query_counts(reranker: CrossEncoder) -> None:
    """A score is of the pair, not of the text."""
    assert await reranker.scores(QUERY, CHILDREN) != await reranker.scores("合同", CHILDREN)


async def test_no_texts_have_no_scores(reranker: CrossEncoder) -> None:
    """A search that finds nothing loads no model and fails on nothing."""
    assert await reranker.scores(QUERY, []) == []


async def test_queries_take_turns(reranker: CrossEncoder) -> None:
    """One with few texts does not wait until another with many is through."""
    done: list[str] = []

    async def rank(name: str, texts: list[str]) -> None:
        await reranker.scores(QUERY, texts)
        done.append(name)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(rank, "many", [*CHILDREN] * 20)
        await anyio.lowlevel.checkpoint()
        tasks.start_soon(rank, "few", [*CHILDREN[:2]])
    assert done == ["few", "many"]


async def test_a_wait_has_an_end(files: Path) -> None:
    """A rep gets the degraded answer rather than wait for a model that is too slow."""
    slow = CrossEncoder(files, timeout_s=0, device="cpu", batch=1)
    with pytest.raises(KnowledgeUnavailable, match="of 6 texts after 0 s"):
        await slow.scores(QUERY, CHILDREN)


async def test_scores_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    """A damaged download never puts passages into an order."""
    broken = CrossEncoder(write(tmp_path, broken=True), timeout_s=60, device="cpu")
    with pytest.raises(KnowledgeUnavailable, match="not finite"):
        await broken.scores(QUERY, CHILDREN)


async def test_files_that_cannot_be_loaded_are_named(tmp_path: Path) -> None:
    """A model that is half there is told by its folder, and may be completed while the process runs."""
    weights = write(tmp_path) / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    reranker = CrossEncoder(tmp_path, timeout_s=60, device="cpu")
    with pytest.raises(KnowledgeUnavailable, match=tmp_path.name):
        await reranker.scores(QUERY, CHILDREN)
    weights.write_bytes(whole)
    assert len(await reranker.scores(QUERY, CHILDREN)) == len(CHILDREN)


async def test_a_device_that_is_not_there_is_named(files: Path) -> None:
    """A wrong setting fails as what it is, not as a traceback of torch's."""
    reranker = CrossEncoder(files, timeout_s=60, device="cuda:7")
    with pytest.raises(KnowledgeUnavailable, match=files.name):
        await reranker.scores(QUERY, CHILDREN)


def test_an_embedding_model_is_no_reranker(tmp_path: Path) -> None:
    """transformers would give it a random head, and every order would be chance."""
    with pytest.raises(SettingsInvalid, match="XLMRobertaModel"):
        CrossEncoder(write_embedding_model(tmp_path), timeout_s=60)


def test_a_model_of_several_labels_is_no_reranker(tmp_path: Path) -> None:
    """Which of three numbers is the score nobody knows."""
    with pytest.raises(SettingsInvalid, match="3 labels"):
        CrossEncoder(write(tmp_path, labels=3), timeout_s=60)


def test_more_tokens_than_the_model_reads_are_refused(files: Path) -> None:
    """Else torch fails in the middle of the first long passage."""
    with pytest.raises(SettingsInvalid, match=f"{MAX_TOKENS} tokens, fewer than {MAX_TOKENS + 1}"):
        CrossEncoder(files, timeout_s=60, max_tokens=MAX_TOKENS + 1)
