"""Dense vectors through a real HTTP endpoint: what is sent, what comes back, and what each fault becomes."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import numpy as np
import pytest
from pydantic import SecretStr

from ingestion.embedders.dense import DenseEmbedder
from ingestion.vectors import Space, Vectors
from runtime.embeddings import open_embeddings
from runtime.errors import AppError, KnowledgeUnavailable, ProfileMismatch, SettingsInvalid
from tests.embeddings_server import SIZE, EmbeddingsServer, Fault, embeddings_server, vector_of

pytestmark = pytest.mark.anyio

KEY = "sk-test-secret"
TEXT = "we pay 40,000 a year 太贵了"


@pytest.fixture
async def server() -> AsyncIterator[EmbeddingsServer]:
    async with embeddings_server(key=KEY) as running:
        yield running


@pytest.fixture
async def embedder(server: EmbeddingsServer) -> AsyncIterator[DenseEmbedder]:
    async with connect(server.base_url) as opened:
        yield opened


@asynccontextmanager
async def connect(base_url: str, *, retries: int = 2, **more: Any) -> AsyncIterator[DenseEmbedder]:
    key = SecretStr(KEY)
    opening = open_embeddings("m", base_url=base_url, api_key=key, timeout_s=20, max_retries=retries)
    async with opening as model:
        yield DenseEmbedder(model, "some-model", SIZE, **{"timeout_s": 20, **more})


def row(vectors: Vectors) -> np.ndarray[Any, Any]:
    return np.asarray(vectors["dense"])


def unit(text: str) -> np.ndarray[Any, Any]:
    raw = vector_of(text)
    return raw / np.linalg.norm(raw)


@pytest.mark.parametrize("speaks_base64", [True, False], ids=["base64", "lists"])
async def test_texts_come_back_as_unit_rows(
    embedder: DenseEmbedder, server: EmbeddingsServer, speaks_base64: bool
) -> None:
    """Endpoints that leave the norm to us, in either form of an answer, fill an index that multiplies."""
    server.speaks_base64 = speaks_base64
    texts = [TEXT, "a second text"]
    made = [*await embedder.documents(texts), await embedder.query(TEXT)]
    for vectors, text in zip(made, [*texts, TEXT], strict=True):
        embedder.profile.check(vectors)
        assert row(vectors).dtype == np.float32
        np.testing.assert_allclose(row(vectors), unit(text), atol=1e-6)
    assert server.calls == [texts, [TEXT]], "texts are sent as they are, not as numbers of a vocabulary"


async def test_many_texts_go_in_batches_a_few_at_once(server: EmbeddingsServer) -> None:
    """A long document neither makes one huge request nor as many at once as it has batches."""
    server.delay_s = 0.02
    texts = [f"text {i}" for i in range(300)]
    async with connect(server.base_url, concurrency=2) as embedder:
        made = await embedder.documents(texts)
    for vectors, text in zip(made, texts, strict=True):
        np.testing.assert_allclose(row(vectors), unit(text), atol=1e-6)
    assert sorted(len(call) for call in server.calls) == [44, 64, 64, 64, 64]
    assert server.most_at_once == 2 and len(server.connections) == 2


async def test_long_texts_make_smaller_batches(embedder: DenseEmbedder, server: EmbeddingsServer) -> None:
    """The bound of a request is its size too, and a text beyond it goes alone."""
    await embedder.documents(["x" * 40_000] * 3 + ["y" * 200_000])
    assert sorted(len(call) for call in server.calls) == [1, 1, 2]


async def test_a_search_does_not_wait_for_documents(server: EmbeddingsServer) -> None:
    """A rep's question goes out while every slot for documents is taken."""
    async with connect(server.base_url, concurrency=1) as embedder, anyio.create_task_group() as tasks:
        server.fail_next("hang")
        tasks.start_soon(embedder.documents, ["never answered"])
        while not server.calls:
            await anyio.sleep(0.01)
        assert await embedder.query(TEXT)
        tasks.cancel_scope.cancel()


async def test_blank_texts_have_a_vector(embedder: DenseEmbedder, server: EmbeddingsServer) -> None:
    """Endpoints refuse a batch for one empty text in it; the others of the batch must not be lost."""
    made = await embedder.documents(["", TEXT, " \n"])
    assert len(made) == 3 and server.calls == [[".", TEXT, "."]]
    assert await embedder.query("")
    assert await embedder.documents([]) == []


