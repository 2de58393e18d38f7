"""A server of `/v1/embeddings` on loopback for tests: rows made of the text, faults on demand."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import anyio
import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.loopback import listening, serving

SIZE = 8
Fault = Literal[
    "400", "401", "429", "500", "hang", "garbage", "none", "few", "size", "ragged", "nan", "zeros"
]
"""Statuses; no answer; no JSON; and answers without a row, with one too few, of rows that are too long, of
several lengths, with a NaN and of zeros."""


class EmbeddingsServer:
    """The running server, as a test sees it."""

    def __init__(self, key: str | None, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}/v1"
        self.calls: list[list[str]] = []
        """The texts of each request in their order, refused ones too."""
        self.connections: set[int] = set()
        """The clients' ports; one for each connection."""
        self.most_at_once = 0
        self.delay_s = 0.0
        self.speaks_base64 = True
        """OpenAI does; many others answer lists whatever they are asked for."""
        self._now = 0
        self._key = key
        self._faults: deque[Fault] = deque()

    def fail_next(self, kind: Fault, times: int = 1) -> None:
        """The next `times` requests fail; those after them are answered."""
        self._faults.extend([kind] * times)

    async def embeddings(self, request: Request) -> Response:
        """`POST /v1/embeddings`."""
        body = await request.json()
        self.calls.append(body["input"])
        if request.client:
            self.connections.add(request.client.port)
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await anyio.sleep(self.delay_s)
        self._now -= 1
        return await self._response(request, body)

    async def _response(self, request: Request, body: dict[str, Any]) -> Response:
        fault = self._faults.popleft() if self._faults else None
        if self._key is not None and request.headers.get("authorization") != f"Bearer {self._key}":
            fault = "401"
        # OpenAI refuses these too, the whole batch.
        if not all(isinstance(text, str) and text.strip() for text in body["input"]):
            fault = "400"
        if fault is not None and fault.isdigit():
            return _refusal(int(fault), f"{request.headers.get('authorization')} {body['input']}")
        if fault == "hang":
            while (await request.receive())["type"] != "http.disconnect":
                pass
        if fault == "garbage":
            return Response("{garbage", media_type="application/json")
        as_base64 = self.speaks_base64 and body.get("encoding_format") == "base64"
        rows = [_row(text) for text in body["input"]]
        answer = _answer(_broken(rows, fault), body["model"], as_base64)
        # Not JSONResponse, which knows no NaN.
        return Response(json.dumps(answer), media_type="application/json")


def vector_of(text: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """The text's own row as the server answers it, its norm not 1."""
    digest = hashlib.sha256(text.encode()).digest()
    return np.frombuffer(digest, np.uint32).astype(np.float32) / np.float32(2**31) - 1


def _row(text: str) -> list[float]:
    row: list[float] = vector_of(text).tolist()
    return row


def _broken(rows: list[list[float]], fault: Fault | None) -> list[list[float]]:
    first, *rest = rows
    match fault:
        case "none":
            return []
        case "few":
            return rest
        case "size":
            return [[*row, 0.5] for row in rows]
        case "ragged":
            return [first, [*first, 0.5]]
        case "nan":
            return [[float("nan"), *first[1:]], *rest]
        case "zeros":
            return [[0.0] * SIZE, *rest]
    return rows


def _answer(rows: Sequence[list[float]], model: str, as_base64: bool) -> dict[str, Any]:
    data = [
        {"object": "embedding", "index": i, "embedding": _base64(row) if as_base64 else row}
        for i, row in enumerate(rows)
    ]
    usage = {"prompt_tokens": len(rows), "total_tokens": len(rows)}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def _base64(row: list[float]) -> str:
    return base64.b64encode(np.array(row, "<f4").tobytes()).decode()


def _refusal(status: int, about: str) -> JSONResponse:
    # The client waits as long as this header says, so that its retries cost a test nothing.
    headers = {"retry-after": "0", "retry-after-ms": "1"}
    return JSONResponse({"error": {"message": about, "code": "refused"}}, status, headers)


@asynccontextmanager
async def embeddings_server(*, key: str | None = None) -> AsyncIterator[EmbeddingsServer]:
    """The server on a free port; with a `key`, others get a 401."""
    with listening() as (listener, port):
        server = EmbeddingsServer(key, port)
        async with serving(listener, [Route("/v1/embeddings", server.embeddings, methods=["POST"])]):
            yield server
