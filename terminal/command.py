"""What every command does alike: its settings, its event loop, its errors as one line."""

from __future__ import annotations

import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import anyio
import typer
from rich.console import Console
from rich.text import Text

from runtime import log
from runtime.errors import AppError, Interrupted, SettingsInvalid, leaf
from runtime.settings import Settings, load

if TYPE_CHECKING:
    from runtime.project import Project

T = TypeVar("T")

console = Console()


def settings_of(*, stays: bool = False, **given: Any) -> Settings:
    """The settings with the command's options in place. Ends the program on a fault.

    A command that `stays` logs as configured; the others say themselves what happened, and log errors only.
    """
    try:
        settings = load(**{name: value for name, value in given.items() if value is not None})
    except SettingsInvalid as exc:
        fail(exc)
    log.configure(settings.log_level if stays else "error", to_terminal=sys.stderr.isatty())
    return settings


def project_of(settings: Settings) -> Project | None:
    """The project that is configured. It runs code of its own, so before any event loop. Ends on a fault."""
    from runtime.project import load_project

    try:
        return load_project(settings.config) if settings.config else None
    except SettingsInvalid as exc:
        fail(exc)


def given(read: Callable[[str], T], text: str) -> T:
    """An option's value. Ends the program on a fault."""
    try:
        return read(text)
    except AppError as exc:
        fail(exc)


def run(command: Callable[..., Awaitable[Any]], *args: Any) -> Any:
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
        fail(cause)


def fail(error: AppError) -> NoReturn:
    Console(stderr=True).print(Text(f"{error} ({error.code})", style="red"))
    raise typer.Exit(1)
