"""Documents as runs: through the queue, by workers and parser processes, into the index."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import pytest

from compose import Installation, open_installation
from graphs import INGEST
from ingestion.knowledge import Knowledge
from ingestion.report import STAGES
from runtime.context import User
from runtime.run_request import RunParams
from runtime.settings import load
from runtime.waiting import settled
from tests.ingesting import COMMAND, ENGINEER, found, id_of, ingested, open_working, started
from tests.samples import SAMPLES
from tests.unit.tiny_pdf import Line, tiny_pdf

pytestmark = pytest.mark.anyio


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Installation]:
    """An installation of its own."""
    async with open_working(tmp_path / "data") as opened:
        yield opened


async def test_a_folder_again_and_again(place: Installation, tmp_path: Path) -> None:
    """Read once; the same again is unchanged; what changed is replaced, and what has gone is taken out."""
    folder = tmp_path / "kb"
    folder.mkdir()
    for name, text in {"a.md": "Seats cost 39.", "b.md": "Terms: thirty days.", "c.txt": "Boats."}.items():
        (folder / name).write_text(text)
    first = await ingested(place, folder)
    assert {o.status for o in first.values()} == {"ingested"} and set(first) == {"a.md", "b.md", "c.txt"}
    assert {o.status for o in (await ingested(place, folder)).values()} == {"unchanged"}
    (folder / "a.md").write_text("Seats cost 41.")
    (folder / "b.md").unlink()
    second = {name: outcome.status for name, outcome in (await ingested(place, folder)).items()}
    assert second == {"a.md": "ingested", "b.md": "removed", "c.txt": "unchanged"}
    assert await found(place, "seats") == ["Seats cost 41."] and await found(place, "thirty") == []
    assert (await ingested(place, folder / "c.txt"))["c.txt"].status == "unchanged"
    (folder / "c.txt").unlink()
    assert "c.txt" not in await ingested(place, folder, keep_missing=True)
    assert await found(place, "boats") == ["Boats."]
    assert (await ingested(place, folder))["c.txt"].status == "removed"


async def test_the_samples(place: Installation) -> None:
    """One of each format, with its route and reasons; nothing is left between the steps or in the budgets."""
    names = ("product-sheet.pdf", "price-list.xlsx", "sales-playbook.docx", "objection-guide.zh.md")
    outcomes = await ingested(place, *(SAMPLES / name for name in names))
    assert {o.status for o in outcomes.values()} == {"ingested"}, outcomes
    assert all(o.reading["level"] and o.reading["parser"] and o.reading["reasons"] for o in outcomes.values())
    assert all(o.chunks and o.tokens and o.bytes for o in outcomes.values())
    assert outcomes["product-sheet.pdf"].pages == 5
    assert list((place.settings.data_dir / "ingest").glob("*")) == []
    for budget in (place.pipeline.means.budget, place.pipeline.means.reader.budget):
        assert (budget.active_buffers, budget.held_bytes, budget.leak_count) == (0, 0, 0)


async def test_one_bad_file_never_stops_the_others(place: Installation, tmp_path: Path) -> None:
    """Each is refused with its code, named in its reason; what can be read is in the index."""
    (tmp_path / "kb").mkdir()
    bad = {
        "empty.md": (b"", "DOCUMENT_EMPTY"),
        "locked.pdf": (tiny_pdf([[Line("secret")]], encrypted=True), "DOCUMENT_ENCRYPTED"),
        "noise.pdf": (b"%PDF-1.7\n" + bytes(range(256)) * 40, "DOCUMENT_CORRUPT"),
        "song.mp3": (b"ID3\x03" + bytes(500), "FORMAT_UNSUPPORTED"),
        "cut.docx": (b"PK\x03\x04" + bytes(200), "DOCUMENT_CORRUPT"),
    }
    for name, (data, _) in bad.items():
        (tmp_path / "kb" / name).write_bytes(data)
    (tmp_path / "kb" / "good.md").write_text("Seats cost 39.")
    outcomes = await ingested(place, tmp_path / "kb")
    assert outcomes.pop("good.md").status == "ingested"
    assert {name: o.code for name, o in outcomes.items()} == {name: code for name, (_, code) in bad.items()}
    assert all(o.status == "refused" and name in o.reason for name, o in outcomes.items())


async def test_a_refused_version_leaves_the_one_before(place: Installation, tmp_path: Path) -> None:
    """A broken upload must not empty the index."""
    path = tmp_path / "p.md"
    path.write_text("Seats cost 39.")
    await ingested(place, path)
    path.write_bytes(b"\x00\x01\x02" * 99)
    assert (await ingested(place, path))["p.md"].status == "refused"
    assert await found(place, "seats") == ["Seats cost 39."]


async def test_versions_kept_and_chunks_as_asked(place: Installation, tmp_path: Path) -> None:
    """What the command line asks for reaches the run, and another way to cut is another version."""
    path = tmp_path / "p.md"
    path.write_text("Seats cost 39 dollars. " * 40)
    first = (await ingested(place, path, keep_versions=True))["p.md"]
    small = {"name": "sentence", "parameters": {"tokens": 32}}
    second = (await ingested(place, path, keep_versions=True, strategy=small))["p.md"]
    assert (first.status, second.status) == ("ingested", "ingested") and second.chunks > first.chunks
    knowledge, document_id = place.knowledge.current, id_of(path)
    assert len(await knowledge.versions("acme", document_id)) == 2
    third = (await ingested(place, path))["p.md"]
    assert (third.status, third.chunks) == ("ingested", first.chunks)
    assert len(await knowledge.versions("acme", document_id)) == 1


async def test_progress_is_streamed(place: Installation, tmp_path: Path) -> None:
    """Every stage once, in order, and the chunks as they are written."""
    (tmp_path / "p.md").write_text("# Seats\n\nThey cost 39 dollars.")
    await started(place, COMMAND, source=str(tmp_path / "p.md"))
    logged = [json.loads(logged.event.body) for logged in await place.engine.events.read("acme/t", 0)]
    progress = [e["params"]["data"] for e in logged if e["method"] == "custom"]
    begun = [p["stage"] for p in progress if not p["done"]]
    assert begun == list(STAGES)
    assert {"name": "progress", "stage": "upsert", "done": 1, "total": 1} in progress


async def test_who_may_ingest_what(place: Installation, tmp_path: Path) -> None:
    """A rep may not, whatever it is."""
    path = tmp_path / "p.md"
    path.write_text("Seats cost 39.")
    rep = await started(place, User("acme", "ron"), source=str(path))
    assert (rep["run"], rep["error"]) == ("error", "permission_denied")


async def test_files_of_the_server_over_the_network(tmp_path: Path) -> None:
    """Only those in the folders that the operator has opened."""
    for folder in ("open", "closed"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "p.md").write_text(f"Seats in {folder}.")
    async with open_working(tmp_path / "data", ingest_roots=str(tmp_path / "open")) as place:
        closed = await started(place, ENGINEER, source=str(tmp_path / "closed" / "p.md"))
        assert (closed["status"], closed["code"]) == ("refused", "SOURCE_REFUSED")
        sly = await started(place, ENGINEER, source=str(tmp_path / "open" / ".." / "closed" / "p.md"))
        assert (sly["status"], sly["code"]) == ("refused", "SOURCE_REFUSED")
        opened = await started(place, ENGINEER, source=str(tmp_path / "open" / "p.md"))
        assert (opened["status"], opened["name"]) == ("ingested", "p.md")
        inside = await started(place, ENGINEER, source="http://169.254.169.254/latest/meta-data")
        assert (inside["status"], inside["code"]) == ("refused", "SOURCE_REFUSED")


async def test_a_cancelled_run_leaves_nothing(
    place: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither points, nor a busy parser, nor a hidden version; the document can be read afterwards."""
    path = tmp_path / "p.md"
    path.write_text("Seats cost money.")
    staged, stage = anyio.Event(), Knowledge.stage

    async def stage_and_wait(*args: Any, **kwargs: Any) -> None:
        await stage(*args, **kwargs)
        staged.set()
        await anyio.sleep_forever()

    with monkeypatch.context() as patched:
        patched.setattr(Knowledge, "stage", stage_and_wait)
        params = RunParams(assistant_id=INGEST, input={"source": str(path)})
        begun = await place.engine.commands.start(COMMAND, "t", params)
        with anyio.fail_after(30):
            await staged.wait()
        await place.engine.runs.cancel("acme/t", begun.run_id)
        run = await settled(place.engine, "acme/t", begun.run_id, within_s=60)
    assert run is not None and run.status == "interrupted"
    assert place.pipeline.means.reader.sandbox.busy == 0
    assert await place.knowledge.current.remove("acme", id_of(path)) is False
    assert (await ingested(place, path))["p.md"].status == "ingested"


