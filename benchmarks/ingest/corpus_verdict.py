"""What became of a folder of real files, and whether that is right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.checkpoints.goals import Goal
from benchmarks.ingest.reading import FileRead

BROKEN = "BROKEN"
_REFUSED = {
    "empty_shell.pdf": "DOCUMENT_CORRUPT",
    "encrypted_pw_1234.pdf": "DOCUMENT_ENCRYPTED",
    "encrypted_unstructured.pdf": "DOCUMENT_ENCRYPTED",
    "random_bytes.pdf": "DOCUMENT_CORRUPT",
    "truncated.pptx": "DOCUMENT_CORRUPT",
    "zero_bytes.pdf": "DOCUMENT_EMPTY",
}
"""Of the broken files; the others are to be read: wrongly named, or cut off and repaired."""
_AGREEMENT = 0.9
_SAME = 0.002
"""Differences in similarity below this are none: what a page hides, and ours keeps apart."""


class Row(NamedTuple):
    folder: str
    path: Path
    read: FileRead
    ours: float | None = None
    """Similarity to the ground truth, where there is one."""
    raw: float | None = None
    """The library's; None where it cannot read the file."""

    @property
    def right(self) -> bool:
        """Of a broken file: refused with the right code, or read if it can be. Of others: the right class."""
        if self.folder == BROKEN:
            return self.read.code == _REFUSED.get(self.path.name, "")
        return self.read.route is not None and self.read.route.level == self.folder


def goals(rows: Sequence[Row]) -> Iterator[Goal]:
    routed = [row for row in rows if row.folder != BROKEN]
    broken = [row for row in rows if row.folder == BROKEN]
    if routed:
        refused = sum(bool(row.read.code) for row in routed)
        yield Goal("files refused that are not broken", refused, 0)
        agreed = sum(row.right for row in routed) / len(routed)
        yield Goal("routes that agree with the folder", agreed, _AGREEMENT, at_least=True)
    if broken:
        yield Goal(
            "broken files with another outcome than the right one", sum(not r.right for r in broken), 0
        )
    pairs = [(row.ours, row.raw) for row in rows if row.ours is not None and row.raw is not None]
    if pairs:
        worse = sum(ours < other - _SAME for ours, other in pairs)
        yield Goal("files whose text is further from the truth than the raw library's", worse, 0)
        ours, others = (sum(column) / len(pairs) for column in zip(*pairs, strict=True))
        yield Goal("mean similarity / the raw library's", ours / others, 1, at_least=True)
