"""Snapshots of the stand-in for a Qdrant server: collections of its client's in-memory mode as JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email import message_from_bytes
from email.policy import HTTP
from hashlib import sha256
from itertools import count
from typing import Any

from pydantic import BaseModel
from qdrant_client import AsyncQdrantClient, models
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Row = tuple[str, str, Callable[[Request], Awaitable[Any]]]


class _File(BaseModel):
    created: models.CreateCollection
    points: list[models.PointStruct]


class QdrantSnapshots:
    def __init__(self, client: AsyncQdrantClient) -> None:
        self._client = client
        self._numbers = count()
        self.held: dict[tuple[str, str], bytes] = {}
        """By the names of the collection and of the snapshot; what was uploaded among them."""
        self.spoil: Callable[[bytes], bytes] = lambda file: file
        """What is sent in place of a snapshot."""
        self.with_checksum = True
        self.shards = 1
        """One of them is on this node."""
        self.waits = True
        """Else it answers that it has begun, whatever it is asked."""

    def table(self, name: str) -> list[Row]:
        one = f"{name}/snapshots/{{snapshot}}"
        return [
            ("GET", f"{name}/cluster", self._cluster),
            ("POST", f"{name}/snapshots", self._make),
            ("GET", f"{name}/snapshots", self._list),
            ("POST", f"{name}/snapshots/upload", self._upload),
            ("GET", one, self._fetch),
            ("DELETE", one, self._delete),
        ]

    async def _cluster(self, request: Request) -> Any:
        shard = {"shard_id": 0, "points_count": 0, "state": "Active"}
        return {"peer_id": 1, "shard_count": self.shards, "local_shards": [shard], "remote_shards": []}

    async def _make(self, request: Request) -> Any:
        collection = request.path_params["name"]
        config = (await self._client.get_collection(collection)).config
        created = models.CreateCollection(
            vectors=config.params.vectors,
            sparse_vectors=config.params.sparse_vectors,
            metadata=config.metadata,
        )
        records, _ = await self._client.scroll(collection, limit=10_000, with_vectors=True)
        points: list[Any] = [record.model_dump(include={"id", "payload", "vector"}) for record in records]
        for point in points:
            point["vector"] = point["vector"] or {}
        file = _File(created=created, points=points).model_dump_json().encode()
        name = f"{collection}-{next(self._numbers)}.snapshot"
        self.held[collection, name] = file
        return self._said(name, file)

    async def _list(self, request: Request) -> Any:
        there = request.path_params["name"]
        return [self._said(name, file) for (of, name), file in self.held.items() if of == there]

    async def _fetch(self, request: Request) -> Any:
        return Response(self.spoil(self.held[_key(request)]))

    async def _delete(self, request: Request) -> Any:
        del self.held[_key(request)]
        return True

    async def _upload(self, request: Request) -> Any:
        kind = request.headers["content-type"].encode()
        whole = b"Content-Type: " + kind + b"\r\n\r\n" + await request.body()
        (part,) = message_from_bytes(whole, policy=HTTP).iter_parts()
        assert part.get_param("name", header="content-disposition") == "snapshot"
        file = part.get_payload(decode=True)
        assert isinstance(file, bytes)
        if request.query_params["checksum"] != sha256(file).hexdigest():
            raise ValueError("another checksum")
        if not self.waits:
            return JSONResponse({"status": "accepted", "time": 0}, 202)
        parsed, name = _File.model_validate_json(file), request.path_params["name"]
        made = parsed.created
        await self._client.create_collection(
            name, made.vectors or {}, made.sparse_vectors, metadata=made.metadata
        )
        self.held[name, str(part.get_filename())] = file
        if parsed.points:
            await self._client.upsert(name, parsed.points)
        return True

    def _said(self, name: str, file: bytes) -> dict[str, Any]:
        checksum = sha256(file).hexdigest() if self.with_checksum else None
        return {"name": name, "size": len(file), "checksum": checksum, "creation_time": None}


def _key(request: Request) -> tuple[str, str]:
    return request.path_params["name"], request.path_params["snapshot"]
