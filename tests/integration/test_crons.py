"""Crons: each due time fires once, whatever happens to jobs, workers and records."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from langgraph_sdk.schema import Cron as SdkCron
from redis.asyncio import Redis
from saq import Worker

from runtime import crons as limits
from runtime.api import crons as api
from runtime.assistants import Assistants
from runtime.context import User
from runtime.cron_jobs import FIRE
from runtime.cron_record import Cron, CronChange
from runtime.crons import Crons
from runtime.engine import Engine
from runtime.errors import AppError, InvalidInput, NotFound, PermissionDenied, RedisUnavailable, ThreadBusy
from runtime.queue import RunQueue, running
from runtime.redis import connect
from runtime.threads import Threads
from tests.operations import ADMIN, ANA, BO, STRANGER, ask, engine_of

pytestmark = pytest.mark.anyio
MINUTELY: CronChange = {"schedule": "* * * * *"}


@dataclass
class Clock:
    """A time that a test sets."""

    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


@dataclass
class Starts:
    """Starts runs as the contract says: one for each idempotency key."""

    asked: list[tuple[User, str | None, Mapping[str, Any]]] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    error: AppError | None = None

    async def __call__(self, user: User, thread_id: str | None, payload: Mapping[str, Any]) -> str:
        await anyio.lowlevel.checkpoint()
        if self.error:
            raise self.error
        self.asked.append((user, thread_id, payload))
        if payload["idempotency_key"] not in self.runs:
            self.runs.append(payload["idempotency_key"])
        return str(payload["idempotency_key"])


@pytest.fixture
def clock() -> Clock:
    """Of this moment."""
    return Clock()


@pytest.fixture
def starts() -> Starts:
    """No run yet."""
    return Starts()


@pytest.fixture
def queue(client: Redis) -> RunQueue:
    """The runs' queue."""
    return RunQueue(client, heartbeat_s=1)


@pytest.fixture
def crons(client: Redis, queue: RunQueue, starts: Starts, clock: Clock) -> Crons:
    """On a real Redis."""
    return Crons(client, queue, starts, clock)


@pytest.fixture
def engine(client: Redis, crons: Crons) -> Engine:
    """What the routes need."""
    return engine_of(crons=crons, assistants=Assistants(client, ["g"]), threads=Threads(client))


async def create(crons: Crons, change: CronChange = MINUTELY, user: User = ANA) -> Cron:
    """A cron of the graph `g` without a thread."""
    return await crons.create(user, "g", None, change)


async def fire(crons: Crons, cron: Cron) -> None:
    """A delivery of the time at which the cron was due."""
    assert cron.due is not None
    await crons.fire({}, cron_id=cron.cron_id, tenant=cron.user.tenant, due=cron.due)


@asynccontextmanager
async def worker(url: str, starts: Starts, clock: Clock) -> AsyncIterator[None]:
    """A worker with connections of its own, which fires crons as the installation's do."""
    async with connect(url, timeout_s=None) as client:
        queue = RunQueue(client, heartbeat_s=1)
        crons = Crons(client, queue, starts, clock)
        await crons.reschedule()
        saq: Worker[Any] = Worker(queue, [(FIRE, crons.fire)], concurrency=2)
        async with running(saq):
            yield


async def until_started(starts: Starts, count: int) -> None:
    """Waits for runs."""
    with anyio.fail_after(30):
        while len(starts.runs) < count:
            await anyio.sleep(0.02)


async def test_a_due_time_fires_once_with_many_workers(
    redis_url: str, crons: Crons, starts: Starts, clock: Clock
) -> None:
    """The promise of a schedule: no run too many, none left out, and one follows on the other."""
    clock.now -= 3_600  # So all that is due is so at once for the queue, which goes by the real time.
    cron = await create(crons)
    async with worker(redis_url, starts, clock), worker(redis_url, starts, clock):
        await until_started(starts, 3)
        await crons.delete(ANA, cron.cron_id)
    assert cron.due is not None
    wanted = [f"cron:{cron.cron_id}:{cron.due + 60 * number}" for number in range(len(starts.runs))]
    assert starts.runs == wanted


