"""The place that a name of a document stands for, whether there is anything or not."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import httpx

from runtime.errors import SourceRefused

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def scheme_of(named: str) -> str | None:
    """In small letters; None for a path."""
    found = _SCHEME.match(named)
    return found[1].lower() if found else None


def place_of(named: str) -> str:
    """What `Source.uri` is of a document named itself, by path or URL; a store's URL is taken as it is.

    Raises SourceRefused for a file of another machine.
    """
    match scheme_of(named):
        case None:
            return _file_uri(named)
        case "file":
            return _file_uri(path_of(named))
        case "http" | "https":
            return _web_uri(named)
        case _:
            return named


def path_of(uri: str) -> str:
    """Of a `file:` URI. Raises SourceRefused where it names another machine."""
    try:
        parts = urlsplit(uri)
    except ValueError as exc:
        raise SourceRefused(f"{uri!r} is not a URL: {exc}", source=uri) from exc
    if parts.netloc not in ("", "localhost"):
        raise SourceRefused(f"{uri!r} is a file of another machine", source=uri)
    return os.fsdecode(unquote_to_bytes(parts.path))


def canonical(url: httpx.URL) -> str:
    """Without a fragment; what stands for the same resource by RFC 3986, 6.2.3 is written in one way."""
    # httpx has lowered the host, dropped a default port and removed dot segments; a raw path is never empty.
    return str(url.copy_with(raw_path=url.raw_path, fragment=None))


def _web_uri(named: str) -> str:
    try:
        return canonical(httpx.URL(named))
    except (httpx.InvalidURL, UnicodeError):
        return named  # No document comes from there.


def _file_uri(path: str) -> str:
    if "\0" in path:
        return path  # No file has such a name.
    return Path(os.path.realpath(path)).as_uri()
