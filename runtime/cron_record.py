"""A cron: what it is made of, when it is due, and its form on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypedDict
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter  # type: ignore[import-untyped]  # it ships no types

from runtime.context import User
from runtime.errors import InvalidInput
from runtime.run_record import iso


@dataclass(frozen=True)
class Cron:
    cron_id: str
    user: User
    """Who created it, and as whom its runs start."""
    assistant_id: str
    thread_id: str | None
    """None: a fresh thread for each run."""
    schedule: str
    timezone: str | None
    """IANA; None is UTC."""
    end: float | None
    """When it stops; seconds since the epoch."""
    enabled: bool
    on_run_completed: Literal["delete", "keep"] | None
    """What becomes of the fresh thread; None for a cron on a thread."""
    metadata: Mapping[str, Any]
    payload: Mapping[str, Any]
    """What a run is started with, beside the assistant and the metadata."""
    due: int | None
    """When it fires next, in seconds since the epoch; None: never."""
    created: int
    updated: int
    """ms since the epoch."""


class CronChange(TypedDict, total=False):
    """What changes; `metadata` and `payload` are merged into what is there, the rest takes its place."""

    schedule: str
    timezone: str | None
    end: float | None
    enabled: bool
    on_run_completed: Literal["delete", "keep"]
    metadata: Mapping[str, Any]
    payload: Mapping[str, Any]


def changed(cron: Cron, change: CronChange, now: float) -> Cron:
    """With the change; due anew only if that says when. Raises InvalidInput: a schedule, a time zone."""
    merged: dict[str, Any] = {
        **change,
        "metadata": {**cron.metadata, **change.get("metadata", {})},
        "payload": {**cron.payload, **change.get("payload", {})},
        "updated": round(now * 1000),
    }
    after = replace(cron, **merged)
    if _timing(after) == _timing(cron):
        return after
    if next_due(after.schedule, after.timezone, now) is None:
        raise InvalidInput(f"the schedule {after.schedule!r} never comes")
    return moved_on(after, now)


def moved_on(cron: Cron, now: float) -> Cron:
    """Due at its next time after `now`, however many came before."""
    due = next_due(cron.schedule, cron.timezone, now) if cron.enabled else None
    return replace(cron, due=None if due is None or has_ended(cron, due) else due)


def has_ended(cron: Cron, at: float) -> bool:
    """True when the cron has stopped by that time, in seconds since the epoch."""
    return cron.end is not None and at > cron.end


def next_due(schedule: str, timezone: str | None, after: float) -> int | None:
    """The schedule's first time after `after`, both in seconds since the epoch; None when there is none.

    Where a clock is put forward, a time that it leaves out comes at the first moment after; where it is put
    back, a time that it repeats comes twice. Raises InvalidInput: a schedule, a time zone.
    """
    _check_schedule(schedule)
    times = croniter(schedule, datetime.fromtimestamp(after, _zone(timezone or "UTC")))
    try:
        return int(times.get_next(datetime).timestamp())
    except CroniterBadDateError:
        return None


def _check_schedule(schedule: str) -> None:
    # A sixth field would be seconds, which the queue's clock of one second cannot keep.
    standard = schedule.startswith("@") or len(schedule.split()) == 5
    if not standard or not croniter.is_valid(schedule):
        raise InvalidInput(
            f"schedule {schedule[:100]!r} is no cron schedule: minute, hour, day of month, month, day of"
            " week; '*/5 * * * *' is every five minutes"
        )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:
        raise InvalidInput(f"timezone {name[:100]!r} is no IANA time zone such as America/New_York") from exc


def _timing(cron: Cron) -> tuple[Any, ...]:
    return cron.schedule, cron.timezone, cron.end, cron.enabled


def firing_key(cron_id: str, due: int) -> str:
    """The name of one firing: the key of its job, and the idempotency key of its run."""
    return f"cron:{cron_id}:{due}"


def run_payload(cron: Cron, due: int) -> dict[str, Any]:
    """What the run of one firing is started with."""
    payload = {
        **cron.payload,
        "assistant_id": cron.assistant_id,
        "metadata": {**cron.metadata, "cron_id": cron.cron_id},
        "idempotency_key": firing_key(cron.cron_id, due),
    }
    return {**payload, "on_completion": cron.on_run_completed} if cron.on_run_completed else payload


def cron_fields(cron: Cron) -> dict[str, Any]:
    """What is stored; `read_cron` undoes it."""
    user = cron.user
    return {**asdict(cron), "user": [user.tenant, user.subject, sorted(user.roles)]}


def read_cron(fields: dict[str, Any]) -> Cron:
    """Undoes `cron_fields`."""
    tenant, subject, roles = fields["user"]
    return Cron(**{**fields, "user": User(tenant, subject, frozenset(roles))})


def cron_json(cron: Cron) -> dict[str, Any]:
    """The wire's form (`Cron` of the SDK's schema.py)."""
    return {
        "cron_id": cron.cron_id,
        "assistant_id": cron.assistant_id,
        "thread_id": cron.thread_id,
        "on_run_completed": cron.on_run_completed,
        "end_time": None if cron.end is None else iso(round(cron.end * 1000)),
        "schedule": cron.schedule,
        "timezone": cron.timezone,
        "created_at": iso(cron.created),
        "updated_at": iso(cron.updated),
        "payload": {**cron.payload, "assistant_id": cron.assistant_id},
        "user_id": cron.user.subject,
        "next_run_date": None if cron.due is None else iso(cron.due * 1000),
        "metadata": cron.metadata,
        "enabled": cron.enabled,
    }
