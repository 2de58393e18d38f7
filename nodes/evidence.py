"""Which words of a passage answer a question, and whether a passage bears a sentence out. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from nodes.bilingual import Span, fold, language_of, sentences, stem, terms, words
from nodes.glossary import TERMS

_NUMBER: Final = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_ENGLISH: Final = "one two three four five six seven eight nine ten eleven twelve".split()
_WORDS: Final = (
    {word: n for n, word in enumerate(_ENGLISH, 1)}
    | {character: n for n, character in enumerate("一二三四五六七八九十", 1)}
    | {"两": 2}
)
_RULE: Final = re.compile(r"^[\s|:+=-]+$")
_MARKER: Final = re.compile(r"\[(\d{1,2})\]")
_CITED: Final = re.compile(r"(.+?)((?:\s*\[\d{1,2}\])+|$)", re.DOTALL)
_ASKS_NUMBER: Final = re.compile(
    r"\bhow (much|many|long|often|soon)\b|\bprice|\bcost|多少|多久|几[个天人年月]|价", re.I
)

ANSWERABLE_AT: Final = 0.5
"""Covered share of the question's concepts, at one place, from which the knowledge answers it."""
NEAR_AT: Final = 0.25
"""Covered share from which a passage is near enough to be worth naming."""
SUPPORTED_AT: Final = 0.5
"""Share of a sentence's terms that its passage must hold."""

Concept = frozenset[str]
"""Terms of which any one stands for the same thing."""


class Place(NamedTuple):
    """A span of a passage, and what it is about beside its own words."""

    span: Span
    heading: str
    header: str = ""
    """Column names, for a table row."""


def places(text: str) -> list[Place]:
    """The sentences and table rows of `text`; headings and header rows only as what the others are about."""
    found: list[Place] = []
    heading = header = ""
    offset = 0
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        start = offset + (len(line) - len(line.lstrip()))
        offset += len(line)
        if not bare or _RULE.match(bare):
            continue
        if _is_row(bare):
            if header:
                found.append(Place(Span(bare, start, start + len(bare)), heading, header))
            header = header or bare
            continue
        header = ""
        if _is_heading(bare):
            heading = bare.lstrip("# ")
        else:
            found += [Place(Span(s.text, start + s.start, start + s.end), heading) for s in sentences(bare)]
    return found


def readable(text: str, span: Span, question: str) -> str:
    """The span as a sentence; a table row with its column names, cut to the columns the question names."""
    if not _is_row(span.text):
        return span.text.replace("**", "").lstrip("->*• ").strip()
    names, values = _cells(_header_before(text, span.start)), _cells(span.text)
    pairs = [(n, v) for n, v in zip(names[1:], values[1:], strict=False) if v]
    # Only a matrix, whose first column has no name, has columns of one kind to choose from.
    asked = [(n, v) for n, v in pairs if not names[0] and terms(n) & terms(question)]
    if len(pairs) == 1:
        return _stopped(f"{values[0]}: {pairs[0][1]}")
    return _stopped(f"{values[0]} – {'; '.join(f'{name}: {value}' for name, value in asked or pairs)}")


def concepts(question: str) -> list[Concept]:
    """What the question is about; each concept holds its words in both languages where they are known."""
    folded, found = fold(question), []
    for chinese, english in TERMS:
        names = [name for name in chinese.split("|") if name in folded]
        stems = {stem(word) for word in english.split()}
        if names or stems & terms(question):
            both = set().union(*(terms(n) or {n} for n in chinese.split("|"))) | stems
            found.append(frozenset(both))
            for name in names:
                folded = folded.replace(name, " ")
    known = set().union(*found) if found else set()
    return [*found, *(frozenset({term}) for term in sorted(terms(folded) - known))]


def translated(question: str) -> str:
    """The question with the English words for its Chinese terms, for an engine that matches words."""
    folded = fold(question)
    english = [e for chinese, e in TERMS if any(name in folded for name in chinese.split("|"))]
    return " ".join([question, *english])


def coverage(question: str, passages: Sequence[Mapping[str, Any]]) -> list[float]:
    """For each passage, how much of the question its best place covers, in [0, 1].

    A place is a span with its headings and the spans beside it. Concepts that are rare in all the passages
    count most, and one that is missing everywhere most of all: what nobody speaks of is not answered. Figures
    do not count, for an answer often holds for a range.
    """
    wanted = [concept for concept in concepts(question) if not all(map(_NUMBER.fullmatch, concept))]
    spots = [[_terms_with_characters(text) for text in _windows(passage)] for passage in passages]
    every = [has for windows in spots for has in windows]
    seen = {concept: sum(bool(concept & has) for has in every) for concept in wanted}
    weight = {concept: math.log(1 + len(every) / (1 + seen[concept])) for concept in wanted}
    whole = sum(weight.values())
    return [
        max((sum(weight[c] for c in wanted if c & has) / whole for has in windows), default=0.0)
        if whole
        else 0.0
        for windows in spots
    ]


