"""`cornerman serve --config` for the project in `sdk_project`, a process of its own."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import IO

from tests.server_process import ROOT, command, environment

CONFIG = Path(__file__).parent / "sdk_project" / "langgraph.json"
_START_S = 60.0


@contextmanager
def serving_project(data: Path) -> Iterator[str]:
    """The URL of a server that answers, ended in order; CORNERMAN_TEST_URL names another to use instead."""
    if given := os.environ.get("CORNERMAN_TEST_URL"):
        yield given
        return
    serve = command("serve", "--port", "0", "--config", str(CONFIG))
    with subprocess.Popen(serve, env=environment(data), cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield _url(process.stdout)
        finally:
            process.terminate()


def _url(output: IO[bytes]) -> str:
    """The first URL that the server prints."""
    said, deadline = "", monotonic() + _START_S
    while "http://" not in said or "·" not in said:
        ready, _, _ = select.select([output], [], [], deadline - monotonic())
        assert ready, f"the server did not come up within {_START_S:g} s; it said {said!r}"
        piece = os.read(output.fileno(), 4096)
        assert piece, f"the server ended before it answered; it said {said!r}"
        said += piece.decode()
    return said[said.index("http://") :].split()[0]
