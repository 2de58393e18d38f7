"""Backups of a Qdrant server: of the stand-in, and of a real one where there is one."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import anyio
import numpy as np
import pytest

from ingestion.backup import MANIFEST
from ingestion.collection import Collection, original_name
from ingestion.engines.calls import Calls
from ingestion.engines.server import open_client
from ingestion.engines.server_backup import ServerBackups
from ingestion.engines.server_collections import ServerCollections
from ingestion.index import Asked, Put
from ingestion.vectors import Profile, Space, Sparse, Vectors
from ingestion.within import Within
from runtime.errors import AppError, InvalidInput, KnowledgeUnavailable
from tests.qdrant_server import QdrantServer, qdrant_server

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
]

URL = os.environ.get("CORNERMAN_QDRANT_URL")
KEY = "key-that-nobody-may-see"
PROFILE = Profile("test", {"words": Space("sparse", idf=True), "dense": Space("dense", 4)})
WORDS = Sparse([1], [1.0])
SNAPSHOT = "collection.snapshot"
FAR_LONGER_S = 60


@dataclass(frozen=True)
class Opened:
    collections: ServerCollections
    backups: ServerBackups


@asynccontextmanager
async def opened(
    url: str, prefix: str, key: str | None = KEY, timeout_s: float = 30
) -> AsyncIterator[Opened]:
    async with open_client(url, None, 10) as client:
        collections = ServerCollections(client, Calls(10), prefix, "first", PROFILE)
        yield Opened(collections, ServerBackups(collections, url, key, timeout_s))


@pytest.fixture
async def server() -> AsyncIterator[QdrantServer]:
    async with qdrant_server() as one:
        yield one


@pytest.fixture
async def on(server: QdrantServer) -> AsyncIterator[Opened]:
    async with opened(server.url, "p-") as one:
        await fill(one)
        yield one


@pytest.fixture(params=["stand-in", *(["server"] if URL else [])])
async def anywhere(request: pytest.FixtureRequest, on: Opened) -> AsyncIterator[Opened]:
    if request.param == "stand-in":
        yield on
        return
    assert URL is not None
    prefix = f"test-{uuid4()}-"
    async with opened(URL, prefix, None, 60) as one:
        await fill(one)
        yield one
    async with open_client(URL, None, 10) as client:
        for held in (await client.get_collections()).collections:
            if held.name.startswith(prefix):
                await client.delete_collection(held.name)


def point(name: str, version: str) -> Put:
    vectors: Vectors = {"words": WORDS, "dense": np.ones(4, np.float32)}
    payload = {"document_id": version, "version": version, "document": f"{version}.md", "ordinal": 0}
    return Put(name, vectors, {**payload, "chunks": 1})


async def fill(on: Opened) -> None:
    """Two tenants' versions that are shown, and one that is staged."""
    versions = (await on.collections.current(fresh=True)).versions
    for tenant, version in (("acme", "a"), ("acme", "b"), ("other", "c")):
        await versions.stage(tenant, version, [point(version, version)], "w")
        await versions.publish(tenant, version, version, 1, False, "")
    await versions.stage("acme", "half", [point("half", "half")], "w")


async def shown(on: Opened, tenant: str = "acme") -> list[str]:
    """Versions that a reader sees, by the collection's own rules."""
    here = await on.collections.current(fresh=True)
    rows = await here.shown.read(tenant, ["document_id", "version"], {})
    return sorted(row["version"] for row in rows)


async def refused(on: Opened, folder: Path, *, recover: bool = False) -> AppError:
    """Why it fails; there is then no folder beside those that were there, and the current one stays."""
    before, here = sorted(folder.parent.iterdir()), await current(on)
    with pytest.raises(AppError) as caught:
        await (on.backups.recover if recover else on.backups.backup)(str(folder))
    assert sorted(folder.parent.iterdir()) == before and (await current(on)).name == here.name
    return caught.value


async def current(on: Opened) -> Collection:
    return await on.collections.current(fresh=True)


