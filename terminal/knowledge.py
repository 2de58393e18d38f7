"""Commands for the knowledge: what is in it, what a search finds in it, where it is kept."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from terminal.command import console, given, run, settings_of

_PARAMETER = "PARAMETER=VALUE,…"

app = typer.Typer()
index = typer.Typer(no_args_is_help=True, help="The index: figures, moves to another embedder, backups.")
app.add_typer(index, name="index")

Tenant = Annotated[str, typer.Option(help="Whose knowledge.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Document = Annotated[str, typer.Argument(help="Its name, as `ingest` shows it, or its place.")]


@app.command()
def ingest(
    sources: Annotated[
        list[str], typer.Argument(help="Files, folders, globs, s3:// and other URLs, https://…")
    ],
    tenant: Tenant = "local",
    explain: Annotated[bool, typer.Option("--explain", help="Say how each was read, and why.")] = False,
    strategy: Annotated[str, typer.Option(help=f"How to cut: NAME or NAME:{_PARAMETER}.")] = "",
    keep_versions: Annotated[
        bool, typer.Option("--keep-versions", help="Keep the versions that are replaced.")
    ] = False,
    keep_missing: Annotated[
        bool, typer.Option("--keep-missing", help="Keep documents that are no longer there.")
    ] = False,
    tag: Annotated[
        list[str] | None,
        typer.Option(help="A word to find them by; several times. Default: those they have."),
    ] = None,
    date: Annotated[str, typer.Option(help="Their day, 2026-05-31. Default: of the last change.")] = "",
    as_json: Json = False,
) -> None:
    """Read documents into the knowledge; those that are gone since the last time are taken out."""
    from terminal.chunking import parse_strategy
    from terminal.ingest import Asked, ingest_asked

    settings = settings_of()
    cutting = given(partial(parse_strategy, settings), strategy) if strategy else {}
    asked = Asked(
        sources, tenant, explain, as_json, keep_versions, keep_missing, cutting, tags=tag, date=date or None
    )
    outcomes = run(ingest_asked, settings, asked, console)
    if any(outcome.status in ("refused", "failed") for outcome in outcomes):
        raise typer.Exit(1)


@app.command()
def forget(
    documents: Annotated[list[str], typer.Argument(help="Names, as `ingest` shows them, or places.")],
    tenant: Tenant = "local",
) -> None:
    """Take documents out of the knowledge, with all their versions."""
    from terminal.documents import forget_documents

    run(forget_documents, settings_of(), tenant, documents, console)


@app.command()
def versions(document: Document, tenant: Tenant = "local", as_json: Json = False) -> None:
    """List a document's versions: the current one, and those that --keep-versions kept."""
    from terminal.documents import show_versions

    run(show_versions, settings_of(), tenant, document, as_json, console)


@app.command()
def restore(
    document: Document,
    version: Annotated[str, typer.Argument(help="Its first digits, as `versions` shows them.")],
    tenant: Tenant = "local",
) -> None:
    """Show a kept version again in the place of the current one, which is kept instead."""
    from terminal.documents import restore_version

    run(restore_version, settings_of(), tenant, document, version, console)


@app.command()
def chunks(
    document: Annotated[Path, typer.Argument(help="A file.")],
    strategy: Annotated[
        list[str] | None,
        typer.Option(help=f"NAME or NAME:{_PARAMETER}; two to six are compared. Default: as configured."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show how a document would be cut, compare ways to cut it, and which one suits it."""
    from terminal.chunking import show_chunks

    run(show_chunks, settings_of(), document, strategy or [], as_json, console)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="A question, or words.")],
    tenant: Tenant = "local",
    limit: Annotated[int, typer.Option(min=1, max=100, help="Passages at most.")] = 5,
    document: Annotated[list[str] | None, typer.Option(help="Only in documents of this name.")] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="Only a paragraph, heading, list, table or figure.")
    ] = None,
    language: Annotated[list[str] | None, typer.Option(help="Only en, zh or und.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only in documents with this tag.")] = None,
    since: Annotated[str, typer.Option(help="Only in documents of this day or later, 2026-05-31.")] = "",
    until: Annotated[str, typer.Option(help="Only in documents of this day or earlier.")] = "",
    as_json: Json = False,
) -> None:
    """Show what a search finds, and why: ranks by each vector, fused and anew, and the time."""
    from terminal.search import search as show

    lists = {"documents": document, "kinds": kind, "languages": language, "tags": tag}
    filters = {**lists, "since": since, "until": until}
    run(show, settings_of(), tenant, query, limit, filters, as_json, console)


@index.command()
def stats(tenant: Tenant = "local", as_json: Json = False) -> None:
    """Documents, chunks, tokens, languages; and which vectors the index holds."""
    from terminal.index import show_stats

    run(show_stats, settings_of(), tenant, as_json, console)


@index.command()
def migrate(
    to: Annotated[str, typer.Option(help="A configured embedder: bm25, endpoint or bge-m3.")],
) -> None:
    """Make the vectors of another embedder, then search by them; the index serves meanwhile."""
    from terminal.index import move

    run(move, settings_of(), to, console)


@index.command()
def rollback() -> None:
    """Go back to the collection before a migration, with what has changed since."""
    from terminal.index import roll_back

    run(roll_back, settings_of(), console)


@index.command("use")
def use_collection(
    collection: Annotated[str, typer.Argument(help="A kept one, as `index stats` shows it.")],
) -> None:
    """Search a kept collection as it is, without what has changed since; after a restore for one."""
    from terminal.index import use

    run(use, settings_of(), collection, console)


@index.command("drop")
def drop_collection(
    collection: Annotated[str, typer.Argument(help="A kept one, as `index stats` shows it.")],
) -> None:
    """Delete a collection that a migration or a restore has kept."""
    from terminal.index import drop

    run(drop, settings_of(), collection, console)


@index.command()
def backup(folder: Annotated[Path, typer.Argument(help="One that is not there yet.")]) -> None:
    """Write a copy of the index, and check it by opening it; searches go on meanwhile."""
    from terminal.index import back_up

    run(back_up, settings_of(), folder, console)


@index.command("restore")
def restore_backup(folder: Annotated[Path, typer.Argument(help="A backup.")]) -> None:
    """Search what a backup holds; the collection before is kept."""
    from terminal.index import recover

    run(recover, settings_of(), folder, console)
