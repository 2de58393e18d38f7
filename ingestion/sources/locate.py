"""Which documents are meant by what a user names: paths, folders, globs and URLs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from anyio import to_thread

from ingestion.sources.local import local_sources
from ingestion.sources.place import canonical, path_of, scheme_of
from ingestion.sources.source import Source, distinct_names
from ingestion.sources.stored import stored_sources
from ingestion.sources.stores import BUCKETS
from ingestion.sources.web import WebRules, checked_url
from runtime.errors import SourceRefused


@dataclass(frozen=True)
class Rules:
    """What may be named, which depends on who names it."""

    roots: Sequence[Path] | None = None
    """Folders that local documents have to be in, links resolved; None: wherever this user may read."""
    schemes: frozenset[str] = BUCKETS
    """Of fsspec's stores. `stores.HOSTED` is for this machine's own user only."""
    web: WebRules = field(default_factory=WebRules)
    max_files: int = 100_000
    """Of one folder or glob."""
    answer_s: float = 60.0
    """For each answer of a store."""


async def locate(named: Iterable[str | Path], rules: Rules = Rules()) -> list[Source]:
    """The documents that `named` stands for, each once, in the order of the names; a folder's are sorted.

    A glob (`*`, `?`, `[…]`, `**` between slashes) stands for files; a name that exists as it is written is no
    glob. In folders and globs, hidden names, Office's lock files (`~$…`), links out of the folder and what is
    no regular file are skipped, and links to folders not followed. URLs of the web are taken as they are.

    Raises DocumentMissing, DocumentEmpty for a folder without a document, SourceRefused for what `rules`
    forbid, SourceUnavailable, and DocumentTooLarge past `max_files`.
    """
    found: dict[str, Source] = {}
    for name in named:
        for source in await _located(name, rules):
            found.setdefault(source.uri, source)
    sources = list(found.values())
    names = distinct_names([_parts(source) for source in sources])
    return [replace(source, name=name) for source, name in zip(sources, names, strict=True)]


async def _located(named: str | Path, rules: Rules) -> list[Source]:
    text = str(named)
    match None if isinstance(named, Path) else scheme_of(text):
        case None:
            return await to_thread.run_sync(local_sources, text, text, rules.roots, rules.max_files)
        case "file":
            return await to_thread.run_sync(local_sources, path_of(text), text, rules.roots, rules.max_files)
        case "http" | "https":
            return [Source(canonical(checked_url(text, rules.web)), root=text)]
        case name if name in rules.schemes:
            return await stored_sources(text, rules.max_files, rules.answer_s)
        case name:
            allowed = ", ".join(["file", "http", "https", *sorted(rules.schemes)])
            raise SourceRefused(f"documents are not read from {name}://; allowed are {allowed}", source=text)


def _parts(source: Source) -> tuple[str, ...]:
    """What its name is made of; bytes that are no UTF-8 are replaced."""
    if source.path is not None:
        return tuple(os.fsencode(part).decode("utf-8", "replace") for part in source.path.parts)
    parts = urlsplit(source.uri)
    query = f"?{parts.query}" if parts.query else ""
    *folders, last = [unquote(part) for part in parts.path.split("/") if part] or ["index"]
    return (f"{parts.scheme}:", parts.netloc, *folders, last + query)
