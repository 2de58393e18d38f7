"""What a glob stands for, and which names never count."""

from __future__ import annotations

import re
from typing import NamedTuple

from fsspec.utils import glob_translate

from runtime.errors import SourceRefused

_WILDCARD = re.compile(r"[*?\[]")


class Glob(NamedTuple):
    base: str
    """The folder before the first wildcard; "" for the one at hand."""
    pattern: re.Pattern[str]
    """For the rest of a path, with slashes."""


def glob_of(path: str) -> Glob | None:
    """None where the path has no wildcard: `*`, `?`, `[…]`, or `**` alone between slashes for any folders."""
    parts = path.split("/")
    first = next((index for index, part in enumerate(parts) if _WILDCARD.search(part)), None)
    if first is None:
        return None
    base = "/".join(parts[:first]) or ("/" if path.startswith("/") else "")
    try:
        return Glob(base, re.compile(glob_translate("/".join(parts[first:]))))
    except ValueError as exc:
        raise SourceRefused(f"{path!r}: `**` stands alone between slashes", document=path) from exc


def is_hidden(name: str) -> bool:
    """Also of the lock files that Office leaves beside an open document."""
    return name.startswith((".", "~$"))
