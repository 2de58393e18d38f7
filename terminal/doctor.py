"""`cornerman doctor`: what is configured, reachable or missing, and what to do about it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import httpx
from redis.exceptions import RedisError
from rich.table import Table
from rich.text import Text

from compose_knowledge import open_index
from ingestion.opening_knowledge import older_form
from runtime.auth import check_exposure, read_keys
from runtime.embedded_redis import find_server
from runtime.errors import AppError, KnowledgeUnavailable
from runtime.redis import connect, open_redis
from runtime.serving import listen
from runtime.settings import Settings

Verdict = Literal["ok", "note", "fault"]


@dataclass(frozen=True)
class Finding:
    subject: str
    verdict: Verdict
    text: str
    """What was found and, for a fault, what to do."""


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """One finding after the other; nothing is changed but the data folder, which is made if need be."""
    yield Finding("Python", "ok", sys.version.split()[0])
    yield await _redis(settings)
    yield await _model(settings)
    yield await _knowledge(settings)
    yield _port(settings)
    yield _auth(settings)
    yield _extra("bge", "FlagEmbedding", "dense and ColBERT retrieval")
    yield _extra("docling", "docling", "table models for difficult PDFs")


def findings_table(findings: Sequence[Finding]) -> Table:
    """The findings, faults in red."""
    styles = {"ok": "green", "note": "yellow", "fault": "red"}
    table = Table("", "", "", show_header=False, box=None)
    for finding in findings:
        mark = Text(finding.verdict, style=styles[finding.verdict])
        table.add_row(mark, finding.subject, Text(finding.text))
    return table


async def _redis(settings: Settings) -> Finding:
    url = settings.redis_url.get_secret_value() if settings.redis_url else None
    try:
        async with open_redis(url, settings.data_dir) as place, connect(place, timeout_s=5) as client:
            running = str((await client.info("server"))["redis_version"])
        found = "as configured" if url else f"embedded ({find_server()}); data in {settings.data_dir}/redis"
    except (AppError, RedisError) as exc:
        return Finding("Redis", "fault", str(exc))
    return Finding("Redis", "ok", f"{running}, {found}")


async def _model(settings: Settings) -> Finding:
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
    if settings.model_base_url is None and key is None:
        return Finding(
            "Model",
            "note",
            "scripted: set OPENAI_API_KEY, or CORNERMAN_MODEL_BASE_URL for any compatible endpoint",
        )
    url = (settings.model_base_url or "https://api.openai.com/v1").rstrip("/") + "/models"
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            reply = await client.get(url, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        return Finding(
            "Model", "fault", f"{url} cannot be reached ({type(exc).__name__}); check the base URL"
        )
    if reply.status_code in (401, 403):
        return Finding("Model", "fault", f"{url} refuses the API key; check OPENAI_API_KEY")
    verdict: Verdict = "ok" if reply.is_success else "fault"
    return Finding("Model", verdict, f"{settings.model} at {url} (answers {reply.status_code})")


async def _knowledge(settings: Settings) -> Finding:
    try:
        async with open_index(settings) as knowledge:
            stats = await knowledge.stats("local")
            knowledge.embedders.of(stats.collection)
    except AppError as exc:
        if settings.qdrant_url or not isinstance(exc, KnowledgeUnavailable):
            return Finding("Knowledge", "fault", str(exc))
        return Finding("Knowledge", "note", f"{exc}; that process answers searches")
    if not stats.documents and (left := older_form(settings.data_dir)):
        text = f"empty: {left} is of an older form; ingest your documents again, then delete it"
        return Finding("Knowledge", "fault", text)
    if not stats.documents:
        return Finding("Knowledge", "note", "empty: run `cornerman ingest examples/knowledge`")
    figures = f"{stats.documents} documents, {stats.chunks} chunks (tenant local)"
    where = "on the Qdrant server" if settings.qdrant_url else "embedded"
    return Finding("Knowledge", "ok", f"{figures}; {where}, vectors of {stats.collection}")


def _port(settings: Settings) -> Finding:
    try:
        listen(settings.host, settings.port).close()
    except AppError as exc:
        return Finding("Port", "note", f"{exc}; if that is a Cornerman server, all is well")
    return Finding("Port", "ok", f"{settings.host}:{settings.port} is free")


def _auth(settings: Settings) -> Finding:
    try:
        users = read_keys(settings.api_keys)
        check_exposure(settings.host, users)
    except AppError as exc:
        return Finding("API keys", "fault", str(exc))
    if not users:
        return Finding("API keys", "note", "none: whoever reaches this machine's loopback is the local user")
    return Finding("API keys", "ok", f"{len(users)} configured")


def _extra(extra: str, distribution: str, purpose: str) -> Finding:
    # By distribution: the light docling-slim of the base install brings docling's package as well.
    try:
        return Finding(f"Extra {extra}", "ok", f"{distribution} {version(distribution)}")
    except PackageNotFoundError:
        how = f"not installed: pip install -e '.[{extra}]' for {purpose}"
        return Finding(f"Extra {extra}", "note", how)
