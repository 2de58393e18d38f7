"""`cornerman` called in the test's own process: a command then costs none of the seconds of its imports."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import structlog
from typer.testing import CliRunner

from cli import app
from tests.server_process import environment


def call(
    data: Path, *args: str, stdin: str = "", settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The finished command, as `server_process.run` gives it, of a test without an event loop of its own."""
    wanted = environment(data, **(settings or {}))
    env: dict[str, str | None] = {**dict.fromkeys(os.environ), **wanted}
    with _own_log():
        done = CliRunner().invoke(app, args, input=stdin, env=env)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception  # As a process it would have shown a traceback.
    return subprocess.CompletedProcess(args, done.exit_code, done.stdout, done.stderr)


@contextmanager
def _own_log() -> Iterator[None]:
    """Commands set up structlog for their process; the tests that follow are another one's."""
    before = structlog.get_config()
    try:
        yield
    finally:
        structlog.configure(**before)
