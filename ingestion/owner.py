"""One process owns the embedded index: a lock on a file that names the owner's pid."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.errors import KnowledgeUnavailable, SettingsInvalid


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Holds `folder` for this process. The kernel frees the lock when the process dies, SIGKILL included.

    Raises KnowledgeUnavailable, naming the pid, where another process holds it, and SettingsInvalid where
    the folder cannot be written.
    """
    path = folder / "owner.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = path.open("a+")
    except OSError as exc:
        raise SettingsInvalid(
            f"the data folder {str(folder.parent)!r} cannot be written ({exc.strerror});"
            " set CORNERMAN_DATA_DIR"
        ) from exc
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _held(path, folder) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _held(path: Path, folder: Path) -> KnowledgeUnavailable:
    pid = path.read_text().strip()
    who = f"process {pid}" if pid else "another process"
    return KnowledgeUnavailable(
        f"the index in {str(folder)!r} belongs to {who}; stop it, or let it do the work", pid=pid
    )
