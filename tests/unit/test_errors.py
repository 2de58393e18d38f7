"""The error hierarchy."""

import pickle

from runtime.errors import RUN_ID, AppError, StaleFence, ThreadBusy
from runtime.remote import _kinds


def test_every_code_has_one_class() -> None:
    """Codes are part of the wire: two errors under one code could not be told apart."""
    codes = [kind.code for kind in _kinds(AppError) if kind.__module__ == "runtime.errors"]
    assert len(codes) == len(set(codes))


def test_an_error_carries_the_run_it_happened_in() -> None:
    """The correlation id is there without anybody passing it on."""
    token = RUN_ID.set("run-1")
    try:
        assert StaleFence(fence=3).run_id == "run-1"
    finally:
        RUN_ID.reset(token)


def test_the_representation_tells_code_and_run() -> None:
    """LangGraph stores an exception as its repr and nothing else."""
    assert repr(ThreadBusy("x")) == "ThreadBusy('x', code='thread_busy', run_id=None)"


def test_the_docstring_is_the_default_message() -> None:
    """An error raised without words still says something."""
    assert str(StaleFence()) == "A newer claim of this run exists; this writer must stop."


def test_an_error_survives_pickling() -> None:
    """Parsers run in worker processes later, and their errors come back whole."""
    copy = pickle.loads(pickle.dumps(ThreadBusy("busy", limit=2)))
    assert (type(copy), str(copy), copy.details) == (ThreadBusy, "busy", {"limit": 2})
