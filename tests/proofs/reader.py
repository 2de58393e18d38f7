"""A client of the wire: it starts runs, and follows a thread however often its connection is cut."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any
from uuid import uuid4

import anyio
import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

CHANNELS = ["values", "updates", "messages", "tools", "lifecycle", "input", "checkpoints", "tasks", "custom"]
TERMINAL = frozenset({"completed", "failed", "interrupted"})
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b")
_TRY_S = 0.1
Frame = dict[str, Any]


class Reader:
    """What a client that goes on from its last seq has seen of a thread."""

    def __init__(self, urls: Sequence[str], thread: str) -> None:
        """Connections go to the `urls` in turn."""
        self.frames: list[Frame] = []
        self.cuts = 0
        self._urls = urls
        self._thread = thread
        self._heard = anyio.Event()

    @property
    def seq(self) -> int:
        return int(self.frames[-1]["seq"]) if self.frames else 0

    async def by_socket(self, *, cut_after: Callable[[int], bool] = lambda count: False) -> None:
        """Follows over WebSocket until cancelled; `cut_after` is asked with the count of frames seen."""
        while True:
            try:
                async with connect(self._place("ws"), open_timeout=5, close_timeout=1) as socket:
                    await socket.send(json.dumps(self._subscribe()))
                    await self._take(_frames(socket), cut_after)
                    socket.transport.abort()
            except (OSError, TimeoutError, WebSocketException):
                await anyio.sleep(_TRY_S)
            self.cuts += 1

    async def by_sse(self, *, cut_after: Callable[[int], bool] = lambda count: False) -> None:
        """Follows over server-sent events until cancelled."""
        while True:
            try:
                async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
                    body = {"channels": CHANNELS, "since": self.seq}
                    async with client.stream("POST", self._place("http"), json=body) as reply:
                        await self._take(_data_lines(reply), cut_after)
            except httpx.HTTPError:
                await anyio.sleep(_TRY_S)
            self.cuts += 1

    async def until(self, what: str, count: int = 1, within_s: float = 60) -> None:
        """Waits for the `count`-th root lifecycle event of this name."""
        with anyio.fail_after(within_s):
            while self.lifecycle().count(what) < count:
                self._heard = anyio.Event()
                await self._heard.wait()

    async def until_ended(self, run_id: str, within_s: float = 60) -> Frame:
        """The data of the run's last lifecycle event."""
        with anyio.fail_after(within_s):
            while not (ends := self.ends(run_id)):
                self._heard = anyio.Event()
                await self._heard.wait()
        return ends[0]

    def ends(self, run_id: str) -> list[Frame]:
        """The data of the run's terminal events: one, if all is well."""
        mine = [f for f in self.frames if f["event_id"].startswith(f"synth:{run_id}:lc||")]
        return [f["params"]["data"] for f in mine if f["params"]["data"]["event"] in TERMINAL]

    def lifecycle(self) -> list[str]:
        roots = [f for f in self.data_frames("lifecycle") if not f["params"]["namespace"]]
        return [f["params"]["data"]["event"] for f in roots]

    def data_frames(self, method: str) -> list[Frame]:
        return [f for f in self.frames if f["method"] == method]

    def transcript(self) -> list[tuple[str, int, str, Any]]:
        """What must be the same for all who follow: event id, seq, method and params of each."""
        return [(f["event_id"], f["seq"], f["method"], f["params"]) for f in self.frames]

    async def _take(self, frames: AsyncIterator[Frame], cut_after: Callable[[int], bool]) -> None:
        async for frame in frames:
            if frame.get("type") != "event":
                continue
            self.frames.append(frame)
            self._heard.set()
            if cut_after(len(self.frames)):
                return

    def _place(self, scheme: str) -> str:
        url = self._urls[self.cuts % len(self._urls)]
        return f"{url.replace('http', scheme)}/threads/{self._thread}/stream/events"

    def _subscribe(self) -> Frame:
        params = {"channels": CHANNELS, "since": self.seq}
        return {"id": 1, "method": "subscription.subscribe", "params": params}


async def _frames(socket: ClientConnection) -> AsyncIterator[Frame]:
    async for text in socket:
        yield json.loads(text)


async def _data_lines(reply: httpx.Response) -> AsyncIterator[Frame]:
    async for line in reply.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


async def command(urls: Sequence[str], thread: str, method: str, params: Frame, key: str = "") -> Frame:
    """The command's result, asked of one server after the other until one answers.

    With a `key`, which makes it safe to ask again, since an answer may be lost.
    """
    headers = {"Idempotency-Key": key} if key else {}
    for attempt in range(200):
        url = urls[attempt % len(urls)]
        try:
            async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
                body = {"id": 1, "method": method, "params": params}
                reply = await client.post(f"{url}/threads/{thread}/commands", json=body, headers=headers)
        except httpx.HTTPError:
            await anyio.sleep(_TRY_S)
            continue
        answer: Frame = reply.json()
        assert answer["type"] == "success", answer
        return dict(answer["result"])
    raise AssertionError("no server answered")


async def start(urls: Sequence[str], thread: str, graph: str, text: str = "go", **more: Any) -> str:
    """The run's id; whatever happens to the servers meanwhile, it is started once."""
    given = {"messages": [{"role": "user", "content": text, "id": "question"}], "pause_s": 0.0, **more}
    params = {"assistant_id": graph, "input": given}
    return str((await command(urls, thread, "run.start", params, key=str(uuid4())))["run_id"])


def alike(frames: Sequence[Frame]) -> list[tuple[Any, ...]]:
    """A transcript without what every run makes anew: ids become the number of their first appearance."""
    known: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        return known.setdefault(match.group(), f"#{len(known)}")

    parts = [(f["event_id"], f["seq"], f["method"], f["params"]["data"]) for f in frames]
    return [tuple(json.loads(_ID.sub(number, json.dumps(part)))) for part in parts]
