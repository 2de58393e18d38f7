"""The record of a run, as Redis keeps it: what was asked for, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import orjson

from runtime.context import User

Status = Literal["pending", "running", "success", "error", "interrupted", "timeout"]
InputKind = Literal["input", "resume"]
Strategy = Literal["reject", "enqueue", "interrupt", "rollback"]
Nodes = Literal["*"] | list[str]
"""Names of nodes, or all."""
ENDED = frozenset({"success", "error", "interrupted", "timeout"})


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def iso(ms: int) -> str:
    """The wire's form of a time."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


@dataclass(frozen=True)
class RunRequest:
    """What a client asked for; it never changes once the run is recorded."""

    payload: Any
    """The graph's input (None: go on from the last checkpoint), or answers, by interrupt id or one for
    all."""
    graph: str
    """The graph's name in the catalog."""
    assistant: str = ""
    """The assistant's id as clients know it."""
    kind: InputKind = "input"
    update: Any = None
    goto: Any = None
    """What a `Command` brings beside its resume value."""
    checkpoint_id: str | None = None
    """Where to go on from, when not from the thread's last checkpoint."""
    configurable: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: Sequence[str] = field(default_factory=list)
    recursion_limit: int | None = None
    interrupt_before: Nodes = field(default_factory=list)
    interrupt_after: Nodes = field(default_factory=list)
    strategy: Strategy = "enqueue"
    forget: bool = False
    """Delete the thread a minute after the run has ended: it was made for a stateless run."""


@dataclass(frozen=True)
class RunRecord:
    run_id: str
    status: Status
    user: User
    request: RunRequest
    attempts: int
    worker: str
    fence: int
    seq_before: int
    """The thread's last seq when the run was recorded."""
    created: int
    started: int
    ended: int
    """Times in ms since the epoch; 0: not yet."""
    error: str
    error_message: str
    cancel: str
    """How it is to stop (`interrupt`, `replace`, `rollback`), or ''."""
    usage: Mapping[str, Any]
    """Tokens by model, as LangChain counts them; {} until the run has ended."""


class Claim(NamedTuple):
    """The right to execute a run, until a later claim."""

    thread: str
    run_id: str
    fence: int
    number: int
    """1 for the first claim of the run; more when another worker had it before."""
    attempt: int
    """As `number`, without the claims that were released in order."""
    run: RunRecord

    @property
    def request(self) -> RunRequest:
        return self.run.request


def record_fields(user: User, request: RunRequest) -> dict[str, bytes]:
    """The fields that a run is made of; scripts add the rest as it goes on."""
    return {
        "user": orjson.dumps([user.tenant, user.subject, sorted(user.roles)]),
        "request": orjson.dumps(asdict(request)),
    }


def read_record(run_id: str, fields: Mapping[str, str]) -> RunRecord:
    """Undoes what `record_fields` and the scripts wrote."""
    tenant, subject, roles = orjson.loads(fields["user"])
    return RunRecord(
        run_id=run_id,
        status=fields["status"],  # type: ignore[arg-type]  # written by our scripts only
        user=User(tenant, subject, frozenset(roles)),
        request=RunRequest(**orjson.loads(fields["request"])),
        attempts=int(fields["attempts"]),
        worker=fields.get("worker", ""),
        fence=int(fields.get("fence", 0)),
        seq_before=int(fields["seq_before"]),
        created=int(fields["created"]),
        started=int(fields.get("started", 0)),
        ended=int(fields.get("ended", 0)),
        error=fields.get("error", ""),
        error_message=fields.get("error_message", ""),
        cancel=fields.get("cancel", ""),
        usage=orjson.loads(fields.get("usage") or "{}"),
    )


def run_json(run: RunRecord, thread_id: str) -> dict[str, Any]:
    """The run in the wire's form, with what is ours beside it."""
    request = run.request
    return {
        "run_id": run.run_id,
        "thread_id": thread_id,
        "assistant_id": request.assistant,
        "status": run.status,
        "metadata": dict(request.metadata),
        "kwargs": {
            "input": request.payload if request.kind == "input" else None,
            "config": {"configurable": dict(request.configurable)},
        },
        "multitask_strategy": request.strategy,
        "created_at": iso(run.created),
        "updated_at": iso(run.ended or run.started or run.created),
        "attempts": run.attempts,
        "worker": run.worker,
        "usage": dict(run.usage),
        "error": {"error": run.error, "message": run.error_message} if run.error else None,
    }
