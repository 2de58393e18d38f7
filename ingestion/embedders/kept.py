"""Bytes by key in one SQLite file, for several processes at once, those used longest ago dropped first.

Kept libraries were read first: diskcache 5.6, last released in 2023, unpickles what it finds in its folder
(CVE-2025-69872), and langchain's CacheBackedEmbeddings keeps lists of floats alone and drops nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

_TABLES = """
    CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, data BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS uses (key BLOB PRIMARY KEY, used INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS by_use ON uses (used);
"""
"""Uses are apart, so that a use does not write the data again. `used` is a number that only rises."""
_WAIT_S = 5.0
"""For another process's write."""
_MOST_BYTES = 2
"""That a byte kept takes in the file: of two rows that do not fit one page together, each has its own."""
_FREED = 0.1
"""Of the limit, dropped beyond what is needed: a full file then does not drop at each write."""
_DROPPED = 16
"""Rows at once, before the file is measured again."""


class Kept:
    """Blocking. Every method raises sqlite3.Error or OSError when the file cannot be used.

    A damaged file is removed, so that the next call begins another; a busy or full one is left.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        """`max_bytes` bounds the file, not its write-ahead log, which is as long as the last writes."""
        self._path = path
        self._max_bytes = max_bytes

    def read(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The data of those that are there, which counts as their use."""
        with self._open() as db:
            found = [
                db.execute("SELECT key, data FROM kept WHERE key = ?", (key,)).fetchone() for key in keys
            ]
            rows: dict[bytes, bytes] = dict(row for row in found if row)
            if rows:
                with _writing(db) as turn:
                    db.executemany("UPDATE uses SET used = ? WHERE key = ?", [(turn, key) for key in rows])
        return rows

    def write(self, rows: Mapping[bytes, bytes]) -> None:
        """Puts them, in the place of older ones. What is more than fits is not kept at all."""
        need = sum(len(key) + len(data) for key, data in rows.items()) * _MOST_BYTES
        if need > self._max_bytes * (1 - _FREED):
            return
        with self._open() as db, _writing(db) as turn:
            _make_room(db, need, self._max_bytes)
            db.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", rows.items())
            db.executemany("INSERT OR REPLACE INTO uses VALUES (?, ?)", [(key, turn) for key in rows])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """For each call anew, 2 ms: nothing to close, nothing shared by threads or across a fork."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(sqlite3.connect(self._path, timeout=_WAIT_S, isolation_level=None)) as db:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = NORMAL")
                db.executescript(_TABLES)
                yield db
        except sqlite3.DatabaseError as exc:
            # "not a database" and "malformed" are of this class, all else is of a narrower one.
            if type(exc) is sqlite3.DatabaseError:
                self._discard()
            raise

    def _discard(self) -> None:
        for end in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + end).unlink(missing_ok=True)


@contextmanager
def _writing(db: sqlite3.Connection) -> Iterator[int]:
    """One transaction, with the number of its use."""
    db.execute("BEGIN IMMEDIATE")
    try:
        (turn,) = db.execute("SELECT coalesce(max(used), 0) + 1 FROM uses").fetchone()
        yield turn
    except BaseException:  # Whatever ends the block, a thread's end too: the lock must not stay.
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _make_room(db: sqlite3.Connection, need: int, max_bytes: int) -> None:
    if _bytes(db) + need <= max_bytes:
        return
    oldest = f"SELECT key FROM uses ORDER BY used LIMIT {_DROPPED}"
    while _bytes(db) + need > max_bytes * (1 - _FREED) and (doomed := db.execute(oldest).fetchall()):
        db.executemany("DELETE FROM kept WHERE key = ?", doomed)
        db.executemany("DELETE FROM uses WHERE key = ?", doomed)


def _bytes(db: sqlite3.Connection) -> int:
    """In use; the file keeps its length, and writes fill what is free first."""
    pragmas = ("page_size", "page_count", "freelist_count")
    size, pages, free = (int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in pragmas)
    return size * (pages - free)
