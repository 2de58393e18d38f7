"""The routes of crons."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, cast

from pydantic import Field

from runtime.api.call import Body, Call, Reply
from runtime.api.listing import Listing, page
from runtime.cron_record import Cron, CronChange, cron_json
from runtime.engine import Engine
from runtime.errors import InvalidInput, PermissionDenied
from runtime.run_record import Nodes

_Object = dict[str, Any]
_LATEST_S = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


class RunFields(Body):
    """What a cron's runs are started with, as in a run's own body; checked when the run starts."""

    input: Any = None
    config: _Object | None = None
    context: _Object | None = None
    interrupt_before: Nodes | None = None
    interrupt_after: Nodes | None = None
    webhook: str | None = None
    multitask_strategy: Literal["reject", "interrupt", "rollback", "enqueue"] | None = None
    stream_mode: str | list[str] | None = None
    stream_subgraphs: bool | None = None
    stream_resumable: bool | None = None
    durability: Literal["sync", "async", "exit"] | None = None


class CronUpdate(RunFields):
    schedule: str | None = None
    timezone: str | None = None
    end_time: datetime | None = Field(None, description="null: no end. Without an offset it is UTC.")
    enabled: bool | None = None
    on_run_completed: Literal["delete", "keep"] | None = None
    metadata: _Object | None = None

    def change(self) -> CronChange:
        """What the body says; a null says nothing, but for `end_time`."""
        named = ("schedule", "timezone", "enabled", "on_run_completed", "metadata")
        given = {name: value for name in named if (value := getattr(self, name)) is not None}
        if "end_time" in self.model_fields_set:
            given["end"] = _seconds(self.end_time)
        fields = set(RunFields.model_fields)
        if payload := self.model_dump(include=fields, exclude_none=True):
            given["payload"] = payload
        return cast(CronChange, given)


class CronCreate(CronUpdate):
    assistant_id: str
    schedule: str


class CronCount(Body):
    assistant_id: str | None = None
    thread_id: str | None = None
    metadata: _Object | None = None


_Field = Literal[
    "cron_id",
    "assistant_id",
    "thread_id",
    "end_time",
    "schedule",
    "timezone",
    "created_at",
    "updated_at",
    "user_id",
    "payload",
    "next_run_date",
    "metadata",
    "on_run_completed",
    "enabled",
]


class CronSearch(CronCount, Listing):
    enabled: bool | None = None
    sort_by: (
        Literal[
            "cron_id", "assistant_id", "thread_id", "created_at", "updated_at", "next_run_date", "end_time"
        ]
        | None
    ) = None
    select: list[_Field] | None = None


async def create_cron(engine: Engine, call: Call, body: CronCreate) -> Any:
    """Start runs by a schedule, on a thread or, without one, each on a fresh thread."""
    thread_id = call.path.get("thread_id")
    if thread_id is not None:
        row = await engine.threads.get(call.user, thread_id)
        if row.owner != call.user.subject:
            raise PermissionDenied("this thread belongs to another user")
    assistant = await engine.assistants.resolve(call.user, body.assistant_id)
    cron = await engine.crons.create(call.user, assistant.assistant_id, thread_id, body.change())
    return cron_json(cron)


async def get_cron(engine: Engine, call: Call) -> Any:
    """A cron."""
    return cron_json(await engine.crons.get(call.user, call.path["cron_id"]))


async def update_cron(engine: Engine, call: Call, body: CronUpdate) -> Any:
    """Change a cron; what the body does not say stays."""
    change = body.change()
    if not change:
        raise InvalidInput("the body says nothing to change")
    return cron_json(await engine.crons.update(call.user, call.path["cron_id"], change))


async def delete_cron(engine: Engine, call: Call) -> Reply:
    """Delete a cron; runs that it has started go on."""
    await engine.crons.delete(call.user, call.path["cron_id"])
    return Reply(status=204)


async def search_crons(engine: Engine, call: Call, body: CronSearch) -> Reply:
    """Search crons."""
    found = await _found(engine, call, body, body.enabled)
    return page([cron_json(cron) for cron in found], body, "cron_id")


async def count_crons(engine: Engine, call: Call, body: CronCount) -> int:
    """Count crons."""
    return len(await _found(engine, call, body, None))


async def _found(engine: Engine, call: Call, body: CronCount, enabled: bool | None) -> list[Cron]:
    assistant_id = body.assistant_id
    if assistant_id is not None:
        assistant_id = (await engine.assistants.resolve(call.user, assistant_id)).assistant_id
    return await engine.crons.search(
        call.user,
        assistant_id=assistant_id,
        thread_id=body.thread_id,
        enabled=enabled,
        metadata=body.metadata,
    )


def _seconds(time: datetime | None) -> float | None:
    if time is None:
        return None
    seconds = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    if not 0 <= seconds <= _LATEST_S:
        raise InvalidInput(f"end_time {time} is not between 1970 and 9999 in UTC")
    return seconds
