"""The record of a run, as Redis keeps it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from runtime.context import User

Status = Literal["pending", "running", "success", "error", "interrupted", "timeout"]
InputKind = Literal["input", "resume"]


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def iso(ms: int) -> str:
    """The wire's form of a time."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


@dataclass(frozen=True)
class RunRecord:
    run_id: str
    status: Status
    assistant: str
    user: User
    kind: InputKind
    payload: Any
    """The graph's input (None: go on from the last checkpoint), or answers by interrupt id."""
    checkpoint_id: str | None
    """Where to go on from, when not from the thread's last checkpoint."""
    metadata: dict[str, Any]
    attempts: int
    worker: str
    created: int
    started: int
    ended: int
    """Times in ms since the epoch; 0: not yet."""
    error: str
    error_message: str
    cancel: bool


def record_fields(user: User, assistant: str, kind: InputKind, payload: Any) -> dict[str, bytes | str]:
    """The fields that a run is made of; scripts add the rest as it goes on."""
    return {
        "assistant": assistant,
        "user": orjson.dumps([user.tenant, user.subject, sorted(user.roles)]),
        "kind": kind,
        "payload": orjson.dumps(payload),
    }


def read_record(run_id: str, fields: Mapping[str, str]) -> RunRecord:
    """Undoes what `record_fields` and the scripts wrote."""
    tenant, subject, roles = orjson.loads(fields["user"])
    return RunRecord(
        run_id=run_id,
        status=fields["status"],  # type: ignore[arg-type]  # written by our scripts only
        assistant=fields["assistant"],
        user=User(tenant, subject, frozenset(roles)),
        kind=fields["kind"],  # type: ignore[arg-type]  # written by `record_fields` only
        payload=orjson.loads(fields["payload"]),
        checkpoint_id=fields["checkpoint_id"] or None,
        metadata=orjson.loads(fields["metadata"]),
        cancel="cancel" in fields,
        attempts=int(fields["attempts"]),
        worker=fields.get("worker", ""),
        created=int(fields["created"]),
        started=int(fields.get("started", 0)),
        ended=int(fields.get("ended", 0)),
        error=fields.get("error", ""),
        error_message=fields.get("error_message", ""),
    )


def run_json(run: RunRecord, thread_id: str) -> dict[str, Any]:
    """The run in the wire's form, with what is ours beside it."""
    return {
        "run_id": run.run_id,
        "thread_id": thread_id,
        "assistant_id": run.assistant,
        "status": run.status,
        "metadata": run.metadata,
        "created_at": iso(run.created),
        "updated_at": iso(run.ended or run.started or run.created),
        "attempts": run.attempts,
        "worker": run.worker,
        "error": {"error": run.error, "message": run.error_message} if run.error else None,
    }
