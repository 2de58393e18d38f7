"""What a process opens to reach the knowledge: embedders, the index, the items beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from ingestion.embed import Embedder
from ingestion.embedders.bge_m3 import BgeM3
from ingestion.embedders.bm25 import Bm25Embedder
from ingestion.embedders.cache import Cached
from ingestion.embedders.configured import Embedders
from ingestion.embedders.cross_encoder import CrossEncoder
from ingestion.embedders.dense import DenseEmbedder, Model
from ingestion.embedders.together import Together
from ingestion.engines.calls import Calls
from ingestion.engines.collection import open_collection
from ingestion.engines.edge import open_edge
from ingestion.engines.edge_backup import EdgeBackups
from ingestion.engines.edge_collections import open_collections
from ingestion.engines.server import open_client
from ingestion.engines.server_backup import ServerBackups
from ingestion.engines.server_collections import ServerCollections
from ingestion.index import Index
from ingestion.knowledge import Knowledge
from ingestion.memory import ITEMS, Memory
from ingestion.owner import owned
from ingestion.rerank import Reranker
from runtime.errors import SettingsInvalid

_ITEMS = "items"

log = structlog.get_logger()


@dataclass(frozen=True)
class EmbedderSetup:
    """Which embedders there are beside BM25, and which one makes the vectors of a new index."""

    default: str = "bm25"
    """`bm25`, `endpoint` or `bge-m3`."""
    timeout_s: float = 60.0
    """For one batch of documents."""
    query_timeout_s: float = 5.0
    """For a query, and for ranking anew what it found."""
    cache: Path | None = None
    """File that keeps documents' vectors."""
    cache_bytes: int = 2_000_000_000
    endpoint: Model | None = None
    endpoint_model: str = ""
    endpoint_size: int = 1024
    """Floats of a row."""
    endpoint_languages: tuple[str, ...] = ()
    """Those that its model speaks; () for all."""
    bge: Path | None = None
    """Folder of BGE-M3."""
    bge_device: str = ""
    bge_max_tokens: int = 512
    bge_colbert: bool = True
    reranker: Path | None = None
    """Folder of a cross-encoder."""


@dataclass(frozen=True)
class Server:
    """A Qdrant server."""

    url: str
    api_key: str | None = field(repr=False)
    prefix: str
    """Of the names of our collections there."""
    timeout_s: float
    """For one call with all its tries."""


def make_embedders(setup: EmbedderSetup) -> Embedders:
    """Raises SettingsInvalid."""
    made: dict[str, Embedder] = {"bm25": Bm25Embedder()}
    if setup.endpoint is not None:
        # Words beside meaning: names, figures and part numbers say little to a model.
        dense = DenseEmbedder(
            setup.endpoint,
            setup.endpoint_model,
            setup.endpoint_size,
            timeout_s=setup.timeout_s,
            query_timeout_s=setup.query_timeout_s,
            languages=setup.endpoint_languages,
        )
        made["endpoint"] = Together(Bm25Embedder(), _cached(dense, setup))
    if setup.bge is not None:
        bge = BgeM3(
            setup.bge,
            timeout_s=setup.timeout_s,
            query_timeout_s=setup.query_timeout_s,
            colbert=setup.bge_colbert,
            device=setup.bge_device,
            max_tokens=setup.bge_max_tokens,
            name=f"bge-m3-{setup.bge.name}-{setup.bge_max_tokens}",
        )
        made["bge-m3"] = _cached(bge, setup)
    if setup.default not in made:
        raise SettingsInvalid(
            f"CORNERMAN_EMBEDDER is {setup.default!r}, and configured are {', '.join(made)};"
            " `endpoint` takes CORNERMAN_EMBEDDING_BASE_URL, `bge-m3` CORNERMAN_BGE_DIR"
        )
    return Embedders(made, setup.default)


def make_reranker(setup: EmbedderSetup) -> Reranker | None:
    """None where none is configured. Raises SettingsInvalid."""
    if setup.reranker is None:
        return None
    return CrossEncoder(setup.reranker, timeout_s=setup.query_timeout_s, device=setup.bge_device)


@asynccontextmanager
async def open_knowledge(
    data_dir: Path, embedders: Embedders, timeout_s: float, reranker: Reranker | None = None
) -> AsyncIterator[Knowledge]:
    """The index in `data_dir/index`, created where there is none, owned until the block ends.

    Raises KnowledgeUnavailable naming the pid that owns it, SettingsInvalid for a folder that cannot be
    written.
    """
    folder, (first, profile) = data_dir / "index", embedders.first
    with owned(folder):
        if left := older_form(data_dir):
            log.warning("index.older_form", folder=str(left), remedy="ingest again, then delete the folder")
        async with open_collections(folder / "collections", first, profile, timeout_s) as collections:
            knowledge = Knowledge(collections, embedders, EdgeBackups(collections), reranker)
            await knowledge.sweep()
            yield knowledge


@asynccontextmanager
async def open_shared_knowledge(
    server: Server, embedders: Embedders, reranker: Reranker | None = None
) -> AsyncIterator[tuple[Knowledge, Memory]]:
    """The index on a Qdrant server, and the store's items there. The server is asked when they are used."""
    async with open_client(server.url, server.api_key, server.timeout_s) as client:
        calls, (first, profile) = Calls(server.timeout_s), embedders.first
        collections = ServerCollections(client, calls, server.prefix, first, profile)
        backups = ServerBackups(collections, server.url, server.api_key)
        knowledge = Knowledge(collections, embedders, backups, reranker)
        words, opened = Bm25Embedder(), dict[str, Index]()

        async def items() -> Index:
            # A name that is not of the prefix: it is no collection of documents.
            name = f"{_ITEMS}-{server.prefix}"
            if name not in opened:
                opened[name] = await open_collection(client, name, words.profile, ITEMS, calls)
            return opened[name]

        yield knowledge, Memory(items, words)


@asynccontextmanager
async def open_memory(data_dir: Path, timeout_s: float) -> AsyncIterator[Memory]:
    """The store's items in `data_dir/index`, for the process that owns it. Raises KnowledgeUnavailable."""
    embedder = Bm25Embedder()
    folder = data_dir / "index" / _ITEMS
    async with open_edge(folder, embedder.profile, ITEMS, timeout_s) as index:

        async def items() -> Index:
            return index

        yield Memory(items, embedder)


def older_form(data_dir: Path) -> Path | None:
    """An index of before there were collections, which is left where it is; None where there is none."""
    return next((data_dir / "index").glob("shard-*"), None)


def _cached(embedder: Embedder, setup: EmbedderSetup) -> Embedder:
    return Cached(embedder, setup.cache, setup.cache_bytes) if setup.cache else embedder
