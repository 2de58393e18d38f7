"""Dense vectors from a model behind an endpoint, in batches, some at once, left alone while it is down."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import anyio

from ingestion.embedders.at_once import at_once
from ingestion.embedders.batches import batches
from ingestion.embedders.rows import unit_rows
from ingestion.vectors import Floats, Profile, Space, Vectors
from runtime.errors import (
    AppError,
    KnowledgeUnavailable,
    ModelOutputInvalid,
    ModelTimeout,
    ModelUnauthorized,
    ModelUnavailable,
)
from runtime.resilience import Breaker

_NAME = "dense"
_BATCH = 64
_BATCH_CHARS = 96_000
"""With `_BATCH`, 16 to 48 thousand tokens: far below what OpenAI allows for one request, 2,048 texts and
300,000 tokens, and little enough for a GPU's memory."""
_QUERIES = 8
"""At the endpoint at once; more wait."""
_BLANK = "."
"""Sent for a blank text, which endpoints refuse: it is near to nothing in particular."""
_FAILURES = (ModelUnavailable, ModelUnauthorized, ModelOutputInvalid)
"""What says that the endpoint itself does not work, not that it dislikes these texts."""


class Model(Protocol):
    """What langchain-core calls Embeddings, as `runtime.embeddings` opens it: errors are AppErrors that name
    the place."""

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]: ...

    async def aembed_query(self, text: str) -> list[float]: ...


class DenseEmbedder:
    """An `Embedder` of the vector `dense`. Retries are the model's."""

    def __init__(
        self,
        model: Model,
        name: str,
        size: int,
        *,
        timeout_s: float,
        query_timeout_s: float | None = None,
        languages: tuple[str, ...] = (),
        concurrency: int = 4,
        failures: int = 3,
        rest_s: float = 30.0,
    ) -> None:
        """`name` is the profile's, `size` the floats of a row, `languages` those that the model speaks.

        `timeout_s` bounds one request with its retries, `query_timeout_s` that of a query (None: the same),
        `concurrency` the batches of documents at once; after `failures` in a row the endpoint is left alone
        for `rest_s`.
        """
        self.profile = Profile(name, {_NAME: Space("dense", size, languages=languages)})
        self._model = model
        self._size = size
        self._timeout_s = timeout_s
        self._query_timeout_s = query_timeout_s or timeout_s
        # Apart, so that a search never waits for documents.
        self._batches = anyio.Semaphore(concurrency)
        self._queries = anyio.Semaphore(_QUERIES)
        self._place = f"the embedder {name!r}"
        self._breaker = Breaker(
            self._place, counted=_FAILURES, error=KnowledgeUnavailable, failures=failures, rest_s=rest_s
        )

    async def documents(self, texts: Sequence[str], around: Sequence[str] = ()) -> list[Vectors]:
        sendable = [_sendable(text) for text in texts]
        made = await at_once(
            [partial(self._batch, batch) for batch in batches(sendable, _BATCH, _BATCH_CHARS)]
        )
        return [{_NAME: row} for rows in made for row in rows]

    async def query(self, text: str) -> Vectors:
        async with self._queries:
            (row,) = await self._asked([_sendable(text)], is_query=True)
        return {_NAME: row}

    async def _batch(self, texts: list[str]) -> Floats:
        async with self._batches:
            return await self._asked(texts)

    async def _asked(self, texts: list[str], *, is_query: bool = False) -> Floats:
        try:
            with self._breaker.call():
                answered = await self._answer(texts, is_query)
        except KnowledgeUnavailable:
            raise
        except AppError as exc:
            raise KnowledgeUnavailable(f"{self._place}: {exc}") from exc
        return unit_rows(answered, len(texts), self._size, self._place)

    async def _answer(self, texts: list[str], is_query: bool) -> list[list[float]]:
        limit_s = self._query_timeout_s if is_query else self._timeout_s
        try:
            with anyio.fail_after(limit_s):
                if is_query:
                    return [await self._model.aembed_query(texts[0])]
                return await self._model.aembed_documents(texts)
        except TimeoutError as exc:
            raise ModelTimeout(f"no answer within {limit_s:g} s", limit_s=limit_s) from exc


def _sendable(text: str) -> str:
    return text if text.strip() else _BLANK
