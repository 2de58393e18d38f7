"""The `cornerman` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.table import Column, Table

from terminal import knowledge
from terminal.command import console, project_of, run, settings_of

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(knowledge.app)

Url = Annotated[str | None, typer.Option(help="A running server; without it one is started here.")]
Config = Annotated[Path | None, typer.Option(help="A project's langgraph.json: its graphs are served too.")]
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

    settings = settings_of(stays=True, host=host, port=port, config=config)
    run(serve_until_signal, settings, console, project_of(settings))


@app.command()
def worker(config: Config = None) -> None:
    """Work on runs beside a server, in a process of its own; as many as you like."""
    from terminal.processes import work_until_signal

    settings = settings_of(stays=True, config=config)
    run(work_until_signal, settings, console, project_of(settings))


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

    async def body() -> None:
        async with reachable_server(settings_of(), url, console) as place:
            await talk(place, assistant, thread or str(uuid4()), scenario, api_key)

    run(body)


@app.command()
def threads(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20, url: Url = None, api_key: Key = None
) -> None:
    """List your threads, most recently used first."""
    from terminal.inspect import list_threads
    from terminal.processes import reachable_server

    async def body() -> list[dict[str, Any]]:
        async with reachable_server(settings_of(), url, console) as place:
            return await list_threads(place, api_key, limit)

    rows = run(body)
    table = Table(Column("thread", min_width=36), "assistant", "status", "last used")
    for row in rows:
        table.add_row(row["thread_id"], row["metadata"]["graph_id"], row["status"], row["updated_at"][:19])
    console.print(table if rows else "No threads yet; start one with: cornerman chat")


@app.command()
def replay(thread: str, tenant: Annotated[str, typer.Option(help="Whose thread.")] = "local") -> None:
    """Run a thread's turns again from its checkpoints, on a private copy, and compare."""
    from terminal.inspect import replay_table, replay_thread

    turns = run(replay_thread, settings_of(), tenant, thread)
    console.print(replay_table(turns))
    if any(turn.differences for turn in turns):
        raise typer.Exit(1)


@app.command()
def demo() -> None:
    """Play the main job end to end; each step checks itself."""
    from terminal.demo import play

    run(play, settings_of(), console)


@app.command()
def doctor() -> None:
    """Say what is configured, reachable or missing, and what to do about it."""
    from terminal.doctor import examine, findings_table

    async def body() -> bool:
        findings = [finding async for finding in examine(settings_of())]
        console.print(findings_table(findings))
        return any(finding.verdict == "fault" for finding in findings)

    if run(body):
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
