"""What files make of a parser: functions that tests run in parser processes."""

from __future__ import annotations

import os
import resource
import signal
import socket
import time
from pathlib import Path
from typing import Any, NoReturn

from runtime.errors import DocumentEncrypted


def pid_of_parser() -> int:
    return os.getpid()


def add(one: int, two: int) -> int:
    return one + two


def hang(started: Path | None = None) -> NoReturn:
    """Says its pid in the file `started`, then sleeps."""
    if started is not None:
        started.write_text(str(os.getpid()))
    while True:
        time.sleep(60)


def spin() -> NoReturn:
    while True:
        pass


def eat_memory_slowly() -> NoReturn:
    """16 MB at a time, each byte touched."""
    eaten = []
    while True:
        eaten.append(b"x" * (16 * 1024 * 1024))
        time.sleep(0.005)


def eat_memory_at_once() -> bytes:
    return b"x" * (64 * 1024**3)


_KEPT: list[bytes] = []


def keep(size: int) -> None:
    """A leak: it stays after the call."""
    _KEPT.append(b"k" * size)


def die_by(number: int) -> None:
    os.kill(os.getpid(), number)


def leave(status: int) -> NoReturn:
    os._exit(status)


def close_the_pipes() -> NoReturn:
    os.closerange(3, 64)
    hang()


def refuse(name: str) -> NoReturn:
    raise DocumentEncrypted(f"{name!r} is encrypted", document=name, page=3)


class OddError(Exception):
    """It cannot be unpickled: its arguments are not those of `__init__`."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def fail_oddly() -> NoReturn:
    raise OddError(1, 2)


def return_a_function() -> Any:
    return lambda: None


def make_bytes(size: int) -> bytes:
    return b"y" * size


def print_noise() -> str:
    """As C libraries do it, past `sys.stdout`."""
    for descriptor in (1, 2):
        os.write(descriptor, b"\0\0\0\0\0\0\0\1noise" * 1000)
    print("more noise")
    return "quiet"


def call_home(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), timeout=5)


def core_limit() -> tuple[int, int]:
    return resource.getrlimit(resource.RLIMIT_CORE)


def ignore_polite_signals(started: Path) -> NoReturn:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    hang(started)
