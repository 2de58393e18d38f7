"""Writes what memory is measured with: `python -m benchmarks.ingest.memory_files FOLDER`.

`long.pdf`, `many/` and `broken/`; in a process of its own, since the one that is measured must not carry the
libraries that make them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.ingest import documents
from benchmarks.ingest.memory import EXCEPTIONS, FILES, PAGES

_SIZE = 4


def write(folder: Path) -> None:
    (folder / "long.pdf").write_bytes(documents.prose_pdf(1, PAGES))
    for name in ("many", "broken"):
        (folder / name).mkdir()
    documents.write(folder / "many", FILES, _SIZE)
    for number in range(EXCEPTIONS):
        data = (b"%PDF-1.7\n" + bytes(range(256)) * 9, b"PK\x03\x04" + bytes(99), b"\0\1\2" * 99)[number % 3]
        (folder / "broken" / f"{number}.pdf").write_bytes(data)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
