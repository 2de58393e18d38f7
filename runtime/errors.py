"""The one error hierarchy: stable codes that travel on the wire."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, ClassVar

RUN_ID: ContextVar[str | None] = ContextVar("run_id", default=None)
"""The run being executed here; it is the correlation id of every error and log line."""


def leaf(exc: BaseException) -> BaseException:
    """The first real exception within task groups' groups."""
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]
    return exc


class AppError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "internal"
    """Stable; part of the wire protocol."""
    retryable: ClassVar[bool] = False
    """True when the same call may succeed later without being changed."""

    def __init__(self, message: str | None = None, **details: Any) -> None:
        """`message` defaults to the class's docstring; `details` name the value and the limit."""
        super().__init__(message or (type(self).__doc__ or "").strip())
        self.details = details
        self.run_id = RUN_ID.get()

    def __repr__(self) -> str:
        # LangGraph's serializer stores an exception as repr() and nothing more.
        return f"{type(self).__name__}({str(self)!r}, code={self.code!r}, run_id={self.run_id!r})"


class InvalidInput(AppError):
    """The input is not valid."""

    code = "invalid_input"


class BodyTooLarge(AppError):
    """The request's body is larger than allowed."""

    code = "body_too_large"


class SettingsInvalid(AppError):
    """A setting is not valid."""

    code = "settings_invalid"


class Unauthenticated(AppError):
    """The API key is missing or wrong."""

    code = "unauthenticated"


class PermissionDenied(AppError):
    """The user may not do this."""

    code = "permission_denied"


class NotFound(AppError):
    """There is no such thing."""

    code = "not_found"


class ThreadBusy(AppError):
    """The thread is already running a task, or is being pruned or copied."""

    code = "thread_busy"
    retryable = True


class Conflict(AppError):
    """It exists already, or others keep changing it."""

    code = "conflict"


class IdempotencyConflict(InvalidInput):
    """The idempotency key was used for another request."""

    code = "idempotency_conflict"


class UnknownCommand(AppError):
    """The protocol has no such command."""

    code = "unknown_command"


class NotSupported(AppError):
    """The protocol has it, this server does not."""

    code = "not_supported"


class UnknownAssistant(InvalidInput):
    """There is no such graph."""

    code = "unknown_assistant"


class NoSuchInterrupt(AppError):
    """The interrupt is unknown or was answered already."""

    code = "no_such_interrupt"


class NoSuchCheckpoint(AppError):
    """There is no such checkpoint on this thread."""

    code = "no_such_checkpoint"


class NoSuchNamespace(AppError):
    """Nothing ran under this namespace."""

    code = "no_such_namespace"


class NoSuchSubscription(AppError):
    """This connection has no such subscription."""

    code = "no_such_subscription"


class NoSuchRun(AppError):
    """Nothing ran on this thread."""

    code = "no_such_run"


class StaleFence(AppError):
    """A newer claim of this run exists; this writer must stop."""

    code = "stale_fence"


class Interrupted(AppError):
    """The command was interrupted."""

    code = "interrupted"


class RunCancelled(AppError):
    """The run was cancelled."""

    code = "run_cancelled"


class RunReplaced(RunCancelled):
    """A newer message took the run's place."""

    code = "run_replaced"


class RunRolledBack(RunCancelled):
    """The run was undone."""

    code = "run_rolled_back"


class GraphFailed(AppError):
    """A node of the graph failed."""

    code = "graph_failed"


class GraphUnavailable(AppError):
    """The graph could not be loaded or built."""

    code = "graph_unavailable"


class NodeTimeout(AppError):
    """A step of the graph took longer than it may."""

    code = "node_timeout"


class TokenLimit(AppError):
    """The run's models used more tokens than they may."""

    code = "token_limit"


class RunTimeout(AppError):
    """The run took longer than it may."""

    code = "run_timeout"


class AttemptsExhausted(AppError):
    """The run was lost with its worker too often."""

    code = "attempts_exhausted"


class RecursionLimit(AppError):
    """The graph took more steps than it may."""

    code = "recursion_limit"


class RedisUnavailable(AppError):
    """Redis cannot be reached."""

    code = "redis_unavailable"
    retryable = True


class CheckpointLost(AppError):
    """A part of a checkpoint's state is gone from Redis, or cannot be read with the keys given."""

    code = "checkpoint_lost"


class ModelUnavailable(AppError):
    """The model endpoint cannot be reached or failed."""

    code = "model_unavailable"
    retryable = True


class ModelTimeout(ModelUnavailable):
    """The model did not answer in time."""

    code = "model_timeout"


class ModelRateLimited(ModelUnavailable):
    """The model endpoint limits the rate of calls."""

    code = "model_rate_limited"


class ModelUnauthorized(AppError):
    """The model endpoint refused the API key."""

    code = "model_unauthorized"


class ModelRequestRefused(AppError):
    """The model endpoint refused the request."""

    code = "model_request_refused"


class ModelOutputInvalid(AppError):
    """The model's answer does not have the form that was asked for."""

    code = "model_output_invalid"


class KnowledgeUnavailable(AppError):
    """The knowledge index cannot be reached."""

    code = "knowledge_unavailable"
    retryable = True


class ProfileMismatch(AppError):
    """These vectors are of another embedding profile than the collection's."""

    code = "profile_mismatch"


class DocumentError(AppError):
    """A document cannot be ingested."""

    code = "document_error"


class DocumentMissing(DocumentError):
    """There is no such file or folder."""

    code = "DOCUMENT_MISSING"


class DocumentEmpty(DocumentError):
    """The document holds no text."""

    code = "DOCUMENT_EMPTY"


class DocumentEncrypted(DocumentError):
    """The document is encrypted."""

    code = "DOCUMENT_ENCRYPTED"


class DocumentCorrupt(DocumentError):
    """The document cannot be read."""

    code = "DOCUMENT_CORRUPT"


class DocumentTooLarge(DocumentError):
    """The document is larger than allowed."""

    code = "DOCUMENT_TOO_LARGE"


class FormatUnsupported(DocumentError):
    """No parser reads this kind of file."""

    code = "FORMAT_UNSUPPORTED"


class OcrUnavailable(DocumentError):
    """A page is a picture, and nothing can read it now."""

    code = "OCR_UNAVAILABLE"
    retryable = True


class ParseTimeout(DocumentError):
    """The document took longer to read than it may."""

    code = "PARSE_TIMEOUT"


class SourceRefused(DocumentError):
    """Documents may not be taken from there."""

    code = "SOURCE_REFUSED"


class SourceUnavailable(DocumentError):
    """The place of the document cannot be reached."""

    code = "SOURCE_UNAVAILABLE"
    retryable = True
