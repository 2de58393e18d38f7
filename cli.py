"""The `cornerman` command."""

from __future__ import annotations

import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar
from uuid import uuid4

import anyio
import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from runtime import log
from runtime.errors import AppError, Interrupted, SettingsInvalid, leaf
from runtime.settings import Settings, load

if TYPE_CHECKING:
    from runtime.project import Project

T = TypeVar("T")
_PARAMETER = "PARAMETER=VALUE,…"

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()

Url = Annotated[str | None, typer.Option(help="A running server; without it one is started here.")]
Config = Annotated[Path | None, typer.Option(help="A project's langgraph.json: its graphs are served too.")]
Tenant = Annotated[str, typer.Option(help="Whose knowledge.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Document = Annotated[str, typer.Argument(help="Its name, as `ingest` shows it, or its place.")]
Key = Annotated[str | None, typer.Option(envvar="CORNERMAN_API_KEY", help="Sent as x-api-key.")]


@app.callback()
def main() -> None:
    """Practise sales calls, ask the playbook, have tools act, replay what happened."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Default: CORNERMAN_HOST or 127.0.0.1.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Default: CORNERMAN_PORT or 8123; 0 takes a free one.")
    ] = None,
    config: Config = None,
) -> None:
    """Serve threads over WebSocket and HTTP, and work on their runs."""
    from terminal.processes import serve_until_signal

    settings = _settings(stays=True, host=host, port=port, config=config)
    _run(serve_until_signal, settings, console, _project(settings))


@app.command()
def worker(config: Config = None) -> None:
    """Work on runs beside a server, in a process of its own; as many as you like."""
    from terminal.processes import work_until_signal

    settings = _settings(stays=True, config=config)
    _run(work_until_signal, settings, console, _project(settings))


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
    as_json: Json = False,
) -> None:
    """Read documents into the knowledge; those that are gone since the last time are taken out."""
    from terminal.chunking import parse_strategy
    from terminal.ingest import Asked, ingest_asked

    settings = _settings()
    given = _given(partial(parse_strategy, settings), strategy) if strategy else {}
    asked = Asked(sources, tenant, explain, as_json, keep_versions, keep_missing, given)
    outcomes = _run(ingest_asked, settings, asked, console)
    if any(outcome.status in ("refused", "failed") for outcome in outcomes):
        raise typer.Exit(1)


@app.command()
def forget(
    documents: Annotated[list[str], typer.Argument(help="Names, as `ingest` shows them, or places.")],
    tenant: Tenant = "local",
) -> None:
    """Take documents out of the knowledge, with all their versions."""
    from terminal.documents import forget_documents

    _run(forget_documents, _settings(), tenant, documents, console)


@app.command()
def versions(document: Document, tenant: Tenant = "local", as_json: Json = False) -> None:
    """List a document's versions: the current one, and those that --keep-versions kept."""
    from terminal.documents import show_versions

    _run(show_versions, _settings(), tenant, document, as_json, console)


@app.command()
def restore(
    document: Document,
    version: Annotated[str, typer.Argument(help="Its first digits, as `versions` shows them.")],
    tenant: Tenant = "local",
) -> None:
    """Show a kept version again in the place of the current one, which is kept instead."""
    from terminal.documents import restore_version

    _run(restore_version, _settings(), tenant, document, version, console)


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

    _run(show_chunks, _settings(), document, strategy or [], as_json, console)


@app.command()
def chat(
    assistant: Annotated[
        str, typer.Option(help="A graph: assistant, coaching, rag, tool_calling, yours.")
    ] = "assistant",
    thread: Annotated[str | None, typer.Option(help="Go on with this thread.")] = None,
    scenario: Annotated[str | None, typer.Option(help="The persona pack of a practice call.")] = None,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Talk with an assistant."""
    from terminal.chat import chat as talk
    from terminal.processes import reachable_server

    async def run() -> None:
        async with reachable_server(_settings(), url, console) as place:
            await talk(place, assistant, thread or str(uuid4()), scenario, api_key)

    _run(run)


@app.command()
def threads(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20, url: Url = None, api_key: Key = None
) -> None:
    """List your threads, most recently used first."""
    from terminal.inspect import list_threads
    from terminal.processes import reachable_server

    async def run() -> list[dict[str, Any]]:
        async with reachable_server(_settings(), url, console) as place:
            return await list_threads(place, api_key, limit)

    rows = _run(run)
    table = Table(Column("thread", min_width=36), "assistant", "status", "last used")
    for row in rows:
        table.add_row(row["thread_id"], row["metadata"]["graph_id"], row["status"], row["updated_at"][:19])
    console.print(table if rows else "No threads yet; start one with: cornerman chat")


@app.command()
def replay(thread: str, tenant: Annotated[str, typer.Option(help="Whose thread.")] = "local") -> None:
    """Run a thread's turns again from its checkpoints, on a private copy, and compare."""
    from terminal.inspect import replay_table, replay_thread

    turns = _run(replay_thread, _settings(), tenant, thread)
    console.print(replay_table(turns))
    if any(turn.differences for turn in turns):
        raise typer.Exit(1)


@app.command()
def demo() -> None:
    """Play the main job end to end; each step checks itself."""
    from terminal.demo import play

    _run(play, _settings(), console)


@app.command()
def doctor() -> None:
    """Say what is configured, reachable or missing, and what to do about it."""
    from terminal.doctor import examine, findings_table

    async def run() -> bool:
        findings = [finding async for finding in examine(_settings())]
        console.print(findings_table(findings))
        return any(finding.verdict == "fault" for finding in findings)

    if _run(run):
        raise typer.Exit(1)


def _settings(*, stays: bool = False, **given: Any) -> Settings:
    """The settings with the command's options in place. Ends the program on a fault.

    A command that `stays` logs as configured; the others say themselves what happened, and log errors only.
    """
    try:
        settings = load(**{name: value for name, value in given.items() if value is not None})
    except SettingsInvalid as exc:
        _fail(exc)
    log.configure(settings.log_level if stays else "error", to_terminal=sys.stderr.isatty())
    return settings


def _project(settings: Settings) -> Project | None:
    """The project that is configured. It runs code of its own, so before any event loop. Ends on a fault."""
    from runtime.project import load_project

    try:
        return load_project(settings.config) if settings.config else None
    except SettingsInvalid as exc:
        _fail(exc)


def _given(read: Callable[[str], T], text: str) -> T:
    """An option's value. Ends the program on a fault."""
    try:
        return read(text)
    except AppError as exc:
        _fail(exc)


def _run(command: Callable[..., Awaitable[Any]], *args: Any) -> Any:
    """Runs the command's body; an expected error becomes one line and exit code 1."""
    try:
        return anyio.run(partial(command, *args), backend_options={"use_uvloop": sys.platform != "win32"})
    except KeyboardInterrupt:
        raise typer.Exit(128 + signal.SIGINT) from None
    except (AppError, ExceptionGroup) as exc:
        cause = leaf(exc)
        if not isinstance(cause, AppError):
            raise
        if isinstance(cause, Interrupted):
            raise typer.Exit(128 + signal.SIGINT) from None
        _fail(cause)


def _fail(error: AppError) -> NoReturn:
    Console(stderr=True).print(Text(f"{error} ({error.code})", style="red"))
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
