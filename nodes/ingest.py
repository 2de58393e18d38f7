"""The steps of an ingestion as nodes: what a step does is a capability of the run."""

from __future__ import annotations

from typing import Any, Literal, Protocol, Required, TypedDict

from langgraph.runtime import Runtime

from runtime.context import Context

Status = Literal["working", "ingested", "unchanged", "refused"]


class IngestInput(TypedDict, total=False):
    """What a client asks for."""

    source: Required[str]
    """A path or a URL of one document."""
    name: str
    """Under which it is stored and cited; the last part of `source` by default."""
    root: str
    """The folder, glob or URL by which it was found."""
    strategy: dict[str, Any]
    """`{"name": …, "parameters": {…}}` of the chunking; the configured one by default."""
    keep_versions: bool
    """Whether the version that this one replaces is kept beside it."""
    tags: list[str] | None
    """What a search may be narrowed by; those it had by default."""
    date: str | None
    """The document's day, `2026-05-31`; by default the one when its source was last changed."""


class Ingesting(IngestInput, total=False):
    """The document on its way."""

    status: Status
    place: str
    """The URI that `source` stands for."""
    document_id: str
    """Hash of the place: what came from there before is an earlier version of this document."""
    version: str
    """Hash of place, bytes and the way they are read: the same version is in the index once."""
    digest: str
    """Hash of the bytes."""
    bytes: int
    labels: dict[str, Any]
    """The tags and the date that it gets."""
    ingested_at: str
    """When its version was begun: UTC, ISO 8601."""
    moved_from: str
    """The place where it was before, or ""."""
    namesakes: list[str]
    """Places of other documents of this name; for this machine's own user."""
    pages: int | None
    reading: dict[str, Any]
    """Level, parser and reasons of the route that was taken."""
    chunks: int
    tokens: int
    notes: list[str]
    """What there is to say about a document that was read, `repaired: …`."""
    hidden: int
    """Pieces of text that no reader sees, and that were kept out."""
    code: str
    """Why it was refused, `DOCUMENT_ENCRYPTED`."""
    reason: str


class Step(Protocol):
    """A node, by the names that LangGraph gives its arguments."""

    async def __call__(self, state: Ingesting, runtime: Runtime[Context]) -> dict[str, Any]: ...


def ingest_step(stage: str) -> Step:
    """The node of one stage; it streams `{"name": "progress", "stage", "done", "total"}` on its way."""

    async def step(state: Ingesting, runtime: Runtime[Context]) -> dict[str, Any]:
        def report(done: int, total: int) -> None:
            runtime.stream_writer({"name": "progress", "stage": stage, "done": done, "total": total})

        report(0, 1)
        return await runtime.context.ingest(stage, state, report)

    return step


def goes_on(state: Ingesting) -> bool:
    """False once the document is in the index, or was refused."""
    return state["status"] == "working"
