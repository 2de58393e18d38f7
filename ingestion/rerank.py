"""The contract of a reranker: reads query and text together, which tells more than comparing vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Reranker(Protocol):
    """A cross-encoder."""

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """One for each text, higher is better; comparable for one query only. Leaves the event loop free.

        Raises KnowledgeUnavailable when the model fails or is busy for too long.
        """
        ...
