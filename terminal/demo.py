"""`cornerman demo`: the main job, end to end, through the stock SDK; each step checks itself."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console

from runtime.settings import Settings
from terminal.demo_stage import Stage
from terminal.demo_steps import STEPS
from terminal.ingest import Asked, ingest_asked
from terminal.processes import open_server, until_signal
from terminal.worker_processes import OWN_WORLD, open_workers

KNOWLEDGE = Path(__file__).parent.parent / "examples" / "knowledge"
_TENANT = "local"


async def play(given: Settings, console: Console) -> None:
    """Plays all steps; at a terminal it then stays up. Raises DemoFailed."""
    at_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    settings = given.model_copy(
        update={
            # The demo is its own world: no model, key or Redis of the developer's takes part.
            **OWN_WORLD,
            "worker_inline": False,
            "heartbeat_s": 2.0,
            "scripted_token_delay_s": 0.008,
            "port": given.port if at_terminal else 0,
        }
    )
    if given.openai_api_key or given.model_base_url:
        console.print("The demo plays with the scripted model, not with the one that is configured.")
    began = time.monotonic()
    async with _stage(settings, console) as stage:
        for number, (title, step) in enumerate(STEPS, 1):
            console.rule(f"[bold]{number}. {title}")
            await step(stage)
        console.rule()
        console.print(
            f"[bold green]All {len(STEPS)} steps hold[/bold green] ({time.monotonic() - began:.0f} s)."
        )
        if at_terminal:
            _say_what_next(stage)
            await until_signal()


@asynccontextmanager
async def _stage(settings: Settings, console: Console) -> AsyncIterator[Stage]:
    await ingest_asked(settings, Asked([str(KNOWLEDGE)], _TENANT), console)
    async with open_server(settings) as url, open_workers(settings, count=2) as workers:
        console.print(
            f"Server at {url}, workers {', '.join(map(str, workers.pids))}, data in {settings.data_dir}"
        )
        await workers.ready()
        yield Stage(settings, url, console, workers)


def _say_what_next(stage: Stage) -> None:
    stage.console.print(
        f"\nCornerman stays up at [bold]{stage.url}[/bold]. In another terminal, try:\n"
        "  [bold].venv/bin/cornerman chat[/bold]                      talk: “practise”, or a question\n"
        f"  [bold].venv/bin/cornerman replay {stage.practice}[/bold]\n"
        "  [bold].venv/bin/cornerman ingest YOUR-FILES[/bold]         teach it your own playbook\n"
        "  [bold].venv/bin/cornerman doctor[/bold]                    what is configured or missing\n"
        "End with Ctrl-C."
    )
