"""The sample knowledge in a test's index."""

from __future__ import annotations

from pathlib import Path

from ingestion.knowledge import Knowledge
from runtime.settings import Settings

SAMPLES = Path(__file__).parents[1] / "examples" / "knowledge"


async def ingest_samples(settings: Settings, *names: str) -> None:
    """Ingests the samples, or the named ones, for the local tenant."""
    async with Knowledge.open(
        settings.data_dir,
        child_tokens=settings.child_tokens,
        parent_tokens=settings.parent_tokens,
        max_bytes=settings.ingest_max_bytes,
    ) as knowledge:
        for path in sorted(SAMPLES.iterdir()):
            if path.suffix == ".md" and (not names or path.name in names):
                await knowledge.ingest("local", path)
