"""From whatever a run raised to the one error that its client is told."""

from __future__ import annotations

from langgraph.errors import GraphRecursionError
from redis.exceptions import RedisError

from runtime.errors import AppError, RecursionLimit, RedisUnavailable, leaf
from runtime.models import as_app_error


def as_error(exc: BaseException) -> AppError:
    """`exc` itself when it is ours, the error that it means, or `internal` for what nobody foresaw.

    An unforeseen exception's text stays in the log: it may hold anything.
    """
    cause = leaf(exc)
    if isinstance(cause, AppError):
        return cause
    if isinstance(cause, GraphRecursionError):
        return RecursionLimit(str(cause).split("\n")[0])
    if isinstance(cause, RedisError):
        return RedisUnavailable(f"Redis failed ({type(cause).__name__})")
    return as_app_error(cause) or AppError("an internal error; its id is in the log")