FAULTS: list[tuple[Fault, type[AppError], int]] = [
    ("400", KnowledgeUnavailable, 1),
    ("401", KnowledgeUnavailable, 1),
    ("429", KnowledgeUnavailable, 3),
    ("500", KnowledgeUnavailable, 3),
    ("garbage", KnowledgeUnavailable, 1),
    ("none", KnowledgeUnavailable, 1),
    ("few", KnowledgeUnavailable, 1),
    ("ragged", KnowledgeUnavailable, 1),
    ("nan", KnowledgeUnavailable, 1),
    ("zeros", KnowledgeUnavailable, 1),
    ("size", ProfileMismatch, 1),
]


@pytest.mark.parametrize("speaks_base64", [True, False], ids=["base64", "lists"])
@pytest.mark.parametrize(("fault", "error", "attempts"), FAULTS, ids=[fault for fault, *_ in FAULTS])
async def test_each_fault_has_its_error(
    embedder: DenseEmbedder,
    server: EmbeddingsServer,
    fault: Fault,
    error: type[AppError],
    attempts: int,
    speaks_base64: bool,
) -> None:
    """No wrong row gets into an index; attempts are bounded; neither key nor text leaks into the error."""
    server.speaks_base64 = speaks_base64
    server.fail_next(fault, times=10)
    with pytest.raises(error) as caught:
        await embedder.documents([TEXT, "another"])
    assert type(caught.value) is error and len(server.calls) == attempts
    said = f"{caught.value!r} {caught.value.details}"
    assert "some-model" in said and KEY not in said and TEXT not in said


async def test_a_passing_fault_is_tried_again(embedder: DenseEmbedder, server: EmbeddingsServer) -> None:
    """A hiccup of the endpoint does not fail a document."""
    server.fail_next("500", times=2)
    assert await embedder.query(TEXT)


async def test_one_failed_batch_fails_the_call_as_itself(server: EmbeddingsServer) -> None:
    """A caller sees one error with a code, not a group, and the other batches stop."""
    server.fail_next("401")
    async with connect(server.base_url, concurrency=1) as embedder:
        with pytest.raises(KnowledgeUnavailable, match="API key"):
            await embedder.documents([f"text {i}" for i in range(300)])
    assert len(server.calls) < 5


async def test_an_endpoint_that_hangs_is_given_up(server: EmbeddingsServer) -> None:
    """The time is for the request with all its retries, whatever they do."""
    server.fail_next("hang", times=10)
    async with connect(server.base_url, timeout_s=0.2) as embedder:
        with pytest.raises(KnowledgeUnavailable, match=r"0\.2 s"), anyio.fail_after(20):
            await embedder.query(TEXT)


async def test_an_endpoint_that_is_down_is_left_alone(server: EmbeddingsServer) -> None:
    """After some failures in a row callers fail at once, and the endpoint hears nothing for a while."""
    server.fail_next("500", times=2)
    async with connect(server.base_url, retries=0, failures=2) as embedder:
        for _ in range(2):
            with pytest.raises(KnowledgeUnavailable, match="HTTP 500"):
                await embedder.query(TEXT)
        with pytest.raises(KnowledgeUnavailable, match="left alone"):
            await embedder.documents([TEXT])
    assert len(server.calls) == 2


async def test_a_refused_text_is_no_outage(server: EmbeddingsServer) -> None:
    """One text that the model does not take leaves the endpoint open to all others."""
    server.fail_next("400", times=3)
    async with connect(server.base_url, retries=0, failures=2) as embedder:
        for _ in range(3):
            with pytest.raises(KnowledgeUnavailable, match="HTTP 400"):
                await embedder.query(TEXT)
        assert await embedder.query(TEXT)


async def test_a_refused_connection_is_unavailable() -> None:
    """An endpoint that is not running is named."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    async with connect(f"http://127.0.0.1:{port}/v1", retries=0) as embedder:
        with pytest.raises(KnowledgeUnavailable, match=f"127.0.0.1:{port}"):
            await embedder.query(TEXT)


async def test_a_url_that_is_none_is_refused() -> None:
    """Before the first text is sent, by the setting's own words."""
    with pytest.raises(SettingsInvalid, match="somewhere"):
        async with connect("somewhere"):
            raise AssertionError("must not open")


async def test_the_profile_says_which_languages_it_speaks(server: EmbeddingsServer) -> None:
    """So that an English model is left out of a Chinese search."""
    async with connect(server.base_url, languages=("en",)) as embedder:
        assert embedder.profile.name == "some-model"
        assert embedder.profile.spaces == {"dense": Space("dense", SIZE, languages=("en",))}