async def test_a_cron_outlives_workers_and_queue(
    redis_url: str, client: Redis, crons: Crons, queue: RunQueue, starts: Starts, clock: Clock
) -> None:
    """A restart, even one that has lost all jobs, must not end a schedule."""
    clock.now -= 3_600
    await create(crons)
    await client.delete(*await client.keys("saq:*"))
    assert await queue.count("incomplete") == 0
    async with worker(redis_url, starts, clock):
        await until_started(starts, 1)
    async with worker(redis_url, starts, clock):
        await until_started(starts, len(starts.runs) + 1)


async def test_a_second_delivery_starts_nothing(crons: Crons, starts: Starts, clock: Clock) -> None:
    """The queue may deliver a job twice, at once or later."""
    cron = await create(crons)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fire, crons, cron)
        tasks.start_soon(fire, crons, cron)
    await fire(crons, cron)
    assert starts.runs == [f"cron:{cron.cron_id}:{cron.due}"]
    assert len(starts.asked) <= 2


async def test_what_is_gone_or_changed_does_not_fire(crons: Crons, starts: Starts) -> None:
    """A job of an earlier plan may still be in the queue."""
    deleted, disabled, changed = await create(crons), await create(crons), await create(crons)
    await crons.delete(ANA, deleted.cron_id)
    await crons.update(ANA, disabled.cron_id, {"enabled": False})
    await crons.update(ANA, changed.cron_id, {"schedule": "0 0 1 1 *"})
    for cron in (deleted, disabled, changed):
        await fire(crons, cron)
    assert starts.asked == []
    assert (await crons.get(ANA, disabled.cron_id)).due is None


async def test_missed_times_fire_once(crons: Crons, starts: Starts, clock: Clock) -> None:
    """After a weekend without workers, one run and not thousands."""
    cron = await create(crons)
    clock.now += 3 * 86_400
    await crons.reschedule()
    await fire(crons, cron)
    assert len(starts.runs) == 1
    later = await crons.get(ANA, cron.cron_id)
    assert later.due is not None and clock.now < later.due <= clock.now + 60


async def test_one_that_was_switched_off_catches_nothing_up(crons: Crons, clock: Clock) -> None:
    """Switched on again it is due in the future; a change of anything else does not move what is due."""
    cron = await create(crons)
    await crons.update(ANA, cron.cron_id, {"enabled": False})
    clock.now += 86_400
    on = await crons.update(ANA, cron.cron_id, {"enabled": True})
    assert on.due is not None and on.due > clock.now
    clock.now = on.due + 0.5
    assert (await crons.update(ANA, cron.cron_id, {"metadata": {"a": 1}})).due == on.due


async def test_a_start_that_is_refused_is_one_time_left_out(crons: Crons, starts: Starts) -> None:
    """A busy thread must not end the schedule, nor be tried without end."""
    cron, starts.error = await create(crons), ThreadBusy()
    await fire(crons, cron)
    assert (await crons.get(ANA, cron.cron_id)).due == (cron.due or 0) + 60


async def test_a_start_that_redis_kept_from_happening_is_tried_again(crons: Crons, starts: Starts) -> None:
    """The time stays due, for the queue or the next `reschedule`."""
    cron, starts.error = await create(crons), RedisUnavailable()
    with pytest.raises(RedisUnavailable):
        await fire(crons, cron)
    starts.error = None
    await fire(crons, cron)
    assert len(starts.runs) == 1


async def test_a_cron_ends(crons: Crons, starts: Starts, clock: Clock) -> None:
    """No run after its end, whether it goes on to it or sleeps over it; without the end it goes on."""
    clock.now = clock.now // 60 * 60
    last = await create(crons, {"schedule": "* * * * *", "end": clock.now + 90})
    slept = await create(crons, {"schedule": "* * * * *", "end": clock.now + 90})
    clock.now += 60
    await fire(crons, last)
    assert ((await crons.get(ANA, last.cron_id)).due, len(starts.runs)) == (None, 1)
    clock.now += 3_600
    await fire(crons, slept)
    assert ((await crons.get(ANA, slept.cron_id)).due, len(starts.runs)) == (None, 1)
    assert (await crons.update(ANA, last.cron_id, {"end": None})).due == clock.now + 60


