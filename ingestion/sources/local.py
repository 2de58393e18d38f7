"""Documents in this machine's folders."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ingestion.sources.source import Source
from ingestion.sources.wildcards import Glob, glob_of, is_hidden
from runtime.errors import DocumentEmpty, DocumentMissing, DocumentTooLarge, SourceRefused, SourceUnavailable


def local_sources(path: str, named: str, roots: Sequence[Path] | None, max_files: int) -> list[Source]:
    """What a path, folder or glob stands for, as `locate` describes it; blocks. `named`: as written."""
    with told(path, named):
        glob = None if os.path.lexists(path) else glob_of(path)
        base = _permitted(glob.base if glob else path, roots)
        if not glob and not base.is_dir():
            return [_single(base, path, named)]
        files = sorted(_files(base, glob, named, max_files).items())
        if not files and glob:
            raise DocumentMissing(f"no file matches {path!r}", document=named)
        if not files:
            raise DocumentEmpty(f"the folder {path!r} holds no documents", document=named)
        return [_source(file, status, named) for file, status in files]


@contextmanager
def told(path: str, named: str) -> Iterator[None]:
    """Says in our errors what went wrong with a local path."""
    try:
        if "\0" in path:
            raise FileNotFoundError(errno.ENOENT, "a path holds no null character")
        yield
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise DocumentMissing(f"there is no file or folder {path!r}", document=named) from exc
    except PermissionError as exc:
        raise SourceRefused(f"{path!r} may not be read by this user", document=named) from exc
    except OSError as exc:
        error = SourceRefused if exc.errno == errno.ELOOP else SourceUnavailable
        raise error(f"{path!r} cannot be read: {exc}", document=named) from exc


def _permitted(path: str, roots: Sequence[Path] | None) -> Path:
    """The path without links. Refused before it is looked at, so that no answer tells what exists."""
    resolved = _real(path)
    if roots is None or any(resolved.is_relative_to(_real(root)) for root in roots):
        return resolved
    allowed = ", ".join(map(str, roots)) or "none"
    raise SourceRefused(f"{path!r} is outside of the folders that may be read: {allowed}", document=path)


def _single(file: Path, path: str, named: str) -> Source:
    status = file.stat()
    if not stat.S_ISREG(status.st_mode):
        raise SourceRefused(f"{path!r} is not a regular file", document=named)
    return _source(file, status, named)


def _files(folder: Path, glob: Glob | None, named: str, limit: int) -> dict[Path, os.stat_result]:
    """The regular files by their paths without links."""
    found: dict[Path, os.stat_result] = {}
    for path in _walk(folder):
        if glob and not glob.pattern.match(path.relative_to(folder).as_posix()):
            continue
        file = _real(path)
        status = _regular(file) if file.is_relative_to(folder) else None
        if status:
            found[file] = status
        if len(found) > limit:
            raise DocumentTooLarge(f"{named!r} holds more than {limit:,} files", document=named, limit=limit)
    return found


def _real(path: str | Path) -> Path:
    """Not Path.resolve: that raises RuntimeError for a loop of links."""
    return Path(os.path.realpath(path))


def _regular(file: Path) -> os.stat_result | None:
    try:
        status = file.stat()
    except OSError:  # gone since it was listed, or a link to nothing
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _walk(folder: Path) -> Iterator[Path]:
    # A folder that cannot be listed is not an empty one: what was read from it would be taken out.
    for root, folders, names in os.walk(folder, onerror=_fail):
        folders[:] = [name for name in folders if not is_hidden(name)]
        yield from (Path(root, name) for name in names if not is_hidden(name))


def _fail(error: OSError) -> None:
    raise error


def _source(path: Path, status: os.stat_result, named: str) -> Source:
    return Source(path.as_uri(), root=named, size=status.st_size, modified=status.st_mtime)
