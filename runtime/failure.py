"""From whatever a run raised to the one error that its client is told."""

from __future__ import annotations

import traceback

import structlog
from langgraph.errors import GraphDrained, GraphRecursionError, NodeTimeoutError
from redis.exceptions import RedisError
from uuid_utils import uuid7

from runtime.errors import (
    AppError,
    BodyTooLarge,
    Conflict,
    GraphFailed,
    InvalidInput,
    NodeTimeout,
    NotFound,
    NotSupported,
    PermissionDenied,
    RecursionLimit,
    RedisUnavailable,
    ThreadBusy,
    Unauthenticated,
    leaf,
)
from runtime.models import as_app_error

_FRAMES = 12
_STEP, _NODE = "atick", "arun_with_retry"
"""The functions of LangGraph's runner in which a superstep is waited for, and a node runs."""

_STATUS = {
    Unauthenticated: 401,
    PermissionDenied: 403,
    NotFound: 404,
    ThreadBusy: 409,
    Conflict: 409,
    BodyTooLarge: 413,
    InvalidInput: 422,
    NotSupported: 422,
}

log = structlog.get_logger()


def as_error(exc: BaseException, *, hide: bool = True) -> AppError:
    """`exc` itself when it is ours, the error that it means, or `internal` for what nobody foresaw.

    An unforeseen exception's text goes nowhere: it may hold anything, the conversation included. With
    `hide=False`, for a graph of somebody's own project, its author is told it.
    """
    cause = leaf(exc)
    if isinstance(cause, AppError):
        return cause
    if isinstance(cause, GraphRecursionError):
        return RecursionLimit(str(cause).split("\n")[0])
    if isinstance(cause, NodeTimeoutError) or _is_step_timeout(cause):
        return NodeTimeout()
    if isinstance(cause, RedisError):
        return RedisUnavailable(f"Redis failed ({type(cause).__name__})")
    if known := as_app_error(cause):
        return known
    if hide:
        return AppError("an internal error; the log has it under this run's id")
    return GraphFailed(str(cause) or type(cause).__name__)


def _is_step_timeout(exc: BaseException) -> bool:
    """A superstep took longer than the graph's `step_timeout`; a node can raise the same error itself."""
    names = [frame.name for frame in traceback.extract_tb(exc.__traceback__)]
    return isinstance(exc, TimeoutError) and _STEP in names and _NODE not in names


def trail(exc: BaseException) -> list[str]:
    """Type and the innermost frames, for the log; without the exception's text, which may hold anything."""
    frames = traceback.extract_tb(leaf(exc).__traceback__)[-_FRAMES:]
    return [type(leaf(exc)).__qualname__, *(f"{f.filename}:{f.lineno} {f.name}" for f in frames)]


def log_unforeseen(exc: BaseException) -> None:
    """The failure of a run: by its code, and where nobody foresaw it with its trail."""
    if isinstance(exc, GraphDrained):
        return
    code = as_error(exc).code
    log.warning("run.failed", code=code, trail=trail(exc) if code == AppError.code else None)


def known(exc: Exception) -> AppError:
    """The error that a client is told, with an id under which the log has what nobody foresaw."""
    error = as_error(exc)
    error.run_id = error.run_id or str(uuid7())
    if error.code in (AppError.code, RedisUnavailable.code):
        log.warning("request.failed", code=error.code, correlation_id=error.run_id, trail=trail(exc))
    return error


def status_of(error: AppError) -> int:
    """The HTTP status; 4000 more is the code with which a socket is closed."""
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), None)
    return status or (503 if error.retryable else 500)
