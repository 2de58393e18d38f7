"""What a strategy would make of a document, without writing anything; strategies side by side."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from threading import Lock
from typing import NamedTuple

from ingestion.chunk import Family
from ingestion.document import Document
from ingestion.split import block_ends
from ingestion.strategy import Strategy
from runtime.errors import InvalidInput

_FEWEST, _MOST = 2, 6
_MAX_CHUNKS = 200_000
"""Kept previews' chunks in all: about 60 MB."""


class ChunkShape(NamedTuple):
    """A child as a preview shows it; its text is `document.text[start:end]`, below `prefix`."""

    start: int
    end: int
    tokens: int
    prefix: str
    parent: int
    """Which parent it is in, from 0."""
    overlap: int
    """Tokens that it repeats of the child before."""
    page: int | None
    section: str


class Sizes(NamedTuple):
    """Tokens of the smallest, of the one at each percentile, of the largest; 0 for no chunks."""

    smallest: int
    p10: int
    p50: int
    p90: int
    largest: int


class Cost(NamedTuple):
    """Tokens, by the strategy's counting."""

    stored: int
    """Of parents, and of children that are not the whole of their parent."""
    embedded: int
    """Of children, each below its table header and section, as the index embeds them."""


@dataclass(frozen=True)
class Preview:
    """One strategy on one document."""

    strategy: Strategy
    chunks: tuple[ChunkShape, ...]
    """The children, in the document's order."""
    parents: int
    sizes: Sizes
    parent_sizes: Sizes
    overlap: float
    """Share of the children's tokens that is repeated; in [0, 1)."""
    boundary_quality: float
    """Share of the places where children begin or end, within the document, that are ends of sentences,
    rows, items or blocks; in [0, 1], 1 where nothing is cut."""
    cost: Cost


@dataclass(frozen=True)
class Comparison:
    """Several strategies on one document, in the order in which they were given."""

    document: str
    previews: tuple[Preview, ...]


def preview(document: Document, strategy: Strategy) -> Preview:
    """Chunks the document and measures what came of it."""
    families = strategy(document, document.name)
    shapes = tuple(_shapes(document, strategy, families))
    tokens = [shape.tokens for shape in shapes]
    return Preview(
        strategy=strategy,
        chunks=shapes,
        parents=len(families),
        sizes=sizes_of(tokens),
        parent_sizes=sizes_of([family.parent.tokens for family in families]),
        overlap=sum(shape.overlap for shape in shapes) / max(sum(tokens), 1),
        boundary_quality=_boundary_quality(document, shapes),
        cost=_cost(strategy, families),
    )


def compare(
    document: Document, strategies: Sequence[Strategy], cache: PreviewCache | None = None
) -> Comparison:
    """Previews of two to six strategies, taken from `cache` where it has them. Raises InvalidInput."""
    if not _FEWEST <= len(strategies) <= _MOST:
        raise InvalidInput(
            f"{len(strategies)} strategies cannot be compared; allowed are {_FEWEST} to {_MOST}"
        )
    previews = (cache or PreviewCache()).get(document, strategies)
    return Comparison(document.name, tuple(previews))


def sizes_of(tokens: Iterable[int]) -> Sizes:
    """Each percentile is the size of a chunk: the nearest above."""
    ordered = sorted(tokens) or [0]
    return Sizes(*(ordered[-(-(len(ordered) - 1) * percent // 100)] for percent in (0, 10, 50, 90, 100)))


class PreviewCache:
    """The previews that were last asked for; may be used from several threads."""

    def __init__(self, max_chunks: int = _MAX_CHUNKS) -> None:
        self._max_chunks = max_chunks
        self._kept: OrderedDict[tuple[str, Strategy], Preview] = OrderedDict()
        self._lock = Lock()

    @property
    def chunks(self) -> int:
        """Of all previews that are kept."""
        return sum(len(kept.chunks) for kept in self._kept.values())

    def get(self, document: Document, strategies: Iterable[Strategy]) -> list[Preview]:
        """The strategies' previews of this document, made where they are not kept."""
        content = _hash(document)
        return [self._preview(document, (content, strategy)) for strategy in strategies]

    def _preview(self, document: Document, key: tuple[str, Strategy]) -> Preview:
        with self._lock:
            if kept := self._kept.get(key):
                self._kept.move_to_end(key)
                return kept
        made = preview(document, key[1])
        with self._lock:
            self._kept[key] = made
            while self.chunks > self._max_chunks and len(self._kept) > 1:
                self._kept.popitem(last=False)
        return made


def _hash(document: Document) -> str:
    """Of all that chunking looks at."""
    blocks = [(b.kind, b.start, b.end, b.level, b.page, b.section) for b in document.blocks]
    return blake2b(f"{blocks}\0{document.text}".encode(), digest_size=16).hexdigest()


def _shapes(document: Document, strategy: Strategy, families: Sequence[Family]) -> Iterator[ChunkShape]:
    before = 0
    for i, family in enumerate(families):
        for child in family.children:
            repeated = document.text[child.start : before] if child.start < before else ""
            yield ChunkShape(
                start=child.start,
                end=child.end,
                tokens=child.tokens,
                prefix=child.prefix,
                parent=i,
                overlap=strategy.rule(repeated) if repeated else 0,
                page=child.page,
                section=child.section,
            )
            before = child.end


def _boundary_quality(document: Document, shapes: Sequence[ChunkShape]) -> float:
    ends = {at for block in document.blocks for at in block_ends(block)}
    cuts = [shape.end for shape in shapes[:-1]]
    # A begin is as good as the last sign before it; without overlap that is where the chunk before ends.
    cuts += [_last_sign(document.text, b.start) for a, b in pairwise(shapes) if b.start < a.end]
    return sum(at in ends for at in cuts) / len(cuts) if cuts else 1.0


def _last_sign(text: str, at: int) -> int:
    while at and text[at - 1].isspace():
        at -= 1
    return at


def _cost(strategy: Strategy, families: Sequence[Family]) -> Cost:
    children = [child for family in families for child in family.children]
    sections = {child.section: 0 for child in children}
    sections = {section: strategy.rule(section) for section in sections if section}
    stored = sum(family.parent.tokens for family in families) + sum(
        child.tokens
        for family in families
        for child in family.children
        if (child.start, child.end) != (family.parent.start, family.parent.end)
    )
    embedded = sum(child.tokens + sections.get(child.section, 0) for child in children)
    return Cost(stored, embedded)
