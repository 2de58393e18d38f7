"""Several embedders as one, whose vectors are all of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ingestion.embed import Embedder
from ingestion.embedders.at_once import at_once
from ingestion.vectors import Profile, Space, Vectors
from runtime.errors import SettingsInvalid


class Together:
    """An `Embedder` that asks all of its parts at once, and fails if one of them does."""

    def __init__(self, *parts: Embedder) -> None:
        """Raises SettingsInvalid where two parts make vectors of the same name."""
        self._parts = parts
        self.profile = _union([part.profile for part in parts])

    async def documents(self, texts: Sequence[str]) -> list[Vectors]:
        made = await at_once([partial(part.documents, texts) for part in self._parts])
        return [_merged(of_one) for of_one in zip(*made, strict=True)]

    async def query(self, text: str) -> Vectors:
        return _merged(await at_once([partial(part.query, text) for part in self._parts]))


def _union(profiles: Sequence[Profile]) -> Profile:
    spaces: dict[str, Space] = {}
    for profile in profiles:
        if twice := spaces.keys() & profile.spaces.keys():
            names = [each.name for each in profiles]
            raise SettingsInvalid(f"two of the embedders {names} make vectors {sorted(twice)}")
        spaces.update(profile.spaces)
    return Profile("+".join(profile.name for profile in profiles), spaces)


def _merged(parts: Sequence[Vectors]) -> Vectors:
    return {name: vector for part in parts for name, vector in part.items()}
