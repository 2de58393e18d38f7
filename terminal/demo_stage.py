"""What the demo's steps share, and how they check themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import uuid4

from rich.console import Console

from runtime.errors import AppError
from runtime.settings import Settings
from terminal.worker_processes import WorkerProcesses


class DemoFailed(AppError):
    """A step of the demo did not show what it must show."""

    code = "demo_failed"


@dataclass
class Stage:
    """What the steps share."""

    settings: Settings
    url: str
    console: Console
    workers: WorkerProcesses
    practice: str = field(default_factory=lambda: str(uuid4()))
    """Thread id of the practice call."""

    def check(self, holds: object, what: str) -> None:
        """Raises DemoFailed when `what` does not hold; else says that it was checked."""
        if not holds:
            raise DemoFailed(f"this does not hold: {what}")
        self.console.print(f"  [green]✓[/green] {what}", highlight=False)
