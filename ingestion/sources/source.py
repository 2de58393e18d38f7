"""One document to be ingested, before anything of it was read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit


@dataclass(frozen=True)
class Source:
    """Where a document is, and what is known of it there."""

    uri: str
    """Its place, and so its identity: `file:///…` with all links resolved, `https://…`, `s3://…`; the same
    whether it was named itself or came with a folder or glob."""
    root: str
    """The path, folder, glob or URL that named it, as it was written."""
    name: str = ""
    """For people and the index: unique among the sources that were located together."""
    size: int | None = None
    """Bytes, where the place says so."""
    etag: str | None = None
    modified: float | None = None
    """Seconds since 1970."""

    @property
    def path(self) -> Path | None:
        """Of a local file."""
        return local_path(self.uri)


def local_path(uri: str) -> Path | None:
    """Of a `file:` URI; None for others."""
    parts = urlsplit(uri)
    return Path(os.fsdecode(unquote_to_bytes(parts.path))) if parts.scheme == "file" else None


def place_shown(uri: str) -> str:
    """As people name the place: a local file by its path. Bytes that are no UTF-8 are replaced."""
    path = local_path(uri)
    return uri if path is None else os.fsencode(path).decode("utf-8", "replace")


def distinct_names(paths: Sequence[tuple[str, ...]]) -> list[str]:
    """A name for each path, given in its parts: the last one, with as many before it as tell equals apart.

    Paths that are equal in all parts get equal names.
    """
    depth = {path: 1 for path in paths}
    while True:
        names = {path: "/".join(path[-depth[path] :]) for path in paths}
        times = Counter(names.values())
        equal = [path for path in depth if times[names[path]] > 1 and depth[path] < len(path)]
        if not equal:
            return [names[path] for path in paths]
        for path in equal:
            depth[path] += 1
