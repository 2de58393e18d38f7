"""What a process opens to ingest: parser processes, the byte budget, OCR."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from ingestion.artifacts import sweep_artifacts
from ingestion.budget import ByteBudget
from ingestion.chunking import strategy_of
from ingestion.embedders.configured import Embedders
from ingestion.limits import Limits
from ingestion.ocr.endpoint import Chat, endpoint_reader
from ingestion.ocr.fallback import with_fallback
from ingestion.ocr.rapid import rapid_reader
from ingestion.options import ReadOptions, Thresholds
from ingestion.pipeline import Pipeline
from ingestion.reading import Reader
from ingestion.remote import SharedKnowledge
from ingestion.sandbox import open_sandbox
from ingestion.sources.fetch import Remote
from ingestion.sources.web import WebRules
from ingestion.steps import Means
from runtime.errors import InvalidInput, SettingsInvalid

_PAGES_SHARE = 4
"""A quarter of the byte budget is for rendered pages, the rest for documents."""

T = TypeVar("T", Limits, Thresholds)


@dataclass(frozen=True)
class Setup:
    """What ingestion may use, in one process."""

    folder: Path
    """For what the steps leave each other; best the same for all workers, which then find it."""
    strategy: Mapping[str, Any]
    """Name and parameters of the default chunking."""
    tokens: str = "rule"
    """How they are counted, as `ingestion.tokens.counter` names it."""
    processes: int = 2
    process_bytes: int = 2_000_000_000
    budget_bytes: int = 256_000_000
    max_bytes: int = 100_000_000
    limits: Mapping[str, int] = field(default_factory=dict)
    """Other limits than the defaults, by their name."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Other thresholds than the defaults, by their name."""
    hosts: Sequence[str] = ()
    """Internal hosts that documents may be fetched from."""
    docling_artifacts: Path | None = None
    ocr_model: str = ""
    """The endpoint's, where there is one."""
    ocr_timeout_s: float = 120.0
    """For one page."""
    ocr_concurrency: int = 4
    """Pages at the OCR endpoint at once."""


async def make_pipeline(
    setup: Setup, knowledge: SharedKnowledge, embedders: Embedders, reader: Reader
) -> Pipeline:
    """Raises SettingsInvalid."""
    _check_strategy(setup.strategy, setup.tokens)
    await sweep_artifacts(setup.folder)
    remote = Remote(WebRules(allowed_hosts=frozenset(setup.hosts)))
    budget = ByteBudget(setup.budget_bytes - setup.budget_bytes // _PAGES_SHARE)
    way = (setup.strategy, setup.tokens)
    return Pipeline(Means(knowledge, reader, budget, setup.folder, embedders, *way, remote))


@asynccontextmanager
async def open_reader(setup: Setup, ocr: Chat | None) -> AsyncIterator[Reader]:
    """What reads files, without an index; `ocr` is DeepSeek-OCR-2 at an endpoint, None: RapidOCR alone.

    Parser processes start when they are first needed. Raises SettingsInvalid.
    """
    options = ReadOptions(
        limits=_with(replace(Limits(), bytes=setup.max_bytes), setup.limits, "CORNERMAN_INGEST_LIMITS"),
        thresholds=_with(Thresholds(), setup.thresholds, "CORNERMAN_INGEST_THRESHOLDS"),
        docling_artifacts=setup.docling_artifacts,
    )
    async with open_sandbox(setup.processes, setup.process_bytes) as sandbox:
        read_image, engine = rapid_reader(sandbox, setup.ocr_timeout_s), "rapidocr"
        if ocr is not None:
            endpoint = endpoint_reader(ocr, timeout_s=setup.ocr_timeout_s, concurrency=setup.ocr_concurrency)
            read_image, engine = with_fallback(endpoint, read_image), setup.ocr_model
        yield Reader(sandbox, ByteBudget(setup.budget_bytes // _PAGES_SHARE), read_image, options, engine)


def _with(defaults: T, given: Mapping[str, float], setting: str) -> T:
    known = {field.name for field in fields(defaults)}
    if unknown := sorted(set(given) - known):
        raise SettingsInvalid(f"{setting}: {', '.join(unknown)} is unknown; known are {sorted(known)}")
    if wrong := sorted(name for name, value in given.items() if value < 0):
        raise SettingsInvalid(f"{setting}: {', '.join(wrong)} is negative")
    # Checked above: both have numbers only, and the settings are numbers.
    return replace(defaults, **given)  # type: ignore[arg-type]


def _check_strategy(strategy: Mapping[str, Any], tokens: str) -> None:
    try:
        strategy_of(strategy, tokens)
    except InvalidInput as exc:
        raise SettingsInvalid(
            f"the chunking is not valid: {exc}; CORNERMAN_CHILD_TOKENS, CORNERMAN_PARENT_TOKENS"
        ) from exc
