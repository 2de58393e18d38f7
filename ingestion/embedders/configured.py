"""The embedders of an installation, by the names under which they are configured."""

from __future__ import annotations

from collections.abc import Mapping

from ingestion.collection import collection_name, original_name
from ingestion.embed import Embedder
from ingestion.vectors import Profile
from runtime.errors import InvalidInput, ProfileMismatch


class Embedders:
    """Which of them is used is said by the collection: it holds vectors of one profile."""

    def __init__(self, by_name: Mapping[str, Embedder], default: str) -> None:
        """`default` makes the first collection."""
        self._by_name = by_name
        self._collections = {collection_name(name, one.profile): one for name, one in by_name.items()}
        self._default = default

    @property
    def first(self) -> tuple[str, Profile]:
        """Name and profile of an installation's first collection."""
        profile = self.named(self._default).profile
        return collection_name(self._default, profile), profile

    def named(self, name: str) -> Embedder:
        """Raises InvalidInput."""
        if name not in self._by_name:
            raise InvalidInput(f"there is no embedder {name!r}; configured are {', '.join(self._by_name)}")
        return self._by_name[name]

    def of(self, collection: str) -> Embedder:
        """What makes the vectors of a collection. Raises ProfileMismatch where nothing configured does."""
        name = original_name(collection)
        if name not in self._collections:
            raise ProfileMismatch(
                f"the index holds vectors of {collection!r}, and what is configured makes those of"
                f" {sorted(self._collections)}; configure that embedder as it was, or let"
                " `cornerman index migrate --to NAME` make the vectors of another"
            )
        return self._collections[name]
