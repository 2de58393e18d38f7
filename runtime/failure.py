"""From whatever a run raised to the one error that its client is told."""

from __future__ import annotations

import traceback

from langgraph.errors import GraphRecursionError
from redis.exceptions import RedisError

from runtime.errors import AppError, RecursionLimit, RedisUnavailable, leaf
from runtime.models import as_app_error

_FRAMES = 12


def as_error(exc: BaseException) -> AppError:
    """`exc` itself when it is ours, the error that it means, or `internal` for what nobody foresaw.

    An unforeseen exception's text goes nowhere: it may hold anything, the conversation included.
    """
    cause = leaf(exc)
    if isinstance(cause, AppError):
        return cause
    if isinstance(cause, GraphRecursionError):
        return RecursionLimit(str(cause).split("\n")[0])
    if isinstance(cause, RedisError):
        return RedisUnavailable(f"Redis failed ({type(cause).__name__})")
    return as_app_error(cause) or AppError("an internal error; the log has it under this run's id")


def trail(exc: BaseException) -> list[str]:
    """Type and the innermost frames, for the log; without the exception's text, which may hold anything."""
    frames = traceback.extract_tb(leaf(exc).__traceback__)[-_FRAMES:]
    return [type(leaf(exc)).__qualname__, *(f"{f.filename}:{f.lineno} {f.name}" for f in frames)]
