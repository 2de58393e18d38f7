"""The OCR endpoint over HTTP: what it is asked, how many at once, and what becomes of each of its faults."""

from __future__ import annotations

import base64
import json
import socket
import struct
import threading
import zlib
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from typing import Any

import anyio
import anyio.lowlevel
import pymupdf
import pytest
import structlog
import uvicorn
from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ingestion.document import Box, Part
from ingestion.ocr.endpoint import endpoint_reader
from ingestion.ocr.fallback import with_fallback
from ingestion.ocr.rapid import recognise
from runtime.errors import OcrUnavailable
from runtime.models import open_model
from tests.openai_wire import finish

pytestmark = pytest.mark.anyio

ANSWER = """<|ref|>title<|/ref|><|det|>[[0, 0, 999, 111]]<|/det|>
# 价格表 2026

<|ref|>table<|/ref|><|det|>[[0, 222, 999, 999]]<|/det|>
<table><tr><td>Plan</td><td>Price</td></tr><tr><td>Team</td><td>40</td></tr></table><｜end▁of▁sentence｜>"""
LOOP = "Item 4 of the list. " * 400
NUMBERS = "\n".join(f"{i}. This is point number {i} of {7 * i}." for i in range(4_000))


def png(width: int, height: int) -> bytes:
    """A white image without compression tricks."""
    rows = zlib.compress(b"".join(b"\0" + b"\xff" * width for _ in range(height)))
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", rows),
        (b"IEND", b""),
    ]
    parts = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


_CHUNK = {"id": "x", "object": "chat.completion.chunk"}


def _pieces(text: str, is_endless: bool) -> Iterator[str]:
    for _ in count() if is_endless else range(1):
        yield from (text[at : at + 100] for at in range(0, len(text), 100))


class OcrServer:
    """Answers each request as `plan` says, with ANSWER once that is empty."""

    def __init__(self, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}/v1"
        self.bodies: list[dict[str, Any]] = []
        self.plan: deque[str] = deque()
        """A status, `garbage`, `cut`, `length`, `silent`, `endless`, or the text of an answer."""
        self.hold = threading.Event()
        """Clear, answers wait for it."""
        self.hold.set()
        self.active = self.most_active = 0

    async def chat(self, request: Request) -> Response:
        self.bodies.append(await request.json())
        act = self.plan.popleft() if self.plan else ANSWER
        if act.isdigit():
            return JSONResponse({"error": {"message": act}}, int(act), {"retry-after-ms": "1"})
        return StreamingResponse(self._events(act), media_type="text/event-stream")

    async def _events(self, act: str) -> AsyncIterator[str]:
        self.active += 1
        self.most_active = max(self.active, self.most_active)
        try:
            while not self.hold.is_set() or act == "silent":
                await anyio.sleep(0.01)
            text = ANSWER[:80] if act in ("garbage", "cut", "length") else act
            for piece in _pieces(LOOP if act == "endless" else text, is_endless=act == "endless"):
                choice = {"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": None}
                yield f"data: {json.dumps({**_CHUNK, 'choices': [choice]})}\n\n"
                await anyio.lowlevel.checkpoint()
            if act == "garbage":
                yield "data: {garbage\n\n"
            if act == "cut":
                return
            yield finish("length" if act == "length" else "stop")
            yield "data: [DONE]\n\n"
        finally:
            self.active -= 1