async def test_putting_back_adds_no_job(crons: Crons, queue: RunQueue) -> None:
    """Each worker does it each minute."""
    await create(crons)
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(crons.reschedule)
    assert await queue.count("incomplete") == 1


async def test_a_job_comes_shortly_before_its_time(crons: Crons, queue: RunQueue, clock: Clock) -> None:
    """A year ahead there is nothing to take back when a cron is changed; then `reschedule` brings the job."""
    cron = await create(crons, {"schedule": "0 0 1 1 *"})
    assert await queue.count("incomplete") == 0
    assert cron.due is not None
    clock.now = cron.due - 60
    await crons.reschedule()
    assert await queue.count("incomplete") == 1


async def test_nothing_stays_of_a_deleted_cron(crons: Crons, client: Redis) -> None:
    """Keys must not pile up."""
    cron = await create(crons, {"schedule": "0 0 1 1 *"})
    await crons.delete(ANA, cron.cron_id)
    assert await client.keys("*crons*") == []


async def test_a_tenant_has_so_many_crons_at_most(crons: Crons, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client in a loop must not fill the queue."""
    monkeypatch.setattr(limits, "MAX_CRONS", 1)
    await create(crons)
    with pytest.raises(InvalidInput, match="there are 1 crons"):
        await create(crons)


async def test_what_a_run_is_started_with(engine: Engine, crons: Crons, starts: Starts) -> None:
    """What the client gave for its runs, as its user, with metadata that leads back to the cron."""
    asked = {
        "assistant_id": "g",
        "schedule": "* * * * *",
        "input": {"messages": []},
        "context": {"model": "m"},
        "metadata": {"team": "north"},
        "on_run_completed": "keep",
        "something": "new",
    }
    row = await ask(engine, api.create_cron, asked)
    await fire(crons, await crons.get(ANA, row["cron_id"]))
    ((user, thread_id, payload),) = starts.asked
    assert (user, thread_id) == (ANA, None)
    assert payload == {
        "assistant_id": (await engine.assistants.resolve(ANA, "g")).assistant_id,
        "input": {"messages": []},
        "context": {"model": "m"},
        "metadata": {"team": "north", "cron_id": row["cron_id"]},
        "on_completion": "keep",
        "idempotency_key": starts.runs[0],
    }


async def test_the_row_has_the_fields_of_the_sdk(engine: Engine) -> None:
    """A typed client reads each of them."""
    row = await ask(
        engine, api.create_cron, {"assistant_id": "g", "schedule": "0 9 * * *", "timezone": "Asia/Tokyo"}
    )
    assert row.keys() == SdkCron.__annotations__.keys()
    assert (row["user_id"], row["thread_id"], row["enabled"]) == ("ana", None, True)
    assert (row["on_run_completed"], row["timezone"]) == ("delete", "Asia/Tokyo")
    assert row["next_run_date"].endswith("T00:00:00+00:00")
    assert row == await ask(engine, api.get_cron, cron_id=row["cron_id"])


async def test_a_cron_on_a_thread_needs_the_threads_owner(engine: Engine) -> None:
    """Its runs write to the thread for as long as it lives."""
    thread, _ = await engine.threads.create(ANA, "t1")
    body = {"assistant_id": "g", "schedule": "0 0 1 1 *"}
    row = await ask(engine, api.create_cron, body, thread_id=thread.thread_id)
    assert (row["thread_id"], row["on_run_completed"]) == ("t1", None)
    for user in (BO, ADMIN):
        with pytest.raises(PermissionDenied):
            await ask(engine, api.create_cron, body, user=user, thread_id="t1")
    with pytest.raises(NotFound):
        await ask(engine, api.create_cron, body, thread_id="t2")


@pytest.mark.parametrize(
    "wrong",
    [
        {"schedule": "soon"},
        {"schedule": "0 0 30 2 *"},
        {"timezone": "Mars/Base"},
        {"end_time": "tomorrow"},
        {"assistant_id": "nobody"},
        {"multitask_strategy": "queue"},
        {"input": "x" * 300_000},
    ],
)
async def test_a_wrong_cron_is_refused(engine: Engine, crons: Crons, wrong: dict[str, Any]) -> None:
    """When it is given, and nothing of it is kept."""
    with pytest.raises(InvalidInput):
        await ask(engine, api.create_cron, {"assistant_id": "g", "schedule": "* * * * *", **wrong})
    assert await crons.search(ANA) == []


async def test_an_update_changes_what_it_says(engine: Engine) -> None:
    """An explicit null takes the end away, no field of its own leaves it; the payload is merged."""
    body = {
        "assistant_id": "g",
        "schedule": "0 9 * * *",
        "end_time": "2999-01-01T00:00:00",
        "input": {"a": 1},
    }
    made = await ask(engine, api.create_cron, body)
    assert made["end_time"] == "2999-01-01T00:00:00+00:00"
    path = {"cron_id": made["cron_id"]}
    after = await ask(engine, api.update_cron, {"schedule": "0 10 * * *", "config": {"tags": ["t"]}}, **path)
    assert (after["schedule"], after["end_time"]) == ("0 10 * * *", made["end_time"])
    assert after["payload"] == {**made["payload"], "config": {"tags": ["t"]}}
    assert after["next_run_date"] != made["next_run_date"]
    assert (await ask(engine, api.update_cron, {"end_time": None}, **path))["end_time"] is None
    with pytest.raises(InvalidInput):
        await ask(engine, api.update_cron, {}, **path)


async def test_whose_crons_they_are(engine: Engine) -> None:
    """A cron runs as its creator: others must not change it, and another tenant must not know of it."""
    made = await ask(engine, api.create_cron, {"assistant_id": "g", "schedule": "0 9 * * *"})
    path = {"cron_id": made["cron_id"]}
    for user, error in ((BO, PermissionDenied), (STRANGER, NotFound)):
        for function in (api.get_cron, api.delete_cron):
            with pytest.raises(error):
                await ask(engine, function, user=user, **path)
        assert await ask(engine, api.count_crons, {}, user=user) == 0
    assert await ask(engine, api.get_cron, user=ADMIN, **path) == made
    with pytest.raises(PermissionDenied):
        await ask(engine, api.update_cron, {"input": {"do": "this"}}, user=ADMIN, **path)
    assert (await ask(engine, api.delete_cron, user=ADMIN, **path)).status == 204


async def test_a_search_filters_sorts_and_pages(engine: Engine) -> None:
    """What the SDK's search can ask."""
    for hour in range(3):
        body = {
            "assistant_id": "g",
            "schedule": f"0 {hour} 1 1 *",
            "metadata": {"hour": hour},
            "enabled": hour > 0,
        }
        await ask(engine, api.create_cron, body)
    asked = {
        "assistant_id": "g",
        "enabled": True,
        "sort_by": "next_run_date",
        "sort_order": "asc",
        "limit": 1,
    }
    reply = await ask(engine, api.search_crons, {**asked, "select": ["schedule"]})
    assert reply.value == [{"schedule": "0 1 1 1 *"}]
    assert reply.headers == {"x-pagination-total": "2", "x-pagination-next": "1"}
    assert await ask(engine, api.count_crons, {"metadata": {"hour": 2}}) == 1
    assert await ask(engine, api.count_crons, {"thread_id": "t"}) == 0


async def test_a_cron_goes_with_its_thread(
    engine: Engine, crons: Crons, client: Redis, starts: Starts
) -> None:
    """Its run would bring back what its owner has deleted, or write to who has the id now."""
    kept, gone, taken = [
        await crons.create(ANA, "g", (await engine.threads.create(ANA, thread))[0].thread_id, MINUTELY)
        for thread in ("kept", "gone", "taken")
    ]
    await client.delete("{acme/gone}:thread", "{acme/taken}:thread")
    await engine.threads.create(BO, "taken")
    for cron in (kept, gone, taken):
        await fire(crons, cron)
    assert [thread for _, thread, _ in starts.asked] == ["kept"]
    assert [cron.cron_id for cron in await crons.search(ANA)] == [kept.cron_id]
    await crons.reschedule()
    assert await client.zcard("{crons}:due") == 1
