"""`cornerman index`: figures, moves to another embedder, backups."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from compose import Installation, open_installation
from ingestion.collection import collection_name, embedder_of, is_restored, original_name
from ingestion.migration import migrate
from ingestion.report import Stats
from runtime.errors import InvalidInput
from runtime.settings import Settings
from terminal.documents import check_tenant


async def show_stats(settings: Settings, tenant: str, as_json: bool, console: Console) -> None:
    """Prints a tenant's knowledge in figures, and the collections of the installation."""
    check_tenant(tenant)
    async with open_installation(settings, own_index=True, work=False) as installation:
        stats = await installation.knowledge.current.stats(tenant)
    if as_json:
        console.print_json(data=asdict(stats))
    else:
        console.print(_table(stats, tenant))


async def move(settings: Settings, to: str, console: Console) -> None:
    """Moves the index to another embedder, with a bar of the chunks; searches go on meanwhile.

    Raises InvalidInput for an embedder that is not configured, and what `migrate` does.
    """
    async with open_installation(settings, own_index=True, work=False) as installation:
        await _move(installation, to, console)


async def roll_back(settings: Settings, console: Console) -> None:
    """Moves back to the collection before, bringing it what has changed since.

    Raises InvalidInput where it is not the only one, or a restored one is current.
    """
    async with open_installation(settings, own_index=True, work=False) as installation:
        current = await installation.knowledge.current.collection()
        stats = await installation.knowledge.current.stats("local")
        kept = [name for name in stats.collections if name != current and not is_restored(name)]
        if is_restored(current) or len(kept) != 1:
            names = ", ".join(name for name in stats.collections if name != current) or "none"
            raise InvalidInput(
                f"which one to go back to is for you to say; kept are {names}: `cornerman index use NAME`"
                " makes one current as it is, `index migrate` brings one what has changed since"
            )
        installation.pipeline.means.embedders.of(kept[0])
        await _move(installation, embedder_of(kept[0]), console)


async def use(settings: Settings, collection: str, console: Console) -> None:
    """Makes a kept collection current as it is. Raises InvalidInput for one that is not there."""
    async with open_installation(settings, own_index=True, work=False) as installation:
        await installation.knowledge.current.use(collection)
    console.print(Text(f"{collection} is current"))


async def drop(settings: Settings, collection: str, console: Console) -> None:
    """Deletes a collection that is kept. Raises InvalidInput for the current one."""
    async with open_installation(settings, own_index=True, work=False) as installation:
        await installation.knowledge.current.drop(collection)
    console.print(Text(f"{collection} is deleted"))


async def back_up(settings: Settings, folder: Path, console: Console) -> None:
    """Writes a backup of the current collection. Raises InvalidInput for the folder."""
    async with open_installation(settings, own_index=True, work=False) as installation:
        made = await installation.knowledge.current.backup(str(folder.absolute()))
    points = f"{sum(made.points.values()):,} chunks of {len(made.points)} tenants"
    console.print(Text(f"{folder}: {points} of {made.collection}; the copy was opened and counted"))


async def recover(settings: Settings, folder: Path, console: Console) -> None:
    """Makes what a backup holds current. Raises InvalidInput for what is no backup."""
    async with open_installation(settings, own_index=True, work=False) as installation:
        made = await installation.knowledge.current.recover(str(folder.absolute()))
        current = await installation.knowledge.current.collection()
    points = f"{sum(made.points.values()):,} chunks of {len(made.points)} tenants"
    console.print(Text(f"{current} is current: {points}, as of {made.made_at}; the one before is kept"))


async def _move(installation: Installation, to: str, console: Console) -> None:
    embedder = installation.pipeline.means.embedders.named(to)
    current = await installation.knowledge.current.collection()
    if is_restored(current) and original_name(current) == collection_name(to, embedder.profile):
        # It would be made like the backup, and so lose what came after that.
        raise InvalidInput(
            f"{current!r} is a restored {original_name(current)!r}: `cornerman index use` goes back to that"
        )
    columns = (TextColumn("embedded"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=None)
        moved = await migrate(
            installation.knowledge.current.moving,
            to,
            embedder,
            lambda done, total: progress.update(bar, completed=done, total=total),
        )
    brought = f"{moved.chunks:,} chunks of {moved.versions:,} versions were brought over"
    console.print(Text(f"{moved.collection} is current: {brought}, {moved.samples} samples found"))
    console.print(Text("The collection before is kept: `cornerman index rollback`, or `index drop` it."))


def _table(stats: Stats, tenant: str) -> Table:
    table = Table("", "", show_header=False, title=Text(f"Knowledge of {tenant}"))
    languages = ", ".join(f"{language} {chunks:,}" for language, chunks in sorted(stats.languages.items()))
    kept = [name for name in stats.collections if name != stats.collection]
    for name, value in (
        ("documents", f"{stats.documents:,}"),
        ("chunks", f"{stats.chunks:,}"),
        ("tokens", f"{stats.tokens:,}"),
        ("chunks by language", languages or "–"),
        ("collection", stats.collection),
        ("vectors", ", ".join(stats.vectors)),
        ("kept collections", ", ".join(kept) or "–"),
    ):
        table.add_row(name, Text(value))
    return table
