"""Which files to ingest."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from runtime.errors import DocumentEmpty, DocumentMissing


def find_documents(paths: Iterable[Path]) -> list[Path]:
    """The files among `paths` and in its folders, each once; a folder's files sorted, deep ones included.

    In folders, hidden names and Office's lock files (`~$…`) are skipped and links to folders not followed.
    Raises DocumentMissing for a path that does not exist, DocumentEmpty for a folder without a file.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        if not path.exists():
            raise DocumentMissing(f"there is no file or folder {str(path)!r}", document=str(path))
        files = sorted(_walk(path)) if path.is_dir() else [path]
        if not files:
            raise DocumentEmpty(f"the folder {str(path)!r} holds no documents", document=str(path))
        for file in files:
            found.setdefault(file.resolve(), file)
    return list(found.values())


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(root, name) for name in names if not name.startswith((".", "~$")))


def document_names(paths: Sequence[Path]) -> list[str]:
    """A name for each path: the file's own, with as many folders before it as tell equal ones apart."""
    depth = {path: 1 for path in paths}
    while True:
        names = {path: "/".join(path.resolve().parts[-depth[path] :]) for path in paths}
        times = Counter(names.values())
        equal = [p for p in depth if times[names[p]] > 1 and depth[p] < len(p.resolve().parts)]
        if not equal:
            return [names[path] for path in paths]
        for path in equal:
            depth[path] += 1