async def test_names_of_other_systems(place: Installation, tmp_path: Path) -> None:
    """A Mac writes letters in two parts; the document is the same, and is not taken for one that has gone."""
    folder = tmp_path / "kb"
    folder.mkdir()
    (folder / unicodedata.normalize("NFD", "Preisübersicht.md")).write_text("Seats cost 39.")
    name = unicodedata.normalize("NFC", "Preisübersicht.md")
    assert {n: o.status for n, o in (await ingested(place, folder)).items()} == {name: "ingested"}
    assert {n: o.status for n, o in (await ingested(place, folder)).items()} == {name: "unchanged"}


async def test_what_a_client_may_ask(place: Installation) -> None:
    """What is wrong is named as such, before anything is read."""
    for given in (
        {"source": 5},
        {"source": " "},
        {"source": "x.md", "name": 5},
        {"source": "x.md", "name": "n" * 501},
        {"source": "x.md", "root": {"a": 1}},
        {"source": "x.md", "keep_versions": "no"},
        {"source": "x.md", "strategy": {"name": "nope"}},
        {"source": "x.md", "strategy": {"parameters": {"rule": 1}}},
    ):
        asked = await started(place, ENGINEER, thread=str(uuid4()), **given)
        assert (asked["run"], asked["error"]) == ("error", "invalid_input"), given


async def test_a_client_reads_no_store_by_the_servers_rights(place: Installation) -> None:
    """Other tenants' buckets among them."""
    for source in ("s3://bucket/contract.pdf", "sftp://host/contract.pdf", "memory://contract.pdf"):
        asked = await started(place, ENGINEER, source=source)
        assert (asked["status"], asked["code"]) == ("refused", "SOURCE_REFUSED"), source


async def test_a_command_works_where_nobody_does(tmp_path: Path) -> None:
    """And leaves it to the others where somebody does; a worker that has ended is not waited for."""
    settings = load(data_dir=tmp_path / "data")
    async with open_installation(settings, own_index=False, work=False) as watcher:
        async with open_installation(settings, own_index=True, work=True):
            with anyio.fail_after(10):
                while not await watcher.queue.workers():
                    await anyio.sleep(0.05)
        assert await watcher.queue.workers() == 0
