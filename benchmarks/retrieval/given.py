"""What the benchmark is given on its command line."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Given(NamedTuple):
    sets: Path | None
    """A folder of sets; without one, the parts that need it are left out."""
    vectors: Path | None
    """A file that keeps the dense vectors of the sets' texts for the next run."""
