"""A stand-in for a Qdrant server: its REST interface before its client's in-memory mode, and its failures."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeVar

import anyio
from pydantic import BaseModel, TypeAdapter
from qdrant_client import AsyncQdrantClient, models
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.loopback import listening, serving
from tests.qdrant_snapshots import QdrantSnapshots

M = TypeVar("M", bound=BaseModel)

Answers = Literal["well", "never", "503", "429", "page", "null", "no result"]
_LONG_S = 20.0
_SELECTOR: TypeAdapter[Any] = TypeAdapter(models.PointsSelector)


class QdrantServer:
    """`answers` may be changed at any time."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.answers: Answers = "well"
        self.asked = 0
        """Requests so far."""
        self.fails = ""
        """A pattern of the methods and paths that are answered with 500."""
        self.hangs = ""
        """A pattern of those that are not answered while it is so."""
        self.keys: set[str | None] = set()
        """API keys that were shown."""
        self.url = ""
        self._client = AsyncQdrantClient(":memory:")
        self.snapshots = QdrantSnapshots(self._client)

    def routes(self) -> list[Route]:
        name = "/collections/{name}"
        table = [
            ("GET", "/", self._root),
            ("GET", "/aliases", self._get_aliases),
            ("POST", "/collections/aliases", self._change_aliases),
            ("GET", "/collections", self._get_collections),
            ("GET", f"{name}/exists", self._exists),
            ("PUT", name, self._create),
            ("GET", name, self._info),
            ("DELETE", name, self._delete_collection),
            ("PUT", f"{name}/index", self._index),
            ("PUT", f"{name}/points", self._upsert),
            ("POST", f"{name}/points", self._retrieve),
            ("POST", f"{name}/points/query", self._query),
            ("POST", f"{name}/points/scroll", self._scroll),
            ("POST", f"{name}/points/count", self._count),
            ("POST", f"{name}/points/delete", self._delete),
            ("POST", f"{name}/points/payload", self._set_payload),
            ("POST", f"{name}/facet", self._facet),
            *self.snapshots.table(name),
        ]
        return [Route(path, self._answering(handle), methods=[method]) for method, path, handle in table]

    def _answering(self, handle: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            self.asked += 1
            self.keys.add(request.headers.get("api-key"))
            asked = f"{request.method} {request.url.path}"
            if self.hangs and re.search(self.hangs, asked):
                await _while(lambda: bool(self.hangs))
            if self.fails and re.search(self.fails, asked):
                return PlainTextResponse(f"failed for {request.headers.get('api-key')}", 500)
            if self.answers == "never":
                await _while(lambda: self.answers == "never")
            if self.answers == "503":
                return PlainTextResponse("no", 503)
            if self.answers == "429":
                return JSONResponse({"status": {"error": "too many"}}, 429, {"Retry-After": "1"})
            if self.answers == "page":
                return PlainTextResponse("<html>a gateway's page</html>")
            if self.answers == "null":
                return PlainTextResponse("null", media_type="application/json")
            if self.answers == "no result":
                return JSONResponse({"status": "ok", "time": 0, "result": None})
            try:
                result = await handle(request)
            except ValueError as exc:
                return JSONResponse({"status": {"error": str(exc)}, "time": 0}, 400)
            if isinstance(result, Response):
                return result
            whole = result if request.url.path == "/" else {"result": result, "status": "ok", "time": 0}
            return JSONResponse(whole)

        return answer

    async def _root(self, request: Request) -> Any:
        return {"title": "qdrant", "version": self.version}

    async def _get_aliases(self, request: Request) -> Any:
        return _json(await self._client.get_aliases())

    async def _change_aliases(self, request: Request) -> Any:
        return await self._client.update_collection_aliases(
            (await _body(request, models.ChangeAliasesOperation)).actions
        )

    async def _get_collections(self, request: Request) -> Any:
        return _json(await self._client.get_collections())

    async def _exists(self, request: Request) -> Any:
        return {"exists": await self._client.collection_exists(_name(request))}

    async def _create(self, request: Request) -> Any:
        body = await _body(request, models.CreateCollection)
        return await self._client.create_collection(
            _name(request), body.vectors or {}, body.sparse_vectors, metadata=body.metadata
        )

    async def _info(self, request: Request) -> Any:
        return _json(await self._client.get_collection(_name(request)))

    async def _delete_collection(self, request: Request) -> Any:
        return await self._client.delete_collection(_name(request))

    async def _index(self, request: Request) -> Any:
        return {"operation_id": 0, "status": "completed"}

    async def _upsert(self, request: Request) -> Any:
        body = await _body(request, models.PointsList)
        return _json(await self._client.upsert(_name(request), body.points, update_filter=body.update_filter))

    async def _retrieve(self, request: Request) -> Any:
        body = await _body(request, models.PointRequest)
        with_payload = True if body.with_payload is None else body.with_payload
        return [_json(one) for one in await self._client.retrieve(_name(request), body.ids, with_payload)]

    async def _query(self, request: Request) -> Any:
        body = await _body(request, models.QueryRequest)
        return _json(
            await self._client.query_points(
                _name(request),
                body.query,
                body.using,
                body.prefetch,
                body.filter,
                body.params,
                limit=body.limit or 10,
                with_payload=True,
            )
        )

    async def _scroll(self, request: Request) -> Any:
        body = await _body(request, models.ScrollRequest)
        shown = body.with_payload or False
        found, limit = self._client.scroll, body.limit or 10
        points, offset = await found(
            _name(request), body.filter, limit, offset=body.offset, with_payload=shown
        )
        return {"points": [_json(point) for point in points], "next_page_offset": offset}

    async def _count(self, request: Request) -> Any:
        body = await _body(request, models.CountRequest)
        return _json(await self._client.count(_name(request), body.filter))

    async def _delete(self, request: Request) -> Any:
        selector = _SELECTOR.validate_json(await request.body())
        return _json(await self._client.delete(_name(request), selector))

    async def _set_payload(self, request: Request) -> Any:
        body = await _body(request, models.SetPayload)
        assert body.filter is not None
        return _json(await self._client.set_payload(_name(request), body.payload, body.filter))

    async def _facet(self, request: Request) -> Any:
        body = await _body(request, models.FacetRequest)
        return _json(await self._client.facet(_name(request), body.key, limit=body.limit or 10))


@asynccontextmanager
async def qdrant_server(version: str = "1.20.0") -> AsyncIterator[QdrantServer]:
    server = QdrantServer(version)
    with listening() as (listener, port):
        server.url = f"http://127.0.0.1:{port}"
        async with serving(listener, server.routes()):
            yield server


async def _while(condition: Callable[[], bool]) -> None:
    with anyio.move_on_after(_LONG_S):
        while condition():
            await anyio.sleep(0.01)


def _name(request: Request) -> str:
    return str(request.path_params["name"])


async def _body(request: Request, model: type[M]) -> M:
    return model.model_validate_json(await request.body())


def _json(answer: BaseModel) -> Any:
    return answer.model_dump(mode="json")