async def test_what_was_is_there_again(tmp_path: Path, anywhere: Opened) -> None:
    """What was shown is, what was staged is not and can be published, and the one before is kept."""
    made = await anywhere.backups.backup(str(tmp_path / "b"))
    assert made.points == {"acme": 3, "other": 1} and made.collection == "first"
    assert made.sha256 == sha256((tmp_path / "b" / SNAPSHOT).read_bytes()).hexdigest()
    assert await anywhere.collections.names() == ["first"]
    before = await current(anywhere)
    await before.versions.stage("acme", "later", [point("later", "later")], "w")
    await before.versions.publish("acme", "later", "later", 1, False, "")
    assert await anywhere.backups.recover(str(tmp_path / "b")) == made
    here = await current(anywhere)
    assert here.name != "first" and original_name(here.name) == "first" and here.index.profile == PROFILE
    assert await shown(anywhere) == ["a", "b"] and await shown(anywhere, "other") == ["c"]
    assert len(await here.index.search(Within("acme"), Asked({"words": WORDS}, 9))) == 3
    await here.versions.publish("acme", "half", "half", 1, False, "")
    assert await shown(anywhere) == ["a", "b", "half"]
    await anywhere.collections.switch("first")
    assert await shown(anywhere) == ["a", "b", "later"]
    assert await anywhere.collections.names() == ["first", here.name]


async def test_a_backup_lasts(tmp_path: Path, on: Opened) -> None:
    """It is not used up by being restored, a restored collection has backups, and other servers take them."""
    for name in ("b", "c"):
        await on.backups.backup(str(tmp_path / name))
        await on.backups.recover(str(tmp_path / name))
    assert len(await on.collections.names()) == 3
    async with qdrant_server() as there, opened(there.url, "elsewhere-") as other:
        for name in ("b", "c"):
            await other.backups.recover(str(tmp_path / name))
            assert await shown(other) == ["a", "b"]


async def test_the_server_keeps_no_snapshot(tmp_path: Path, server: QdrantServer, on: Opened) -> None:
    """Neither what it made nor what was uploaded stays on its disk, and each request shows the key."""
    await on.backups.backup(str(tmp_path / "b"))
    await on.backups.recover(str(tmp_path / "b"))
    assert not server.snapshots.held and KEY in server.keys


async def test_folders_that_are_refused(tmp_path: Path, server: QdrantServer, on: Opened) -> None:
    """The message names them; the server is not asked for a snapshot."""
    await on.backups.backup(str(tmp_path / "b"))
    server.fails = "snapshots"
    for folder, why in ((tmp_path / "b", "is there already"), (Path("/proc/b"), "cannot be written")):
        with pytest.raises(InvalidInput, match=why):
            await on.backups.backup(str(folder))
    (tmp_path / "b" / SNAPSHOT).unlink()
    for folder in (tmp_path / "none", tmp_path, tmp_path / "b"):
        with pytest.raises(InvalidInput, match="no whole backup"):
            await on.backups.recover(str(folder))


async def test_a_damaged_file(tmp_path: Path, server: QdrantServer, on: Opened) -> None:
    """One changed byte is found before anything is uploaded."""
    await on.backups.backup(str(tmp_path / "b"))
    file = tmp_path / "b" / SNAPSHOT
    file.write_bytes(file.read_bytes()[:-1])
    server.fails = "upload"
    assert "is damaged" in str(await refused(on, tmp_path / "b", recover=True))
    assert await on.collections.names() == ["first"]


@pytest.mark.parametrize("changed", ["points", "profile", "file"])
async def test_a_manifest_of_another_backup(tmp_path: Path, on: Opened, changed: str) -> None:
    """What was recovered is compared with it, and dropped again."""
    await on.backups.backup(str(tmp_path / "b"))
    manifest = json.loads((tmp_path / "b" / MANIFEST).read_text())
    if changed == "points":
        manifest["points"]["acme"] += 1
    elif changed == "profile":
        manifest["profile"]["name"] = "another"
    else:
        (tmp_path / "b" / SNAPSHOT).write_bytes(b"no snapshot")
        manifest["sha256"] = sha256(b"no snapshot").hexdigest()
    (tmp_path / "b" / MANIFEST).write_text(json.dumps(manifest))
    assert isinstance(await refused(on, tmp_path / "b", recover=True), KnowledgeUnavailable)
    assert await on.collections.names() == ["first"]


