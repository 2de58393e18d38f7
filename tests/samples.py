"""The sample knowledge as tests read it: each file parsed once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ingestion.document import Document
from ingestion.route import parse

SAMPLES = Path(__file__).parents[1] / "examples" / "knowledge"
NAMES = sorted(path.name for path in SAMPLES.iterdir())


@cache
def sample(name: str) -> Document:
    """The parsed file."""
    return parse((SAMPLES / name).read_bytes(), name)
