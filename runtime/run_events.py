"""The root lifecycle events of a run."""

from __future__ import annotations

from typing import Any

from runtime.errors import AppError, RunCancelled
from runtime.events import Event, encode_event


def lifecycle_event(run_id: str, what: str, graph: str, *, at_ms: int | None = None, **more: Any) -> Event:
    """A root lifecycle event; the JS SDK reads its run from the id's form."""
    data = {"event": what, "graph_name": graph, **more}
    return encode_event("lifecycle", data, event_id=f"synth:{run_id}:lc||{what}", timestamp_ms=at_ms)


def failure_event(run_id: str, graph: str, error: AppError, **more: Any) -> Event:
    """The root `failed` of a run; carries our code and the correlation id, never a stack trace."""
    said = "Run cancelled" if isinstance(error, RunCancelled) else str(error)
    about = {"error": said, "code": error.code, "correlation_id": run_id, **more}
    return lifecycle_event(run_id, "failed", graph, **about)
