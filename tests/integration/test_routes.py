"""Routes of a real server, as faults and impatient clients meet them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import anyio
import httpx
import pytest

pytestmark = pytest.mark.anyio

WORK = {"assistant_id": "slow", "input": {"todo": ["a", "b"]}}


@pytest.fixture
async def http(project_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=project_url, timeout=20) as http:
        yield http


async def thread(http: httpx.AsyncClient) -> str:
    return str((await http.post("/threads", json={})).json()["thread_id"])


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/threads/{t}/stream/events", {"channels": ["nope"]}, 400),
        ("POST", "/threads/{t}/stream/events", {}, 400),
        ("POST", "/threads/{t}/runs", {"assistant_id": "nobody"}, 422),
        ("POST", "/threads/{t}/runs", {"assistant_id": "slow", "input": {}, "webhook": "https://x"}, 422),
        ("POST", "/threads/{t}/runs/stream", {**WORK, "stream_mode": "debug"}, 422),
        ("GET", "/threads/{t}/runs/none", None, 404),
        ("GET", "/threads/{t}/runs?limit=x", None, 422),
        ("POST", "/threads/{t}/runs/none/cancel", {}, 404),
        ("POST", "/threads/{t}/runs/none/cancel?action=burn", {}, 422),
        ("POST", "/runs/cancel", {}, 422),
        ("POST", "/runs/cancel", {"status": "all"}, 404),
        ("POST", "/runs/batch", {"not": "a list"}, 422),
        ("GET", "/threads/unknown", None, 404),
        ("POST", "/threads/unknown/runs", WORK, 404),
        ("POST", "/threads/search", {"limit": 0}, 422),
        ("POST", "/threads/search", {"status": "asleep"}, 422),
        ("POST", "/runs/crons", {"assistant_id": "slow", "schedule": "not a schedule"}, 422),
        (
            "POST",
            "/runs/crons",
            {"assistant_id": "slow", "schedule": "0 0 * * *", "end_time": "9999-12-31T23:59:59-14:00"},
            422,
        ),
        ("GET", "/nowhere", None, 404),
        ("PUT", "/threads", {}, 405),
    ],
)
async def test_a_fault_has_its_status_and_the_connection_lives_on(
    http: httpx.AsyncClient, method: str, path: str, body: Any, status: int
) -> None:
    """The next request on the same connection is answered, whatever the last one was."""
    path = path.replace("{t}", await thread(http))
    assert (await http.request(method, path, json=body)).status_code == status
    assert (await http.get("/ok")).json() == {"ok": True}


async def test_a_body_that_is_too_large_is_refused_early(http: httpx.AsyncClient) -> None:
    """Memory is bounded before JSON is."""
    answer = await http.post("/threads", content=b"x" * 2_000_000)
    assert answer.status_code == 413 and answer.json()["code"] == "body_too_large"


async def test_the_description_and_its_page_are_served(http: httpx.AsyncClient) -> None:
    """Without a network, for whoever writes a client."""
    paths = (await http.get("/openapi.json")).json()["paths"]
    assert {"/threads/{thread_id}/commands", "/runs/wait", "/store/items", "/runs/crons"} <= paths.keys()
    assert "openapi.json" in (await http.get("/docs")).text


async def test_who_waits_and_leaves_may_take_the_run_along(http: httpx.AsyncClient) -> None:
    """`on_disconnect`: the rep closed the page, and nobody wants the answer."""
    thread_id = await thread(http)
    body = {**WORK, "input": {"todo": ["step"] * 200}, "on_disconnect": "cancel"}
    with anyio.move_on_after(0.5):
        await http.post(f"/threads/{thread_id}/runs/wait", json=body)
    with anyio.fail_after(15):
        while True:
            (run,) = (await http.get(f"/threads/{thread_id}/runs")).json()
            if run["status"] not in ("pending", "running"):
                break
            await anyio.sleep(0.05)
    assert run["status"] == "interrupted"


async def test_a_retried_request_starts_nothing_twice(http: httpx.AsyncClient) -> None:
    """By the header that HTTP clients know."""
    thread_id, key = await thread(http), {"Idempotency-Key": uuid4().hex}
    runs = [
        (await http.post(f"/threads/{thread_id}/runs", json=WORK, headers=key)).json()["run_id"]
        for _ in range(3)
    ]
    assert len(set(runs)) == 1
    other = await http.post(f"/threads/{thread_id}/runs", json={**WORK, "input": {}}, headers=key)
    assert other.status_code == 422 and other.json()["code"] == "idempotency_conflict"
    long = await http.post(f"/threads/{thread_id}/runs", json=WORK, headers={"Idempotency-Key": "k" * 201})
    assert long.status_code == 422 and "at most 200" in long.json()["detail"]


async def test_several_runs_are_cancelled_and_rolled_back(http: httpx.AsyncClient) -> None:
    """As the SDK's `cancel_many` asks: the action travels in the query."""
    thread_id = await thread(http)
    body = {**WORK, "input": {"todo": ["step"] * 200}}
    for _ in range(2):
        await http.post(f"/threads/{thread_id}/runs", json=body)
    answer = await http.post("/runs/cancel?action=rollback", json={"thread_id": thread_id, "status": "all"})
    assert answer.status_code == 204
    with anyio.fail_after(15):
        while (await http.get(f"/threads/{thread_id}/runs")).json():
            await anyio.sleep(0.05)
    assert (await http.get(f"/threads/{thread_id}/state")).json()["values"] == {}


async def test_a_run_that_ended_long_ago_is_streamed_to_its_end(http: httpx.AsyncClient) -> None:
    """Each mode that is asked for, however often the parameter is repeated; the stream ends."""
    thread_id = await thread(http)
    run_id = (await http.post(f"/threads/{thread_id}/runs", json=WORK)).json()["run_id"]
    await http.get(f"/threads/{thread_id}/runs/{run_id}/join")
    where = f"/threads/{thread_id}/runs/{run_id}/stream"
    with anyio.fail_after(15):
        text = (await http.get(where, params={"stream_mode": ["values", "updates"]})).text
        assert "event: values" in text and "event: updates" in text
        late = await http.get(where, headers={"Last-Event-ID": "1000000"})
    assert "event: values" not in late.text


async def test_a_stream_whose_thread_is_deleted_says_so(http: httpx.AsyncClient) -> None:
    """Its headers went out long ago: the error is its last event, and the stream ends."""
    thread_id = await thread(http)
    asked = {"channels": ["values", "lifecycle"]}
    pieces: list[str] = []
    with anyio.fail_after(20):
        async with http.stream("POST", f"/threads/{thread_id}/stream/events", json=asked) as stream:
            assert stream.status_code == 200
            await anyio.sleep(0.2)
            async with httpx.AsyncClient(base_url=str(http.base_url)) as other:
                assert (await other.delete(f"/threads/{thread_id}")).status_code == 204
            pieces = [line async for line in stream.aiter_lines() if line]
    assert "event: error" in pieces and "not_found" in pieces[-1]
