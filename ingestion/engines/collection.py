"""A collection of a Qdrant server: made for a profile, and refused for another."""

from __future__ import annotations

from functools import partial

from pydantic import TypeAdapter, ValidationError
from qdrant_client import AsyncQdrantClient, models

from ingestion.engines.calls import Calls
from ingestion.engines.server import ServerIndex
from ingestion.index import Fields
from ingestion.vectors import Profile, Space
from runtime.errors import KnowledgeUnavailable, ProfileMismatch

_PROFILE = TypeAdapter(Profile)
_KEY = "cornerman_profile"
"""In the collection's metadata."""


async def open_collection(
    client: AsyncQdrantClient, name: str, profile: Profile, fields: Fields, calls: Calls
) -> ServerIndex:
    """The collection or alias `name`, created where there is none.

    Raises KnowledgeUnavailable, and ProfileMismatch if it holds vectors of another profile.
    """
    if not await calls(partial(client.collection_exists, name)):
        await _create(client, name, profile, calls)
    held = await read_profile(client, name, calls)
    if held != profile:
        raise ProfileMismatch(
            f"the collection {name!r} holds vectors of {held.name!r}, and the embedder makes those of"
            f" {profile.name!r}; `cornerman index migrate` makes the one of the other"
        )
    # Whatever is there: who created it may have died before its fields were indexed.
    await _index(client, name, fields, calls)
    return ServerIndex(client, name, profile, calls)


async def read_profile(client: AsyncQdrantClient, name: str, calls: Calls) -> Profile:
    """Raises KnowledgeUnavailable for a collection that is not ours."""
    info = await calls(partial(client.get_collection, name))
    try:
        return _PROFILE.validate_python((info.config.metadata or {}).get(_KEY))
    except ValidationError as exc:
        raise KnowledgeUnavailable(
            f"the collection {name!r} does not say which vectors it holds; name another prefix"
        ) from exc


async def _create(client: AsyncQdrantClient, name: str, profile: Profile, calls: Calls) -> None:
    """Two processes may do so at once: the second finds what it would have made."""
    spaces = profile.spaces.items()
    create = partial(
        client.create_collection,
        name,
        vectors_config={key: _dense(space) for key, space in spaces if space.kind != "sparse"},
        sparse_vectors_config={key: _sparse(space) for key, space in spaces if space.kind == "sparse"},
        metadata={_KEY: _PROFILE.dump_python(profile, mode="json")},
    )
    try:
        await calls(create)
    except KnowledgeUnavailable:
        if not await calls(partial(client.collection_exists, name)):
            raise


async def _index(client: AsyncQdrantClient, name: str, fields: Fields, calls: Calls) -> None:
    keys: dict[str, models.KeywordIndexParams | models.PayloadSchemaType] = {
        "tenant": models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
        **dict.fromkeys(fields.keywords, models.PayloadSchemaType.KEYWORD),
        **dict.fromkeys(fields.integers, models.PayloadSchemaType.INTEGER),
        **dict.fromkeys(fields.days, models.PayloadSchemaType.DATETIME),
    }
    for key, schema in keys.items():
        await calls(partial(client.create_payload_index, name, key, schema, wait=True))


def _sparse(space: Space) -> models.SparseVectorParams:
    return models.SparseVectorParams(modifier=models.Modifier.IDF if space.idf else None)


def _dense(space: Space) -> models.VectorParams:
    if space.kind == "dense":
        return models.VectorParams(size=space.size, distance=models.Distance.DOT)
    # It ranks anew what others found, so a graph over it would only cost: of 0 edges it is none.
    return models.VectorParams(
        size=space.size,
        distance=models.Distance.DOT,
        multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
        hnsw_config=models.HnswConfigDiff(m=0),
    )
