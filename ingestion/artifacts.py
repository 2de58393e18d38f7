"""What the steps of an ingestion leave for each other, in files: a step that is done again finds them."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any
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

    def points(self) -> Iterator[Put]:
        """Of the last `save_points`."""
        return map(as_put, self._rows("points.jsonl"))

    def save_points(self, points: Iterable[Put]) -> None:
        self._write("points.jsonl", b"\n".join(orjson.dumps(as_row(point)) for point in points))

    def has(self, name: str) -> bool:
        """Whether there is such a file: `document.json`, `records.jsonl`, `points.jsonl`."""
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
        self.folder.mkdir(parents=True, exist_ok=True)
        # A name of its own: another run may be at the same version.
        new = self.folder / f"{name}.{uuid4().hex}"
        new.write_bytes(data)
        new.replace(self.folder / name)


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
