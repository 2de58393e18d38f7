"""The contract of an embedder: texts become the vectors of one profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ingestion.vectors import Profile, Vectors


class Embedder(Protocol):
    """Makes vectors; those of documents and of queries are compared by dot product, sparse and dense alike.

    Texts are as `ingestion.document.clean` leaves them. `documents` gives vectors that `profile.check` lets
    pass, `query` such ones or some of them: dense of shape (size,) and multi of shape (tokens, size) in
    float32, each row of norm 1; sparse ones without zeros, empty where a text has no word. A text beyond the
    model's length counts by its beginning.

    They raise KnowledgeUnavailable when the model or its endpoint fails or takes too long, ProfileMismatch
    when it answers in another size than the profile's. They leave the event loop free, and bear to be called
    again and at once.
    """

    @property
    def profile(self) -> Profile: ...

    async def documents(self, texts: Sequence[str], around: Sequence[str] = ()) -> list[Vectors]:
        """Vectors to keep, one mapping for each text, in their order. All or nothing.

        `around`: the passage that each text stands in, for those that weigh words: a child is then found by
        its parent's words too. () for texts that stand alone.
        """
        ...

    async def query(self, text: str) -> Vectors:
        """Vectors to search by: of the profile's, those that speak the text's language, and maybe others.

        An embedder of several parts leaves out what a part that fails would make, as long as another part
        answers. At most a batch or two of documents goes before them.
        """
        ...
