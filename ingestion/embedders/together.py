"""Several embedders as one, whose vectors are all of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import structlog

from ingestion.embed import Embedder
from ingestion.embedders.at_once import at_once
from ingestion.language import language_of
from ingestion.vectors import Profile, Space, Vectors
from runtime.errors import KnowledgeUnavailable, SettingsInvalid

log = structlog.get_logger()


class Together:
    """An `Embedder` that asks its parts at once.

    Documents are embedded by all of them or not at all, since a collection holds whole profiles. A query is
    embedded by those that can: a part that does not speak its language is not asked, and one that raises
    KnowledgeUnavailable is left out while another answers, so that with an endpoint down words still find.
    """

    def __init__(self, *parts: Embedder) -> None:
        """Raises SettingsInvalid where two parts make vectors of the same name."""
        self._parts = parts
        self.profile = _union([part.profile for part in parts])
        self._left_out: set[str] = set()
        """Names of the parts that did not answer when they were last asked."""

    async def documents(self, texts: Sequence[str], around: Sequence[str] = ()) -> list[Vectors]:
        made = await at_once([partial(part.documents, texts, around) for part in self._parts])
        return [_merged(of_one) for of_one in zip(*made, strict=True)]

    async def query(self, text: str) -> Vectors:
        """Raises the first part's error when none of those that are asked answers."""
        language = language_of(text)
        asked = [part for part in self._parts if _speaks(part.profile, language)]
        answers = await at_once([partial(_answer, part, text) for part in asked])
        for part, answer in zip(asked, answers, strict=True):
            self._note(part.profile.name, failed=isinstance(answer, KnowledgeUnavailable))
        errors = [answer for answer in answers if isinstance(answer, KnowledgeUnavailable)]
        if errors and len(errors) == len(answers):
            raise errors[0]
        return _merged([answer for answer in answers if not isinstance(answer, KnowledgeUnavailable)])

    def _note(self, name: str, *, failed: bool) -> None:
        """Says so once, when a part begins to fail and when it is back."""
        if failed and name not in self._left_out:
            self._left_out.add(name)
            log.warning("embedder.left_out", embedder=name)
        elif not failed and name in self._left_out:
            self._left_out.discard(name)
            log.info("embedder.back", embedder=name)


async def _answer(part: Embedder, text: str) -> Vectors | KnowledgeUnavailable:
    try:
        return await part.query(text)
    except KnowledgeUnavailable as exc:
        return exc


def _speaks(profile: Profile, language: str) -> bool:
    return any(space.speaks(language) for space in profile.spaces.values())


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
