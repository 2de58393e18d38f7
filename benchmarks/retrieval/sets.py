"""Retrieval sets in a folder: corpus, queries and judgements, as BEIR lays them out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ingestion.language import Language, language_of
from runtime.errors import InvalidInput

_FILES = ("corpus.jsonl", "queries.jsonl", "qrels.tsv")


class Text(NamedTuple):
    """One entry of a corpus."""

    id: str
    title: str
    """ "" where the set has none."""
    text: str
    parent_id: str
    """Of the paragraph that it was cut from; its own id where the set does not say."""

    @property
    def whole(self) -> str:
        """Title and text: what BEIR searches."""
        return f"{self.title}\n{self.text}" if self.title else self.text


class Set(NamedTuple):
    """Texts to search, and questions whose right texts are known."""

    name: str
    language: Language
    """Of most queries."""
    corpus: Sequence[Text]
    queries: Mapping[str, str]
    """By id; those that have a right text."""
    right: Mapping[str, frozenset[str]]
    """Ids of the right texts, by that of the query."""

    def half(self, which: int) -> Sequence[str]:
        """Ids of every other query: 0 to choose by, 1 to check the choice by."""
        return [*self.queries][which::2]


def sets_in(folder: Path) -> list[Set]:
    """The sets in `folder`, by name. Raises InvalidInput where there is none."""
    found = [
        _read(each) for each in sorted(folder.iterdir()) if all((each / name).is_file() for name in _FILES)
    ]
    if not found:
        raise InvalidInput(f"no folder in {str(folder)!r} holds {', '.join(_FILES)}")
    return found


def _read(folder: Path) -> Set:
    corpus = [_text(row) for row in _rows(folder / "corpus.jsonl")]
    right: dict[str, set[str]] = {}
    for line in (folder / "qrels.tsv").read_text().splitlines()[1:]:
        query, text, score = line.split("\t")
        if int(score) > 0:
            right.setdefault(query, set()).add(text)
    queries = {row["_id"]: row["text"] for row in _rows(folder / "queries.jsonl") if row["_id"] in right}
    language = Counter(map(language_of, queries.values())).most_common(1)[0][0]
    return Set(folder.name, language, corpus, queries, {id: frozenset(right[id]) for id in queries})


def _text(row: Mapping[str, Any]) -> Text:
    return Text(row["_id"], row.get("title", ""), row["text"], row.get("parent_id", row["_id"]))


def _rows(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)
