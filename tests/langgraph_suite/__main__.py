"""LangGraph's own tests against our saver: each mode on each kind of server. Prints a table.

The tests come from the source archive of the LangGraph that is installed, so that they match it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.servers import KINDS, MissingServer, running

MODES = ("plain", "strict", "encrypted")
_WORKERS = 2
_FIXTURES = Path(__file__).parent / "fixtures.py"
_TIMEOUT_S = 900


class Outcome(NamedTuple):
    """Of one run of the suite."""

    passed: int
    failed: int
    """Failures and errors."""
    skipped: int
    output: str

    @property
    def is_good(self) -> bool:
        return self.passed > 0 and self.failed == 0


def main() -> int:
    """The exit code: 0 when every run passed, and there was at least one."""
    good: list[bool] = []
    print(f"LangGraph {version('langgraph')}\n{'server':10} {'mode':10} passed failed skipped")
    with TemporaryDirectory() as folder:
        suite = unpacked(download(Path(folder)))
        for kind in KINDS:
            try:
                with servers(kind) as urls:
                    good += [show(kind, mode, run(suite, mode, urls)) for mode in MODES]
            except MissingServer as missing:
                print(f"{kind:10} not run: {missing}", flush=True)
    return 0 if good and all(good) else 1


def download(folder: Path) -> Path:
    """The source archive. Raises CalledProcessError."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation"]
    package = f"langgraph=={version('langgraph')}"
    subprocess.run([*pip, "--no-binary", "langgraph", "--dest", str(folder), package], check=True)
    return next(folder.glob("langgraph-*.tar.gz"))


def unpacked(archive: Path) -> Path:
    """The folder with its tests, our fixtures in place, and without its code: the installed one is tested."""
    with tarfile.open(archive) as tar:
        tar.extractall(archive.parent, filter="data")
    suite = archive.parent / archive.name.removesuffix(".tar.gz")
    (suite / "langgraph").rename(suite / "langgraph-not-tested")
    tests = suite / "tests"
    (tests / "conftest.py").rename(tests / "conftest_upstream.py")
    (tests / "conftest.py").write_text(_FIXTURES.read_text())
    return suite


@contextmanager
def servers(kind: str) -> Iterator[list[str]]:
    """The URLs of one server for each worker. Raises MissingServer."""
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(TemporaryDirectory())) for _ in range(_WORKERS)]
        yield [stack.enter_context(running(kind, folder)).url for folder in folders]


def run(suite: Path, mode: str, urls: list[str]) -> Outcome:
    """All tests that take a checkpointer."""
    environment = os.environ | {
        "NO_DOCKER": "true",
        "CHECKPOINT_MODE": mode,
        "CHECKPOINT_SERVERS": " ".join(urls),
        "LANGGRAPH_STRICT_MSGPACK": str(mode == "strict").lower(),
    }
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-n", str(_WORKERS), "-k", "ours"]
    done = subprocess.run(
        command, cwd=suite, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    return read(done.stdout + done.stderr)


def read(output: str) -> Outcome:
    """The figures of pytest's last line."""
    count = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|errors?|skipped)", output)}
    failed = count.get("failed", 0) + count.get("error", 0) + count.get("errors", 0)
    return Outcome(count.get("passed", 0), failed, count.get("skipped", 0), output)


def show(kind: str, mode: str, outcome: Outcome) -> bool:
    """Prints a row, and what pytest said of a bad one."""
    print(f"{kind:10} {mode:10} {outcome.passed:6} {outcome.failed:6} {outcome.skipped:7}", flush=True)
    if not outcome.is_good:
        print(outcome.output)
    return outcome.is_good


if __name__ == "__main__":
    sys.exit(main())
