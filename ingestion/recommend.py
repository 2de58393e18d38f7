"""Which strategy suits a document, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from ingestion.document import Block, Document
from ingestion.language import Language
from ingestion.preview import sizes_of
from ingestion.split import block_ends
from ingestion.tokens import count

_TABLES = 0.5
"""From this share on, sections and sentences say little of where to cut."""
_SHORT = 512
"""A document that fits the default parent."""
_SECTIONS = 4
_SECTION_TOKENS = (64, 400)
"""Sections whose median lies here are chunks by themselves: not too small to find, not too large to read."""
_UNPUNCTUATED = 120
"""Tokens a sentence: transcripts and OCR without stops; a sentence has 15 to 40."""
_LISTS = 0.3
_CONFIDENT = 0.8


@dataclass(frozen=True)
class Figures:
    """What a recommendation rests on. Shares are of tokens, in [0, 1]."""

    tokens: int
    tables: float
    lists: float
    headings: int
    section_tokens: int
    """Median of what stands between two headings."""
    sentence_tokens: int
    """Median of the sentences outside of tables and lists."""
    language: Language
    confidence: float | None
    """The least of any block that OCR read."""


@dataclass(frozen=True)
class Recommendation:
    """A strategy that `ingestion.strategy.build` makes."""

    strategy: str
    parameters: dict[str, Any]
    reasons: tuple[str, ...]
    """Sentences with the figures that they rest on."""
    figures: Figures


def recommend(document: Document) -> Recommendation:
    """The first rule that holds, from the most telling on; the default where none does."""
    f = figures(document)
    name, parameters, reason = _choice(f)
    return Recommendation(name, parameters, (reason, *_remarks(f)), f)


def figures(document: Document) -> Figures:
    """Counts tokens by our own rule."""
    tokens = [count(block.text) for block in document.blocks]
    total = max(sum(tokens), 1)
    of_kind: Counter[str] = Counter()
    languages: Counter[Language] = Counter()
    for block, size in zip(document.blocks, tokens, strict=True):
        of_kind[block.kind] += size
        languages[block.language] += size
    sure = [block.confidence for block in document.blocks if block.confidence is not None]
    return Figures(
        tokens=sum(tokens),
        tables=of_kind["table"] / total,
        lists=of_kind["list"] / total,
        headings=sum(block.kind == "heading" for block in document.blocks),
        section_tokens=sizes_of(_sections(document, tokens)).p50,
        sentence_tokens=sizes_of(
            size for block in document.blocks if block.kind == "paragraph" for size in _sentences(block)
        ).p50,
        language=languages.most_common(1)[0][0] if languages else "und",
        confidence=min(sure, default=None),
    )


def _choice(f: Figures) -> tuple[str, dict[str, Any], str]:
    if f.tables >= _TABLES:
        return "table", {}, f"{f.tables:.0%} of the text is in tables, whose rows have to stay whole"
    if f.tokens <= _SHORT:
        return "parent_child", {}, f"with {f.tokens} tokens it fits one parent, which is read whole"
    least, most = _SECTION_TOKENS
    if f.headings >= _SECTIONS and least <= f.section_tokens <= most:
        said = f"{f.headings} headings part it into sections of {f.section_tokens} tokens at the median"
        return "markdown", {"tokens": 512}, f"{said}, which are chunks by themselves"
    if f.sentence_tokens > _UNPUNCTUATED:
        said = f"its sentences have {f.sentence_tokens} tokens at the median: it has hardly any stops"
        return "fixed", {"overlap": 20}, f"{said}, so an overlap has to keep together what belongs together"
    said = "sections or sentences are small to find and need what stands around them to be understood"
    return "parent_child", {}, f"{f.tokens} tokens under {f.headings} headings: {said}"


def _remarks(f: Figures) -> list[str]:
    remarks = []
    if 0 < f.tables < _TABLES:
        remarks.append(f"tables are {f.tables:.0%} of the text")
    if f.lists >= _LISTS:
        remarks.append(f"lists are {f.lists:.0%} of the text; items stay whole")
    if f.language == "zh":
        remarks.append("it is Chinese, where a token is a character: limits hold less than in English")
    if f.confidence is not None and f.confidence < _CONFIDENT:
        remarks.append(f"OCR was sure of one block by {f.confidence:.0%} only; look at it before use")
    return remarks


def _sections(document: Document, tokens: list[int]) -> list[int]:
    """Sizes of what stands below each heading, and before the first; empty ones left out."""
    sizes = [0]
    for block, size in zip(document.blocks, tokens, strict=True):
        if block.kind == "heading":
            sizes.append(0)
        else:
            sizes[-1] += size
    return [size for size in sizes if size]


def _sentences(block: Block) -> list[int]:
    at, sizes = block.start, []
    for end in block_ends(block):
        sizes.append(count(block.text[at - block.start : end - block.start]))
        at = end
    return [size for size in sizes if size]
