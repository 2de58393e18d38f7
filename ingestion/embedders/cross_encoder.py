"""A cross-encoder in this process by FlagEmbedding: a query and a text go through the model together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio import CapacityLimiter, to_thread

from ingestion.embedders.batches import batches
from ingestion.embedders.cross_encoder_folder import check_folder
from runtime.errors import KnowledgeUnavailable

if TYPE_CHECKING:
    from ingestion.embedders.cross_encoder_model import CrossEncoderModel

_BATCH_CHARS = 32_000


class CrossEncoder:
    """A `Reranker` of a model like BAAI/bge-reranker-v2-m3, which speaks English and Chinese.

    Its scores are logits, of any sign. Loaded when it is first used, from files alone; one batch at a time,
    whoever asks, so that queries take turns. On a CPU it wants few texts, or short ones.
    """

    def __init__(
        self,
        folder: Path,
        *,
        timeout_s: float,
        device: str = "",
        max_tokens: int = 512,
        batch: int = 8,
    ) -> None:
        """`folder` holds the model's files; `device` as torch names it, "" for a GPU if any.

        `timeout_s` bounds `scores`; a batch that runs is waited for. `max_tokens` of query and text together
        count, of the query three quarters of them. Raises SettingsInvalid without the packages or the files.
        """
        check_folder(folder, max_tokens)
        self._load = partial(_load, folder, device, max_tokens)
        self._model: CrossEncoderModel | None = None
        self._batch = batch
        self._timeout_s = timeout_s
        self._turn = CapacityLimiter(1)

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        # Texts of like length together: each costs as much as the longest of its batch.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        made: list[float] = []
        try:
            with anyio.fail_after(self._timeout_s):
                for batch in batches([texts[i] for i in order], self._batch, _BATCH_CHARS):
                    made += await to_thread.run_sync(self._score, query, batch, limiter=self._turn)
        except TimeoutError as exc:
            raise KnowledgeUnavailable(
                f"the cross-encoder had read {len(made)} of {len(texts)} texts after {self._timeout_s:g} s"
            ) from exc
        by_place = dict(zip(order, made, strict=True))
        return [by_place[i] for i in range(len(texts))]

    def _score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Alone, by the limiter."""
        if self._model is None:
            self._model = self._load()
        return self._model.scores(query, texts)


def _load(folder: Path, device: str, max_tokens: int) -> CrossEncoderModel:
    try:
        from ingestion.embedders.cross_encoder_model import load
    except ImportError as exc:
        raise KnowledgeUnavailable(f"the packages of the cross-encoder cannot be imported ({exc})") from exc
    return load(folder, device, max_tokens)
