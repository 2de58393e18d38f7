"""The server over real sockets: commands, streams, REST, and bad input."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from runtime.errors import SettingsInvalid
from runtime.settings import load
from terminal.processes import open_server

pytestmark = pytest.mark.anyio

KEYS = json.dumps(
    {
        "ana-key": {"tenant": "acme", "subject": "ana", "roles": ["rep"]},
        "bo-key": {"tenant": "acme", "subject": "bo", "roles": ["rep"]},
        "eve-key": {"tenant": "acme", "subject": "eve", "roles": ["evaluator"]},
        "other-key": {"tenant": "other", "subject": "ana", "roles": ["admin"]},
    }
)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The module's, for the sake of its servers."""
    return "asyncio"


@pytest.fixture(scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A server without keys, one for all tests: each has threads of its own."""
    async with open_server(load(port=0, data_dir=tmp_path_factory.mktemp("open"))) as url:
        yield url


@pytest.fixture
async def own_url() -> AsyncIterator[str]:
    """A server of the test's own, where it matters what else is there."""
    async with open_server(load(port=0)) as url:
        yield url


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A server with KEYS, one for all tests."""
    async with open_server(load(port=0, data_dir=tmp_path_factory.mktemp("keys"), api_keys=KEYS)) as url:
        yield url


@asynccontextmanager
async def socket(url: str, thread: str, **headers: str) -> AsyncIterator[ClientConnection]:
    place = url.replace("http", "ws", 1) + f"/threads/{thread}/stream/events"
    async with connect(place, additional_headers=headers) as connection:
        yield connection


async def ask(connection: ClientConnection, frame: Any) -> Any:
    """The response to a command, past the events that come before it."""
    await connection.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))
    with anyio.fail_after(10):
        while True:
            reply = json.loads(await connection.recv())
            if reply["type"] != "event":
                return reply


async def events_until(connection: ClientConnection, last: str) -> list[Any]:
    events = []
    with anyio.fail_after(20):
        while True:
            frame = json.loads(await connection.recv())
            if frame["type"] == "event":
                events.append(frame)
                data = frame["params"]["data"]
                if (
                    frame["method"] == "lifecycle"
                    and not frame["params"]["namespace"]
                    and data["event"] == last
                ):
                    return events


def start(text: str = "What does the Team plan cost?", assistant: str = "rag", **more: Any) -> dict[str, Any]:
    payload = {"messages": [{"role": "user", "content": text}]}
    return {"id": 1, "method": "run.start", "params": {"assistant_id": assistant, "input": payload, **more}}


async def test_one_socket_carries_commands_and_events(url: str) -> None:
    """As the JS SDK does: start first, subscribe after the answer, miss nothing."""
    async with socket(url, "t1") as ws:
        begun = await ask(ws, start())
        assert begun["type"] == "success" and begun["meta"] == {"applied_through_seq": 0}
        await ws.send(
            json.dumps(
                {
                    "id": 2,
                    "method": "subscription.subscribe",
                    "params": {"channels": ["values", "lifecycle", "messages"]},
                }
            )
        )
        events = await events_until(ws, "completed")
    assert events[0]["params"]["data"]["event"] == "running"
    assert begun["result"]["run_id"] in events[0]["event_id"]
    assert [e["seq"] for e in events] == sorted({e["seq"] for e in events})


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        ("nonsense", "invalid_argument"),
        ("[1]", "invalid_argument"),
        (b"\x00\xff", "invalid_argument"),
        ({"id": 1}, "invalid_argument"),
        ({"id": 1, "method": "run.dance"}, "unknown_command"),
        ({"id": 1, "method": "subscription.subscribe", "params": {"channels": []}}, "invalid_argument"),
        ({"id": 1, "method": "subscription.unsubscribe", "params": {}}, "no_such_subscription"),
        ({"id": 1, "method": "run.start", "params": {}}, "invalid_argument"),
        ({"id": 1, "method": "run.start", "params": {"assistant_id": "rag", "input": 7}}, "invalid_argument"),
        ({"id": 1, "method": "input.respond", "params": {"interrupt_id": "x", "response": 1}}, "no_such_run"),
        (start("   "), "invalid_argument"),
        (start("x" * 9000), "invalid_argument"),
        (start(assistant="nonsense"), "unknown_error"),
        (start(multitask_strategy="nonsense"), "invalid_argument"),
    ],
)  # fmt: skip
async def test_bad_frames_are_answered_and_the_socket_lives_on(url: str, frame: Any, error: str) -> None:
    """Each fault has its code and a message that names it; the next command works."""
    async with socket(url, "bad") as ws:
        reply = await ask(ws, frame)
        assert (reply["type"], reply["error"]) == ("error", error)
        assert reply["message"]
        good = {"id": 9, "method": "subscription.subscribe", "params": {"channels": ["values"]}}
        assert (await ask(ws, good))["type"] == "success"


async def test_a_refused_message_names_value_and_limit(url: str) -> None:
    """And leaves no thread behind."""
    async with httpx.AsyncClient(base_url=url) as http:
        reply = (await http.post("/threads/refused/commands", json=start("x" * 9000))).json()
        assert reply["message"] == "the message has 9000 characters; at most 8000 are allowed"
        assert (await http.get("/threads/refused")).status_code == 404
        reply = (await http.post("/threads/refused/commands", json=start(assistant="nope"))).json()
        assert "'nope'" in reply["message"] and "rag" in reply["message"]


async def test_http_commands_fail_as_the_protocol_says(url: str) -> None:
    """Protocol errors are answers (200); only an unreadable envelope is a 400."""
    async with httpx.AsyncClient(base_url=url) as http:
        assert (await http.post("/threads/t/commands", content=b"{")).status_code == 400
        reply = await http.post("/threads/t/commands", json={"id": 3, "method": "run.dance"})
        assert (reply.status_code, reply.json()["error"], reply.json()["id"]) == (200, "unknown_command", 3)
        assert (await http.post("/threads/a%20b/commands", json=start())).status_code == 422


async def test_state_runs_and_threads_are_there_to_read(own_url: str) -> None:
    """What an evaluator and the SDK ask for after a run."""
    async with socket(own_url, "t1") as ws, httpx.AsyncClient(base_url=own_url) as http:
        run_id = (await ask(ws, start()))["result"]["run_id"]
        await ws.send(
            json.dumps({"id": 2, "method": "subscription.subscribe", "params": {"channels": ["lifecycle"]}})
        )
        await events_until(ws, "completed")
        state = (await http.get("/threads/t1/state")).json()
        assert state["next"] == [] and len(state["values"]["messages"]) == 2
        assert state["checkpoint"]["thread_id"] == "t1"
        history = (await http.post("/threads/t1/history", json={"limit": 50})).json()
        assert history[0] == state and history[-1]["metadata"]["source"] == "input"
        older = (await http.get(f"/threads/t1/state/{history[-1]['checkpoint_id']}")).json()
        assert older == history[-1]
        row = (await http.get("/threads/t1")).json()
        assert (row["status"], row["metadata"]["assistant_id"]) == ("idle", "rag")
        run = (await http.get(f"/threads/t1/runs/{run_id}")).json()
        assert (run["status"], run["attempts"]) == ("success", 1)
        assert [r["run_id"] for r in (await http.get("/threads/t1/runs")).json()] == [run_id]
        assert [t["thread_id"] for t in (await http.post("/threads/search", json={})).json()] == ["t1"]
        assert (await http.post(f"/threads/t1/runs/{run_id}/cancel")).status_code == 404
        assert (await http.get("/threads/none/state")).status_code == 404
        assert (await http.get("/threads/t1/runs?limit=0")).status_code == 422


async def test_threads_can_be_made_before_their_first_run(url: str) -> None:
    """With an empty state; a second time it is a conflict unless asked for."""
    async with httpx.AsyncClient(base_url=url) as http:
        made = await http.post("/threads", json={"thread_id": "mine"})
        assert (made.status_code, made.json()["status"]) == (200, "idle")
        assert (await http.get("/threads/mine/state")).json()["values"] == {}
        assert (await http.post("/threads", json={"thread_id": "mine"})).status_code == 409
        again = await http.post("/threads", json={"thread_id": "mine", "if_exists": "do_nothing"})
        assert again.status_code == 200
        assert (await http.post("/threads", json={})).json()["thread_id"]


async def test_graphs_are_listed_and_drawn(url: str) -> None:
    """By name; an unknown one is named with those that exist."""
    async with httpx.AsyncClient(base_url=url) as http:
        assert (await http.get("/ok")).json() == {"ok": True}
        names = {a["graph_id"] for a in (await http.post("/assistants/search", json={})).json()}
        assert names == {"assistant", "coaching", "ingest", "rag", "tool_calling"}
        assert (await http.get("/assistants/coaching/graph")).json()["nodes"]
        missing = await http.get("/assistants/nope/graph")
        assert missing.status_code == 422 and "coaching" in missing.json()["detail"]


async def test_a_wrong_key_is_turned_away(guarded: str) -> None:
    """401 by HTTP; a close code that no client retries on the socket."""
    async with httpx.AsyncClient(base_url=guarded) as http:
        for headers in ({}, {"x-api-key": "nonsense"}):
            reply = await http.post("/threads/t/commands", json=start(), headers=headers)
            assert (reply.status_code, reply.json()["code"]) == (401, "unauthenticated")
    async with socket(guarded, "t", **{"x-api-key": "nonsense"}) as ws:
        with pytest.raises(ConnectionClosed):
            while True:
                await ws.recv()
        assert ws.close_code == 4401


async def test_threads_are_their_owners(guarded: str) -> None:
    """A colleague is refused, an evaluator may read but not speak, another tenant sees nothing."""
    async with httpx.AsyncClient(base_url=guarded) as http:

        async def call(key: str, method: str, path: str, **body: Any) -> httpx.Response:
            return await http.request(method, path, headers={"x-api-key": key}, **body)

        assert (await call("ana-key", "POST", "/threads/t/commands", json=start())).status_code == 200
        assert (await call("ana-key", "GET", "/threads/t")).status_code == 200
        assert (await call("bo-key", "GET", "/threads/t/state")).status_code == 403
        assert (await call("bo-key", "POST", "/threads/t/commands", json=start())).status_code == 403
        assert (await call("eve-key", "GET", "/threads/t")).status_code == 200
        assert (await call("eve-key", "POST", "/threads/t/commands", json=start())).status_code == 403
        assert (await call("other-key", "GET", "/threads/t")).status_code == 404
    async with socket(guarded, "t", **{"x-api-key": "bo-key"}) as ws:
        with pytest.raises(ConnectionClosed):
            while True:
                await ws.recv()
        assert ws.close_code == 4403


async def test_a_port_in_use_is_named(url: str) -> None:
    """With the setting that moves it."""
    port = int(url.rpartition(":")[2])
    with pytest.raises(SettingsInvalid, match=f"127.0.0.1:{port}.*CORNERMAN_PORT"):
        async with open_server(load(port=port)):
            pass


async def test_an_open_server_stays_on_loopback() -> None:
    """Without API keys it refuses to listen to the world."""
    with pytest.raises(SettingsInvalid, match="CORNERMAN_API_KEYS"):
        async with open_server(load(host="0.0.0.0", port=0)):
            pass


async def test_a_data_folder_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    """With the reason, not with a traceback of the web server."""
    (tmp_path / "file").touch()
    with pytest.raises(SettingsInvalid, match="CORNERMAN_DATA_DIR"):
        async with open_server(load(data_dir=tmp_path / "file", port=0)):
            pass


async def test_faults_that_nobody_foresaw_do_not_cut_the_socket(url: str) -> None:
    """A value of the wrong type, or one nested too deep, is answered, and the next command works."""
    deep: Any = "x"
    for _ in range(400):
        deep = [deep]
    async with socket(url, "t1") as ws:
        for params in ({"config": {"configurable": {"checkpoint_id": {"a": 1}}}}, {"input": {"x": deep}}):
            frame = {"id": 5, "method": "run.start", "params": {"assistant_id": "rag", **params}}
            reply = await ask(ws, frame)
            assert (reply["type"], reply["id"]) == ("error", 5)
        good = {"id": 9, "method": "subscription.subscribe", "params": {"channels": ["values"]}}
        assert (await ask(ws, good))["type"] == "success"
    async with httpx.AsyncClient(base_url=url) as http:
        await http.post("/threads", json={"thread_id": "t2"})
        assert (await http.post("/threads/t2/history", json={"before": "abc"})).status_code == 200


async def test_a_fork_of_an_unknown_checkpoint_is_refused(url: str) -> None:
    """It would set the conversation aside; and reading one is a 404."""
    async with httpx.AsyncClient(base_url=url) as http:
        await http.post("/threads", json={"thread_id": "t"})
        asked = start(config={"configurable": {"checkpoint_id": "nonsense"}})
        reply = (await http.post("/threads/t/commands", json=asked)).json()
        assert reply["error"] == "invalid_argument" and "nonsense" in reply["message"]
        assert (await http.get("/threads/t/state/nonsense")).status_code == 404
        assert (await http.get("/threads/t")).json()["status"] == "idle"


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "user", "content": []}],
        [{"role": "user", "content": [{"type": "text", "text": "  "}]}],
        [{"role": "user", "content": None}],
    ],
)
async def test_messages_without_text_are_refused(url: str, messages: list[Any]) -> None:
    """Before a run is recorded, in whatever form they come."""
    asked = {
        "id": 1,
        "method": "run.start",
        "params": {"assistant_id": "rag", "input": {"messages": messages}},
    }
    async with httpx.AsyncClient(base_url=url) as http:
        reply = (await http.post("/threads/t/commands", json=asked)).json()
        assert reply["error"] == "invalid_argument" and "empty" in reply["message"]


async def test_other_peoples_pages_are_kept_out(url: str) -> None:
    """A page the rep visits can neither open a socket here nor post, nor come in by a name of its own."""
    evil = {"Origin": "https://evil.example"}
    async with httpx.AsyncClient(base_url=url) as http:
        assert (await http.post("/threads/t/commands", json=start(), headers=evil)).status_code == 403
        assert (await http.get("/info", headers={"Host": "evil.example"})).status_code == 403
        assert (await http.get("/info", headers={"Origin": url})).status_code == 200
    async with socket(url, "t", **evil) as ws:
        with pytest.raises(ConnectionClosed):
            while True:
                await ws.recv()
        assert ws.close_code == 4403


async def test_with_keys_nothing_is_told_without_one(guarded: str) -> None:
    """Not even which graphs there are."""
    async with httpx.AsyncClient(base_url=guarded) as http:
        for path in ("/info", "/assistants/rag/graph"):
            assert (await http.get(path)).status_code == 401
        assert (await http.post("/assistants/search", json={})).status_code == 401
        assert (await http.get("/ok")).status_code == 200
        assert "rag" not in (await http.get("/")).text


async def test_threads_are_paged(own_url: str) -> None:
    """The second page is not the first again; a filter is not ignored."""
    async with httpx.AsyncClient(base_url=own_url) as http:
        for number in range(5):
            await http.post("/threads", json={"thread_id": f"t{number}"})

        async def page(**body: Any) -> list[str]:
            return [row["thread_id"] for row in (await http.post("/threads/search", json=body)).json()]

        assert await page(limit=2) == ["t4", "t3"]
        assert await page(limit=2, offset=2) == ["t2", "t1"]
        assert await page(limit=2, offset=4) == ["t0"]
        assert (await http.post("/threads/search", json={"status": "busy"})).json() == []
        assert (await http.post("/threads/search", json={"offset": "x"})).status_code == 422
