"""An answer that is written as it comes to be, as an HTTP response."""

from __future__ import annotations

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runtime.api.call import EventStream
from runtime.failure import known


class EventResponse(Response):
    """The headers go out at once, and the stream is cancelled when its client goes."""

    def __init__(self, stream: EventStream) -> None:
        headers = {"cache-control": "no-store", **stream.headers}
        super().__init__(headers=headers, media_type=stream.media_type)
        del self.headers["content-length"]
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def write(piece: str) -> None:
            await send({"type": "http.response.body", "body": piece.encode(), "more_body": True})

        async def until_gone(stream: anyio.CancelScope) -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            stream.cancel()

        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(until_gone, tasks.cancel_scope)
            try:
                await self._stream.run(write)
            except Exception as exc:  # The headers are out: a fault becomes the stream's last piece.
                await write(self._stream.last_words(known(exc)))
            tasks.cancel_scope.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})