def ranked(question: str, passages: Sequence[Mapping[str, Any]]) -> list[tuple[float, int, Span]]:
    """(score, index of the passage, span), best first; rare words of the question count most."""
    wanted = concepts(question)
    spots = [(i, place) for i, p in enumerate(passages) for place in places(p["text"])]
    has = [_terms_with_characters(place.span.text) for _, place in spots]
    seen = Counter(concept for concept in wanted for one in has if concept & one)
    weight = {c: math.log(1 + len(spots) / (1 + seen[c])) for c in wanted}
    language, numeric = language_of(question), bool(_ASKS_NUMBER.search(question))
    found = []
    for (index, place), one in zip(spots, has, strict=True):
        # A row answers for its columns as much as for its words; a heading promises more than a line holds.
        own = one | _terms_with_characters(place.header)
        about = _terms_with_characters(place.heading)
        score = sum(weight[c] * (1.0 if c & own else 0.5 if c & about else 0.0) for c in wanted)
        score *= 1.25 if numeric and _NUMBER.search(place.span.text) else 1.0
        score *= 1.3 if passages[index]["language"] == language else 1.0
        # Between equals the shorter one says it more plainly, and the engine's order breaks the rest.
        score *= (1 - min(len(place.span.text), 600) / 6000) * (1 - 0.02 * index)
        if score > 0 and not place.span.text.rstrip("\"'”’」* ").endswith(("?", "？")):
            found.append((score, index, place.span))
    return sorted(found, key=lambda f: -f[0])


def best_span(text: str, about: str) -> Span:
    """The span of `text` that says most about `about`; the whole text where none does."""
    passage = {"text": text, "document": "", "section": "", "language": language_of(about)}
    found = ranked(about, [passage])
    return found[0][2] if found else Span(text, 0, len(text))


def cited(answer: str) -> list[tuple[str, list[int]]]:
    """The answer cut after its markers: (words without markers, numbers of the markers that end them)."""
    found = []
    for match in _CITED.finditer(answer):
        words_before, markers = (
            match.group(1).strip(" \n.。"),
            [int(n) for n in _MARKER.findall(match.group(2))],
        )
        if words_before:
            found.append((words_before, markers))
    return found


def supports(passage: str, sentence: str) -> bool:
    """Whether the passage holds the sentence's figures and, in the same language, most of its terms."""
    if not _figures(sentence) <= _figures(passage) | _spelled_out(passage):
        return False
    if language_of(sentence) != language_of(passage):
        return True
    wanted = terms(sentence)
    return not wanted or len(wanted & terms(passage)) / len(wanted) >= SUPPORTED_AT


def claims_something(sentence: str) -> bool:
    """Whether the sentence says enough to need a proof."""
    return len(terms(sentence)) >= 2


def _windows(passage: Mapping[str, Any]) -> list[str]:
    found = places(passage["text"])
    name = f"{passage['document']} {passage['section']}"
    return [
        " ".join([*(p.span.text for p in found[max(0, i - 1) : i + 2]), place.heading, place.header, name])
        for i, place in enumerate(found)
    ]


def _stopped(text: str) -> str:
    return text if text.endswith((".", "!", "?", "。", '."', '?"')) else f"{text}."


def _figures(text: str) -> set[Decimal]:
    """`4,000`, `4000` and `4000.00` are the same figure."""
    return {Decimal(found.replace(",", "")).normalize() for found in _NUMBER.findall(fold(text))}


def _spelled_out(text: str) -> set[Decimal]:
    """Small numbers that stand in words, for an answer that writes them in digits."""
    found = re.findall(r"[a-z]+|[一二两三四五六七八九十]", fold(text))
    return {Decimal(_WORDS[word]) for word in found if word in _WORDS}


def _is_row(line: str) -> bool:
    return line.count("|") >= 2 or "\t" in line


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"\||\t", row.strip().strip("|"))]


def _header_before(text: str, end: int) -> str:
    """The header row of the table that holds the row at `end`."""
    header = ""
    for line in text[:end].splitlines():
        if not _is_row(line.strip()):
            header = ""
        elif not header and not _RULE.match(line.strip()):
            header = line
    return header


def _is_heading(line: str) -> bool:
    """Parsers leave a heading as a short line without a stop."""
    return line.startswith("#") or (
        len(words(line)) <= 12
        and line[-1] not in ".!?。！？；;:：,，"
        and not line.startswith(("-", "*", "•"))
    )


def _terms_with_characters(text: str) -> set[str]:
    """Terms, and the single Chinese characters that the glossary uses as words."""
    return terms(text) | set(re.findall(r"[\u3400-\u9fff]", text))
