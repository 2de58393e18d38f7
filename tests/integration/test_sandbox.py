"""Parser processes: whatever a file does to its parser, the parent and the other files go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from ingestion.sandbox import Sandbox, open_sandbox
from runtime.errors import (
    RUN_ID,
    DocumentCorrupt,
    DocumentEncrypted,
    DocumentError,
    DocumentTooLarge,
    ParseTimeout,
)
from tests import hostile

pytestmark = pytest.mark.anyio
MEMORY = 256 * 1024 * 1024


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with open_sandbox(2, MEMORY) as opened:
        yield opened
    assert opened.alive == 0


async def still_works(sandbox: Sandbox) -> None:
    assert await sandbox.call(hostile.add, 20, 22, timeout_s=30) == 42
    assert sandbox.busy == 0


async def until(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    with anyio.fail_after(timeout_s):
        while not condition():
            await anyio.sleep(0.01)


def runs(pid: int) -> bool:
    """False for a zombie too: it is dead, whoever has to reap it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except FileNotFoundError:
        return False


async def test_nothing_starts_before_it_is_needed(sandbox: Sandbox) -> None:
    """A worker that ingests nothing pays for no parser; the first call starts one, the second uses it."""
    assert sandbox.alive == 0
    first = await sandbox.call(hostile.pid_of_parser, timeout_s=30)
    assert await sandbox.call(hostile.pid_of_parser, timeout_s=30) == first != os.getpid()
    assert (sandbox.alive, sandbox.busy, sandbox.restarts) == (1, 0, 0)


async def test_a_file_that_hangs(sandbox: Sandbox) -> None:
    """Its own process is killed when its time is up, and the error names file and limit."""
    with pytest.raises(ParseTimeout, match=r"'slow\.pdf' took longer than 0\.3 s") as raised:
        await sandbox.call(hostile.hang, timeout_s=0.3, document="slow.pdf")
    assert raised.value.details == {"document": "slow.pdf", "limit_s": 0.3}
    assert (sandbox.alive, sandbox.restarts) == (0, 1)
    await still_works(sandbox)


async def test_a_file_that_is_stopped_by_the_kernel(sandbox: Sandbox) -> None:
    """Its CPU time is bounded too, for when the parent is stuck: that is a time-out like any other."""
    with pytest.raises(ParseTimeout, match=r"'spin\.pdf' took longer"):
        await sandbox.call(hostile.die_by, signal.SIGXCPU, timeout_s=30, document="spin.pdf")
    await still_works(sandbox)


@pytest.mark.parametrize("eat", [hostile.eat_memory_slowly, hostile.eat_memory_at_once])
async def test_a_file_that_eats_memory(sandbox: Sandbox, eat: Callable[[], Any]) -> None:
    """Byte by byte the watch sees it, all at once the allocation is refused: the same error either way."""
    with pytest.raises(DocumentTooLarge, match=r"'bomb\.pdf' takes more memory than the 268 MB") as raised:
        await sandbox.call(eat, timeout_s=60, document="bomb.pdf")
    assert raised.value.details == {"document": "bomb.pdf", "limit_bytes": MEMORY}
    assert sandbox.alive == 0
    await still_works(sandbox)


@pytest.mark.parametrize(
    ("function", "args", "ending"),
    [
        (hostile.die_by, (signal.SIGSEGV,), "signal 11"),
        (hostile.die_by, (signal.SIGABRT,), "signal 6"),
        (hostile.die_by, (signal.SIGKILL,), "signal 9"),
        (hostile.leave, (0,), "status 0"),
        (hostile.leave, (3,), "status 3"),
        (hostile.close_the_pipes, (), "stopped answering"),
    ],
)
async def test_a_file_that_crashes_its_parser(
    sandbox: Sandbox, function: Callable[..., Any], args: tuple[int, ...], ending: str
) -> None:
    """Whichever way the process goes, the file is called corrupt and the next one is read."""
    with pytest.raises(DocumentCorrupt, match=rf"'evil\.doc' crashed its parser process: .*{ending}"):
        await sandbox.call(function, *args, timeout_s=30, document="evil.doc")
    await still_works(sandbox)


async def test_a_crash_leaves_the_neighbour_alone(sandbox: Sandbox) -> None:
    """The process beside the crashed one keeps its call, and its result arrives whole."""
    sizes: list[int] = []

    async def read() -> None:
        sizes.append(len(await sandbox.call(hostile.make_bytes, 50_000_000, timeout_s=60)))

    async def crash() -> None:
        with pytest.raises(DocumentCorrupt):
            await sandbox.call(hostile.die_by, signal.SIGKILL, timeout_s=30)

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(read)
            group.start_soon(crash)
    assert sizes == [50_000_000] * 3
    assert sandbox.busy == 0


async def test_what_a_parser_refuses_arrives_as_it_was(sandbox: Sandbox) -> None:
    """The router's codes and details come from parser processes; the run's id is that of the caller."""
    token = RUN_ID.set("run-7")
    with pytest.raises(DocumentEncrypted, match=r"'a\.pdf' is encrypted") as raised:
        await sandbox.call(hostile.refuse, "a.pdf", timeout_s=30)
    RUN_ID.reset(token)
    assert raised.value.details == {"document": "a.pdf", "page": 3}
    assert raised.value.run_id == "run-7"
    assert "hostile.py" in str(raised.value.__cause__)
    assert sandbox.restarts == 0


@pytest.mark.parametrize(
    ("function", "text"),
    [(hostile.fail_oddly, "OddError: 1 and 2"), (hostile.return_a_function, "pickle")],
)
async def test_what_no_parser_should_raise(sandbox: Sandbox, function: Callable[..., Any], text: str) -> None:
    """An exception that cannot travel must not break the pipe; its text and traceback arrive."""
    with pytest.raises(DocumentCorrupt, match=text) as raised:
        await sandbox.call(function, timeout_s=30, document="odd.pdf")
    assert "Traceback" in str(raised.value.__cause__)
    assert sandbox.restarts == 0