@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("spoiled", [b"", b"short", b"x"])
async def test_a_snapshot_that_arrives_otherwise(
    tmp_path: Path, server: QdrantServer, on: Opened, checksum: bool, spoiled: bytes
) -> None:
    """Cut off, too long or changed: no backup is made of it, whether the server gives checksums or not."""
    server.snapshots.with_checksum = checksum
    server.snapshots.spoil = lambda file: spoiled if len(spoiled) != 1 else file + spoiled
    assert "another file" in str(await refused(on, tmp_path / "b"))
    server.snapshots.with_checksum = True
    server.snapshots.spoil = lambda file: b"x" * len(file)
    assert "another file" in str(await refused(on, tmp_path / "b"))
    assert not server.snapshots.held


@pytest.mark.parametrize(
    "fails", ["/cluster$", "POST .*/snapshots$", "GET .*snapshots/p", "/upload$", "/facet$"]
)
async def test_a_server_that_fails_in_the_middle(
    tmp_path: Path, server: QdrantServer, on: Opened, fails: str
) -> None:
    """Wherever it does: nothing is left on either side, and no error says the key, as the server does."""
    server.fails = fails
    error = await refused(on, tmp_path / "b")
    assert isinstance(error, KnowledgeUnavailable) and "status 500" in str(error)
    assert KEY not in "".join(traceback.format_exception(error))
    server.fails = ""
    assert not server.snapshots.held and await on.collections.names() == ["first"]
    await on.backups.backup(str(tmp_path / "b"))


@pytest.mark.parametrize("fails", ["/upload$", "/facet$", "POST /collections/aliases"])
async def test_a_server_that_fails_while_it_recovers(
    tmp_path: Path, server: QdrantServer, on: Opened, fails: str
) -> None:
    """What it has made until then is dropped."""
    await on.backups.backup(str(tmp_path / "b"))
    server.fails = fails
    assert isinstance(await refused(on, tmp_path / "b", recover=True), KnowledgeUnavailable)
    assert await on.collections.names() == ["first"]


async def test_what_cannot_be_taken_away(
    tmp_path: Path, server: QdrantServer, on: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    """A backup that is whole is one; what is left on the server is named in the log."""
    server.fails = "DELETE"
    await on.backups.backup(str(tmp_path / "b"))
    (trial,) = [name for name in await on.collections.names() if name != "first"]
    said = capsys.readouterr().out
    assert trial.endswith("-trial") and f"name={trial}" in said and KEY not in said


async def test_a_server_that_does_not_wait(tmp_path: Path, server: QdrantServer, on: Opened) -> None:
    """What was only begun is not counted: an empty backup would look whole."""
    server.snapshots.waits = False
    assert "status 202" in str(await refused(on, tmp_path / "b"))


async def test_one_node_of_several(tmp_path: Path, server: QdrantServer, on: Opened) -> None:
    """A snapshot that would lack other nodes' shards is not taken for the collection."""
    server.snapshots.shards = 3
    assert "1 of the collection's 3 shards" in str(await refused(on, tmp_path / "b"))


async def test_a_key_that_cannot_be_sent(tmp_path: Path, server: QdrantServer, on: Opened) -> None:
    """The library's own error quotes it; ours does not, nor its cause."""
    async with opened(server.url, "p-", key=f"{KEY}\n") as wrong:
        error = await refused(wrong, tmp_path / "b")
    assert "API key" in str(error) and KEY not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("hangs", ["POST .*/snapshots$", "GET .*snapshots/p", "/upload$"])
async def test_a_server_that_never_answers(
    tmp_path: Path, server: QdrantServer, on: Opened, hangs: str
) -> None:
    """It is waited for as long as was said, and no longer."""
    server.hangs = hangs
    async with opened(server.url, "p-", timeout_s=0.5) as hasty:
        with anyio.fail_after(FAR_LONGER_S):
            assert "Timeout" in str(await refused(hasty, tmp_path / "b"))
    server.hangs = ""


async def test_being_cancelled(tmp_path: Path, server: QdrantServer, on: Opened) -> None:
    """Nothing is left then either."""
    server.hangs = "/facet$"
    with anyio.move_on_after(30) as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(on.backups.backup, str(tmp_path / "b"))
            while len(await on.collections.names()) == 1:
                await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()
    assert not scope.cancelled_caught and list(tmp_path.iterdir()) == []
    server.hangs = ""
    assert await on.collections.names() == ["first"] and not server.snapshots.held
