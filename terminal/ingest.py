"""`cornerman ingest`: documents into the knowledge, with progress bars and a table at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from compose import open_installation
from ingestion import report
from ingestion.find import document_names, find_documents
from ingestion.remote import SharedKnowledge
from ingestion.report import Ingested
from runtime.settings import Settings


async def ingest_paths(
    settings: Settings, tenant: str, paths: Sequence[Path], console: Console
) -> list[Ingested]:
    """Ingests into the installation's knowledge, by the process that owns it, and prints what became of each.

    Raises DocumentMissing, DocumentEmpty.
    """
    async with open_installation(settings, own_index=True, work=False) as installation:
        results = await ingest(installation.knowledge, tenant, paths, console)
    console.print(results_table(results))
    return results


async def ingest(
    knowledge: SharedKnowledge, tenant: str, paths: Sequence[Path], console: Console
) -> list[Ingested]:
    """One result per document; a refused one does not stop the others."""
    documents = find_documents(paths)
    results: list[Ingested] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        everything = bars.add_task("documents", total=len(documents))
        stage = bars.add_task("", total=1)

        def show(progress: report.Progress) -> None:
            text = f"{progress.document}: {progress.stage}"
            bars.update(stage, description=text, completed=progress.done, total=progress.total)

        for document, name in zip(documents, document_names(documents), strict=True):
            results.append(await knowledge.ingest(tenant, document, name=name, on_progress=show))
            bars.advance(everything)
    return results


def results_table(results: Sequence[Ingested]) -> Table:
    """What became of each document."""
    table = Table(title="Ingested")
    for column in ("document", "status", "pages", "chunks", "tokens", "remark"):
        table.add_column(column, justify="right" if column in ("pages", "chunks", "tokens") else "left")
    for r in results:
        figures = [str(value or "–") for value in (r.pages, r.chunks, r.tokens)]
        remark = f"{r.code}: {r.reason}" if r.code else "; ".join(r.notes)
        table.add_row(r.document, r.status, *figures, remark)
    return table
