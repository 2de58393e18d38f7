"""The sample knowledge as tests read it: each file parsed once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ingestion.document import Document, Part, assemble
from ingestion.options import ReadOptions
from ingestion.read import read_file

SAMPLES = Path(__file__).parents[1] / "examples" / "knowledge"
NAMES = sorted(path.name for path in SAMPLES.iterdir())


@cache
def sample(name: str) -> Document:
    """The parsed file."""
    parsed = read_file(SAMPLES / name, name, ReadOptions())
    parts = [item for item in parsed.items if isinstance(item, Part)]
    return assemble(name, parts, pages=parsed.pages, notes=parsed.notes)
