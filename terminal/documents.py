"""`cornerman forget`, `versions` and `restore`: what is in the knowledge, by its name or its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from compose import open_installation
from ingestion.document import clean
from ingestion.knowledge import Knowledge
from ingestion.record import document_id_of
from ingestion.remote import RemoteKnowledge
from ingestion.report import StoredDocument
from ingestion.sources.place import place_of
from ingestion.sources.source import place_shown
from runtime.auth import Name as TenantName
from runtime.errors import DocumentMissing, InvalidInput
from runtime.settings import Settings

_SHORT = 8
"""Digits of a version that are shown."""
_PLACES = 10
"""Named at most, of documents of one name."""


async def forget_documents(
    settings: Settings, tenant: str, documents: Sequence[str], console: Console
) -> None:
    """Takes documents out of the knowledge. Stops at the first that `find` raises for."""
    check_tenant(tenant)
    async with open_installation(settings, own_index=True, work=False) as installation:
        for named in documents:
            document = await find(installation.knowledge.current, tenant, named)
            await installation.knowledge.current.remove(tenant, document.document_id)
            console.print(Text(f"{document.document} is forgotten"))


async def show_versions(settings: Settings, tenant: str, named: str, as_json: bool, console: Console) -> None:
    """Prints a document's versions, the oldest first. Raises what `find` does."""
    check_tenant(tenant)
    async with open_installation(settings, own_index=True, work=False) as installation:
        document = await find(installation.knowledge.current, tenant, named)
        versions = await installation.knowledge.current.versions(tenant, document.document_id)
    if as_json:
        rows = [_json(version, document) for version in versions]
        place = {"document": document.document, "place": document.source}
        console.print_json(data={**place, "versions": rows})
    else:
        console.print(_versions_table(versions, document))


async def restore_version(
    settings: Settings, tenant: str, named: str, version: str, console: Console
) -> None:
    """Shows a kept version in the place of the one that is seen, which is kept.

    `version`: its first digits. Raises what `find` does, and InvalidInput for the version.
    """
    check_tenant(tenant)
    async with open_installation(settings, own_index=True, work=False) as installation:
        document = await find(installation.knowledge.current, tenant, named)
        versions = await installation.knowledge.current.versions(tenant, document.document_id)
        kept = _of_version(versions, version, document)
        await installation.knowledge.current.restore(tenant, document.document_id, kept.version)
    when = f"version {kept.version[:_SHORT]}, ingested at {kept.ingested_at}"
    console.print(Text(f"{document.document} is again what it was: {when}"))
    console.print(Text("The next ingest shows what its place holds then; --keep-versions keeps this one."))


async def find(knowledge: Knowledge | RemoteKnowledge, tenant: str, named: str) -> StoredDocument:
    """The document of that name, or from that place.

    Raises DocumentMissing, and InvalidInput, which lists the places, where there are several.
    """
    found = {document.document_id: document for document in await knowledge.named(tenant, clean(named))}
    if there := await knowledge.shown(tenant, document_id_of(place_of(named))):
        found[there.document_id] = there
    if not found:
        raise DocumentMissing(f"there is no document {named!r} in the knowledge", document=named)
    if len(found) > 1:
        places = [place_shown(document.source) for document in found.values()]
        more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
        raise InvalidInput(
            f"{named!r} is the name of {len(found)} documents; say which by its place:"
            f" {', '.join(places[:_PLACES])}{more}"
        )
    return next(iter(found.values()))


def check_tenant(tenant: str) -> None:
    """Raises InvalidInput for what no API key's tenant may be."""
    try:
        TypeAdapter(TenantName).validate_python(tenant)
    except ValidationError as exc:
        raise InvalidInput(
            f"{tenant!r} is no tenant of an API key: 1 to 100 signs, but no space, slash, brace or star"
        ) from exc


def _of_version(versions: Sequence[StoredDocument], digits: str, current: StoredDocument) -> StoredDocument:
    found = [version for version in versions if digits and version.version.startswith(digits)]
    if len(found) == 1 and found[0].version != current.version:
        return found[0]
    kept = [version.version[:_SHORT] for version in versions if version.version != current.version]
    why = "is the current one" if len(found) == 1 else f"stands for {len(found)} versions"
    raise InvalidInput(f"{digits!r} {why} of {current.document!r}; kept are {', '.join(kept) or 'none'}")


def _status(version: StoredDocument, current: StoredDocument) -> str:
    return "current" if version.version == current.version else "kept"


def _json(version: StoredDocument, current: StoredDocument) -> Mapping[str, Any]:
    keys = ("version", "ingested_at", "pages", "chunks", "tokens")
    return {**{key: getattr(version, key) for key in keys}, "status": _status(version, current)}


def _versions_table(versions: Sequence[StoredDocument], current: StoredDocument) -> Table:
    right = [Column(name, justify="right") for name in ("pages", "chunks")]
    title = Text(f"{current.document}, from {place_shown(current.source)}")
    table = Table("version", "ingested (UTC)", *right, "", title=title)
    for version in versions:
        when = version.ingested_at[:19].replace("T", " ")
        figures = (str(version.pages or "–"), str(version.chunks))
        table.add_row(version.version[:_SHORT], when, *figures, _status(version, current))
    return table