async def test_cancellation_kills_at_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """A cancelled run must not keep a core busy, even where the parser ignores signals; the slot is free."""
    started = tmp_path / "pid"
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: sandbox.call(hostile.ignore_polite_signals, started, timeout_s=600))
        await until(lambda: started.exists() and started.read_text() != "")
        assert sandbox.busy == 1
        group.cancel_scope.cancel()
    assert not runs(int(started.read_text()))
    assert (sandbox.alive, sandbox.busy) == (0, 0)
    await still_works(sandbox)


async def test_many_calls_share_two_processes(sandbox: Sandbox) -> None:
    """Fifty files at once wait for their turn; nothing is lost and no third process appears."""
    results: list[int] = []
    pids: set[int] = set()

    async def read(number: int) -> None:
        pids.add(await sandbox.call(hostile.pid_of_parser, timeout_s=30))
        results.append(await sandbox.call(hostile.add, number, 0, timeout_s=30))

    async with anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(read, number)
    assert sorted(results) == list(range(50))
    assert len(pids) == sandbox.alive == 2


async def test_the_queue_is_bounded() -> None:
    """A flood of documents is refused at the door, not kept in memory."""
    async with open_sandbox(1, MEMORY, max_waiting=1) as sandbox, anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(lambda: sandbox.call(hostile.hang, timeout_s=600))
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(DocumentError, match=r"1 documents wait for a parser already, 'late\.pdf' cannot"):
            await sandbox.call(hostile.add, 1, 2, timeout_s=30, document="late.pdf")
        group.cancel_scope.cancel()


async def test_processes_are_replaced() -> None:
    """Parsers leak: after so many calls, or when it stays large, a process makes room for a new one."""
    async with open_sandbox(1, MEMORY, max_calls=2) as sandbox:
        pids = [await sandbox.call(hostile.pid_of_parser, timeout_s=30) for _ in range(5)]
        assert len(set(pids)) == 3
        assert sandbox.restarts == 2
        await sandbox.call(hostile.keep, MEMORY * 6 // 10, timeout_s=30)
        assert (sandbox.alive, sandbox.restarts) == (0, 3)


async def test_the_pool_survives_an_idle_death(sandbox: Sandbox) -> None:
    """The kernel may kill a process between two calls; the next call must not pay for it."""
    pid = await sandbox.call(hostile.pid_of_parser, timeout_s=30)
    os.kill(pid, signal.SIGKILL)
    await until(lambda: sandbox.alive == 0)
    await still_works(sandbox)


async def test_noise_and_cores_and_network(sandbox: Sandbox) -> None:
    """What a C library prints does not reach the replies; a crash leaves no core; nothing calls home."""
    assert await sandbox.call(hostile.print_noise, timeout_s=30) == "quiet"
    assert await sandbox.call(hostile.core_limit, timeout_s=30) == (0, 0)
    with pytest.raises(DocumentCorrupt, match="a parser process has no network"):
        await sandbox.call(hostile.call_home, 9, timeout_s=30)


async def test_closing_ends_running_calls() -> None:
    """A shutdown does not wait for a file that hangs."""
    sandbox = Sandbox(1, MEMORY, max_calls=9, max_waiting=9)

    async def read() -> None:
        with pytest.raises(DocumentCorrupt):
            await sandbox.call(hostile.hang, timeout_s=600)

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await until(lambda: sandbox.alive == 1)
        await sandbox.close()
    assert (sandbox.alive, sandbox.busy) == (0, 0)


PARENT = """
import sys
from pathlib import Path
import anyio
from ingestion.sandbox import open_sandbox
from tests import hostile

Path(sys.argv[1]).open("a").write("started\\n")

async def read():
    async with open_sandbox(1, 268435456) as sandbox:
        await sandbox.call(hostile.{call}, timeout_s=600)

anyio.run(read)
"""


def start_parent(tmp_path: Path, call: str, *args: str) -> subprocess.Popen[bytes]:
    """A program run as `python -m parent`, as the CLI may be; it has no guard of `__main__`."""
    (tmp_path / "parent.py").write_text(PARENT.format(call=call))
    paths = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    return subprocess.Popen(
        [sys.executable, "-m", "parent", str(tmp_path / "log"), *args],
        env={**os.environ, "PYTHONPATH": paths},
    )


async def test_the_parents_program_is_not_run_again(tmp_path: Path) -> None:
    """`python -m cli ingest` must not run a second CLI in its parser processes."""
    parent = start_parent(tmp_path, "add, 1, 2")
    await until(lambda: parent.poll() is not None)
    assert parent.returncode == 0
    assert (tmp_path / "log").read_text() == "started\n"


async def test_a_killed_parent_takes_its_parsers_along(tmp_path: Path) -> None:
    """After kill -9 of a worker no parser may go on eating the machine."""
    started = tmp_path / "pid"
    parent = start_parent(tmp_path, "ignore_polite_signals, Path(sys.argv[2])", str(started))
    await until(lambda: started.exists() and started.read_text() != "")
    pid = int(started.read_text())
    assert runs(pid)
    parent.kill()
    parent.wait()
    await until(lambda: not runs(pid))


async def test_ctrl_c_is_the_parents_business(sandbox: Sandbox) -> None:
    """The terminal signals its whole group: a parser is in none of it, so a clean stop stays possible."""
    pid = await sandbox.call(hostile.pid_of_parser, timeout_s=30)
    assert os.getpgid(pid) == os.getsid(pid) == pid