@asynccontextmanager
async def serving() -> AsyncIterator[OcrServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = OcrServer(listener.getsockname()[1])
        app = Starlette(routes=[Route("/v1/chat/completions", server.chat, methods=["POST"])])
        config = uvicorn.Config(app, lifespan="off", ws="none", log_config=None, timeout_graceful_shutdown=1)
        runner = uvicorn.Server(config)
        thread = threading.Thread(target=runner.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield server
        finally:
            server.hold.set()
            runner.should_exit = True
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(thread.join)


def connect(base_url: str, retries: int = 0) -> AbstractAsyncContextManager[BaseChatModel]:
    return open_model(
        "deepseek-ai/DeepSeek-OCR-2",
        {},
        base_url=base_url,
        api_key=SecretStr("sk-test"),
        timeout_s=5,
        max_retries=retries,
        temperature=0,
    )


async def idle(server: OcrServer) -> None:
    with anyio.fail_after(20):
        while server.active:
            await anyio.sleep(0.01)


@pytest.fixture
async def server() -> AsyncIterator[OcrServer]:
    async with serving() as running:
        yield running


@pytest.fixture
async def model(server: OcrServer) -> AsyncIterator[BaseChatModel]:
    async with connect(server.base_url) as opened:
        yield opened


async def test_a_page_is_asked_for_as_the_model_documents_it(server: OcrServer, model: BaseChatModel) -> None:
    """Image before prompt, no sampling, special tokens kept, loops forbidden: else it reads badly or not."""
    image = png(60, 90)
    await endpoint_reader(model, timeout_s=10)(image)
    (body,) = server.bodies
    content = body["messages"][0]["content"]
    assert [item["type"] for item in content] == ["image_url", "text"]
    kind, _, data = content[0]["image_url"]["url"].partition(",")
    assert kind == "data:image/png;base64" and base64.b64decode(data) == image
    assert content[1]["text"] == "<|grounding|>Convert the document to markdown."
    assert body["temperature"] == 0 and body["skip_special_tokens"] is False and "max_tokens" not in body
    assert body["vllm_xargs"]["whitelist_token_ids"] == [128821, 128822]
    assert body["model"] == "deepseek-ai/DeepSeek-OCR-2"


async def test_the_answer_becomes_parts_in_the_images_pixels(model: BaseChatModel) -> None:
    """What the chunker gets is typed, placed, and free of the model's tokens."""
    heading, table = await endpoint_reader(model, timeout_s=10)(png(999, 1998))
    assert heading == Part("heading", "价格表 2026", level=1, box=Box(0, 0, 999, 222))
    assert [cell.text for cell in table.cells] == ["Plan", "Price", "Team", "40"]


EMPTY = "\n<｜end▁of▁sentence｜>"
"""What a server without the model's chat template answers to every page."""


@pytest.mark.parametrize(
    "fault", ["500", "429", "401", "400", "garbage", "cut", "length", "", EMPTY, LOOP, NUMBERS]
)
async def test_each_fault_is_unavailable_ocr(server: OcrServer, model: BaseChatModel, fault: str) -> None:
    """Half an answer, an endless one or none is never taken for a page."""
    server.plan.append(fault)
    with pytest.raises(OcrUnavailable):
        await endpoint_reader(model, timeout_s=10)(png(9, 9))


async def test_an_endless_answer_is_stopped(server: OcrServer, model: BaseChatModel) -> None:
    """A loop costs the GPU no more than it takes to see it: the connection is closed then."""
    server.plan.append("endless")
    with pytest.raises(OcrUnavailable, match="repeats"), anyio.fail_after(20):
        await endpoint_reader(model, timeout_s=60)(png(9, 9))
    await idle(server)


async def test_silence_ends_with_the_timeout(server: OcrServer, model: BaseChatModel) -> None:
    """A page costs its time limit and no more, and its connection is let go."""
    server.plan.append("silent")
    with pytest.raises(OcrUnavailable, match=r"0\.2 s"), anyio.fail_after(20):
        await endpoint_reader(model, timeout_s=0.2)(png(9, 9))
    await idle(server)


async def test_a_passing_fault_is_retried(server: OcrServer) -> None:
    """A hiccup does not cost the better reader; the model's own retries are the only ones."""
    server.plan.extend(["500", "429"])
    async with connect(server.base_url, retries=2) as model:
        assert len(await endpoint_reader(model, timeout_s=10)(png(9, 9))) == 2
    assert len(server.bodies) == 3


async def test_only_so_many_pages_are_asked_for_at_once(server: OcrServer, model: BaseChatModel) -> None:
    """A folder of scans does not flood the endpoint; those that wait are read after."""
    read = endpoint_reader(model, timeout_s=20, concurrency=2)
    server.hold.clear()
    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(read, png(9, 9))
        with anyio.fail_after(20):
            while server.active < 2:
                await anyio.sleep(0.01)
        await anyio.sleep(0.1)
        server.hold.set()
    assert server.most_active == 2 and len(server.bodies) == 6


@pytest.mark.parametrize("fault", ["500", "429", "401"])
async def test_what_keeps_failing_is_left_alone(server: OcrServer, model: BaseChatModel, fault: str) -> None:
    """A dead endpoint, or one that lets nobody in, costs a few pages their time, not all of them."""
    read = endpoint_reader(model, timeout_s=10, failures=2, rest_s=600)
    server.plan.extend([fault, fault])
    for _ in range(5):
        with pytest.raises(OcrUnavailable):
            await read(png(9, 9))
    assert len(server.bodies) == 2


async def test_what_rested_is_used_again(server: OcrServer, model: BaseChatModel) -> None:
    """One good page after the rest, and the endpoint reads them all again."""
    read = endpoint_reader(model, timeout_s=10, failures=2, rest_s=0)
    server.plan.extend(["500", "500", ANSWER, "500"])
    for is_read in (False, False, True, False, True):
        if is_read:
            assert await read(png(9, 9))
        else:
            with pytest.raises(OcrUnavailable):
                await read(png(9, 9))


async def test_a_refused_page_does_not_open_the_breaker(server: OcrServer, model: BaseChatModel) -> None:
    """One odd image says nothing of the endpoint."""
    read = endpoint_reader(model, timeout_s=10, failures=1)
    server.plan.append("400")
    with pytest.raises(OcrUnavailable):
        await read(png(9, 9))
    assert await read(png(9, 9))


async def test_the_fallback_reads_what_the_endpoint_cannot(server: OcrServer, model: BaseChatModel) -> None:
    """The page is read all the same, the log says why it was read worse, and both failing is said at once."""

    async def other(png: bytes) -> list[Part]:
        if len(png) > 1_000:
            raise OcrUnavailable("RapidOCR: out of time")
        return [Part("paragraph", "read otherwise", confidence=0.9)]

    read = with_fallback(endpoint_reader(model, timeout_s=10), other)
    assert (await read(png(9, 9)))[0].kind == "heading"
    server.plan.extend(["500", "500"])
    with structlog.testing.capture_logs() as logs:
        assert (await read(png(9, 9)))[0].text == "read otherwise"
    assert [entry["event"] for entry in logs] == ["ocr.fell_back"] and "HTTP 500" in logs[0]["why"]
    with pytest.raises(OcrUnavailable, match=r"HTTP 500.*; then RapidOCR: out of time"):
        await read(b"".join([png(9, 9), b"\0" * 1_000]))


async def test_rapidocr_reads_while_the_endpoint_rests(server: OcrServer, model: BaseChatModel) -> None:
    """An outage costs the endpoint two requests and no page its text; after the rest it reads again."""
    time_s = 0.0
    endpoint = endpoint_reader(model, timeout_s=10, failures=2, rest_s=30, now=lambda: time_s)

    async def rapid(png: bytes) -> list[Part]:
        return await anyio.to_thread.run_sync(recognise, png)

    read = with_fallback(endpoint, rapid)
    page = printed("The price holds until June")
    server.plan.extend(["500", "429"])
    for _ in range(3):
        (part,) = await read(page)
        assert (part.text, part.kind) == ("The price holds until June", "paragraph") and part.confidence
    assert len(server.bodies) == 2
    time_s = 31
    assert [part.kind for part in await read(page)] == ["heading", "table"]
    assert len(server.bodies) == 3


def printed(text: str) -> bytes:
    """A picture of a line of text."""
    with pymupdf.open() as pdf:
        page = pdf.new_page(width=260, height=80)
        page.insert_text((30, 45), text, fontsize=12)
        return bytes(page.get_pixmap(dpi=150).tobytes("png"))


async def test_a_refused_connection_falls_back() -> None:
    """An endpoint that is not running is not the end of ingestion."""

    async def other(png: bytes) -> list[Part]:
        return [Part("paragraph", "read otherwise")]

    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    async with connect(f"http://127.0.0.1:{port}/v1") as model:
        assert await with_fallback(endpoint_reader(model, timeout_s=10), other)(png(9, 9))
