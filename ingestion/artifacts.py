"""What the steps of an ingestion leave for each other, in files: a step that is done again finds them."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import orjson
from anyio import to_thread
from pydantic import TypeAdapter

from ingestion.document import Document, Part
from ingestion.index import Put
from ingestion.leftovers import AT_ONCE, STALE_S
from ingestion.parsed import Parsed
from ingestion.points import as_put, as_row
from ingestion.record import Record

_DOCUMENT = TypeAdapter(Document)
_PARSED = TypeAdapter(Parsed)
_PARTS = TypeAdapter(list[Part])


class Artifacts:
    """The folder of one version of one document. Files appear whole; a missing one is made again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def source(self) -> Path:
        """The bytes of a document that came from elsewhere."""
        return self.folder / "source"

    def keep_source(self, path: Path) -> None:
        """Takes a file over, which then is no longer where it was."""
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.move(path, self.source)

    def document(self) -> Document | None:
        """None where it was not saved."""
        data = self._read("document.json")
        return _DOCUMENT.validate_json(data) if data is not None else None

    def save_document(self, document: Document) -> None:
        self._write("document.json", _DOCUMENT.dump_json(document))

    def parsed(self) -> Parsed | None:
        """Of a document with pages that OCR has to read; None where it was not saved."""
        data = self._read("parsed.json")
        return _PARSED.validate_json(data) if data is not None else None

    def save_parsed(self, parsed: Parsed) -> None:
        self._write("parsed.json", _PARSED.dump_json(parsed))

    def page(self, item: int) -> list[Part] | None:
        """What OCR read of the scan that is this item of `parsed`, in units of its page; None before."""
        data = self._read(f"page-{item}.json")
        return _PARTS.validate_json(data) if data is not None else None

    def save_page(self, item: int, parts: Sequence[Part]) -> None:
        self._write(f"page-{item}.json", _PARTS.dump_json(list(parts)))

    def records(self) -> Iterator[Record]:
        """Of the last `save_records`."""
        return (Record(*row) for row in self._rows("records.jsonl"))

    def save_records(self, records: Iterable[Record]) -> None:
        self._write("records.jsonl", b"\n".join(orjson.dumps(list(record)) for record in records))

    def points(self, collection: str) -> Iterator[Put]:
        """What was written for this collection."""
        return map(as_put, self._rows(points_file(collection)))

    @contextmanager
    def writing_points(self, collection: str) -> Iterator[Callable[[Sequence[Put]], None]]:
        """Takes points, some at a time; the file is there once the block has ended without an error."""
        with self._appearing(points_file(collection)) as file:
            yield lambda points: file.writelines(orjson.dumps(as_row(put)) + b"\n" for put in points)

    def has(self, name: str) -> bool:
        """Whether there is such a file: `document.json`, `records.jsonl`, that of `points_file`."""
        return (self.folder / name).exists()

    def drop(self) -> None:
        """Deletes all of them."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _rows(self, name: str) -> Iterator[list[Any]]:
        with (self.folder / name).open("rb") as file:
            for line in file:
                yield orjson.loads(line)

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def _write(self, name: str, data: bytes) -> None:
        with self._appearing(name) as file:
            file.write(data)

    @contextmanager
    def _appearing(self, name: str) -> Iterator[BinaryIO]:
        self.folder.mkdir(parents=True, exist_ok=True)
        # A name of its own: another run may be at the same version.
        new = self.folder / f"{name}.{uuid4().hex}"
        with new.open("wb") as file:
            yield file
        new.replace(self.folder / name)


def points_file(collection: str) -> str:
    """Name of the file with points for this collection."""
    return f"points-{collection}.jsonl"


async def sweep_artifacts(folder: Path) -> None:
    """Deletes some of what given-up runs left in `folder`, which holds a folder for each version."""
    for stale in await to_thread.run_sync(_stale, folder):
        await to_thread.run_sync(shutil.rmtree, stale, True)


def _stale(folder: Path) -> list[Path]:
    before = time.time() - STALE_S
    return list(islice((path for path in folder.glob("*") if _used(path) < before), AT_ONCE))


def _used(path: Path) -> float:
    """Seconds since 1970."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # Another process, or its run, was faster.
        return math.inf
