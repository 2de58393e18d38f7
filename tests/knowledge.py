"""The sample knowledge in a test's index."""

from __future__ import annotations

from pathlib import Path

from compose import open_index
from runtime.settings import Settings

SAMPLES = Path(__file__).parents[1] / "examples" / "knowledge"


async def ingest_samples(settings: Settings, *names: str) -> None:
    """Ingests the samples, or the named ones, for the local tenant."""
    async with open_index(settings) as knowledge:
        for path in sorted(SAMPLES.iterdir()):
            if path.suffix == ".md" and (not names or path.name in names):
                await knowledge.ingest("local", path)
