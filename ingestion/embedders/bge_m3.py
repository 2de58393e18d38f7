"""BGE-M3 in this process by FlagEmbedding: dense, lexical and ColBERT vectors of one pass of the model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import anyio
from anyio import CapacityLimiter, to_thread

from ingestion.embedders.batches import batches
from ingestion.embedders.bge_folder import checked_size
from ingestion.vectors import Profile, Space, Vectors
from runtime.errors import KnowledgeUnavailable

if TYPE_CHECKING:
    from ingestion.embedders.bge_model import BgeModel

_BATCH_CHARS = 32_000
"""Bounds a batch of long texts: ColBERT rows of 8,000 tokens are 32 MB, and as much at each layer."""


class BgeM3:
    """An `Embedder` of the vectors `dense` (1024 floats), `lexical` (sparse, its weights the model's own, so
    without IDF) and, where wanted, `colbert` (multi, a row for each token but the first).

    On two cores in fp32 a child of 128 tokens takes 0.6 to 1.3 s: it wants a GPU, or patience. Loaded when it
    is first used; one batch at a time, whoever asks.
    """

    def __init__(
        self,
        folder: Path,
        *,
        timeout_s: float,
        query_timeout_s: float | None = None,
        colbert: bool = False,
        device: str = "",
        max_tokens: int = 512,
        batch: int | None = None,
        name: str = "bge-m3",
    ) -> None:
        """`folder` holds the files of BAAI/bge-m3; `device` as torch names it, "" for a GPU if any.

        `timeout_s` bounds the wait for others' batches, of a query `query_timeout_s` all of it; a batch of
        documents that runs is waited for. `batch` is 8 with a GPU and 2 without, since a query waits for two
        batches of documents. `max_tokens` of a text
        count, 8,192 at most. `name` is the profile's: other weights, or another `max_tokens`, want another.
        Raises SettingsInvalid without the packages or the files.
        """
        size = checked_size(folder, max_tokens)
        spaces = {"dense": Space("dense", size), "lexical": Space("sparse")}
        self.profile = Profile(name, spaces | ({"colbert": Space("multi", size)} if colbert else {}))
        self._load = partial(_load, folder, device, size, max_tokens, colbert)
        self._model: BgeModel | None = None
        self._batch = batch or (8 if _has_gpu(device) else 2)
        self._timeout_s = timeout_s
        self._query_timeout_s = query_timeout_s or timeout_s
        self._alone = Lock()
        self._turn = CapacityLimiter(1)
        self._documents = anyio.Lock()

    async def documents(self, texts: Sequence[str], around: Sequence[str] = ()) -> list[Vectors]:
        # Texts of like length together: each costs as much as the longest of its batch.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        made: list[Vectors] = []
        for batch in batches([texts[i] for i in order], self._batch, _BATCH_CHARS):
            # One batch of documents stands in the queue at most, so that a query waits for two of them.
            async with self._documents:
                made += await self._encoded(batch, self._timeout_s, abandon=False)
        by_place = dict(zip(order, made, strict=True))
        return [by_place[i] for i in range(len(texts))]

    async def query(self, text: str) -> Vectors:
        (vectors,) = await self._encoded([text], self._query_timeout_s, abandon=True)
        return vectors

    async def _encoded(self, texts: Sequence[str], timeout_s: float, *, abandon: bool) -> list[Vectors]:
        try:
            with anyio.fail_after(timeout_s):
                return await to_thread.run_sync(
                    self._encode, texts, limiter=self._turn, abandon_on_cancel=abandon
                )
        except TimeoutError as exc:
            raise KnowledgeUnavailable(f"BGE-M3 was busy for {timeout_s:g} s") from exc

    def _encode(self, texts: Sequence[str]) -> list[Vectors]:
        # The limiter lets the next one in when a query is given up, whose thread goes on.
        with self._alone:
            if self._model is None:
                self._model = self._load()
            return self._model.encode(texts)


def _has_gpu(device: str) -> bool:
    """As far as one can tell without torch, which takes ten seconds to ask."""
    return device.startswith("cuda") or (not device and Path("/proc/driver/nvidia").exists())


def _load(folder: Path, device: str, size: int, max_tokens: int, colbert: bool) -> BgeModel:
    try:
        from ingestion.embedders.bge_model import load
    except ImportError as exc:
        raise KnowledgeUnavailable(f"the packages of BGE-M3 cannot be imported ({exc})") from exc
    return load(folder, device, size, max_tokens, colbert)
