"""Which documents in a store a URL stands for."""

from __future__ import annotations

from datetime import datetime

from ingestion.sources.source import Source
from ingestion.sources.stores import Details, Store, open_store
from ingestion.sources.wildcards import Glob, glob_of, is_hidden
from runtime.errors import DocumentEmpty, DocumentMissing

_ETAGS = ("ETag", "etag")
_TIMES = ("LastModified", "last_modified", "mtime", "updated", "created")
"""Each back-end has its own names for what it knows of a file."""


async def stored_sources(url: str, max_files: int, timeout_s: float) -> list[Source]:
    """What the URL of an object, folder or glob stands for. `timeout_s`: for each answer of the store."""
    store = await open_store(url, timeout_s)
    details = await store.details(store.path)
    if details is not None and details["type"] == "file":
        return [_source(store, store.path, details)]
    glob = glob_of(store.path) if details is None else None
    if details is None and glob is None:
        raise DocumentMissing(f"there is nothing at {url!r}", document=url, place=store.uri(store.path))
    base = glob.base if glob else store.path
    found = [
        _source(store, path, entry)
        for path, entry in await store.entries(base, max_files)
        if _counts(path.removeprefix(base).lstrip("/"), glob)
    ]
    if not found:
        raise DocumentEmpty(f"there are no documents at {url!r}", document=url)
    return sorted(found, key=lambda source: source.uri)


def _counts(path: str, glob: Glob | None) -> bool:
    hidden = any(is_hidden(part) for part in path.split("/"))
    return not hidden and (glob is None or glob.pattern.match(path) is not None)


def _source(store: Store, path: str, details: Details) -> Source:
    etag = next((details[key] for key in _ETAGS if details.get(key)), None)
    modified = next((details[key] for key in _TIMES if details.get(key)), None)
    if isinstance(modified, datetime):
        modified = modified.timestamp()
    return Source(
        store.uri(path),
        root=store.url,
        size=details.get("size"),
        etag=None if etag is None else str(etag).strip('"'),
        modified=modified if isinstance(modified, int | float) else None,
    )
