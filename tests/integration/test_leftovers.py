"""What runs that never came back leave behind goes while a server stays up."""

from __future__ import annotations

import os
import time
from pathlib import Path

import anyio
import pytest

from ingestion.artifacts import sweep_artifacts
from ingestion.leftovers import STALE_S, sweep_hourly
from runtime.errors import KnowledgeUnavailable
from tests.ingesting import id_of, open_working
from tests.knowledge import HERE, points_of, written

pytestmark = pytest.mark.anyio


def left_behind(folder: Path, age_s: float) -> Path:
    """The files of a run, last used some seconds ago."""
    folder.mkdir(parents=True)
    (folder / "document.json").write_text("{}")
    os.utime(folder, (time.time() - age_s, time.time() - age_s))
    return folder


async def test_files_of_a_day_ago(tmp_path: Path) -> None:
    """Those of a run that works now stay; what is no folder harms nothing, nor that there is none."""
    old = left_behind(tmp_path / "ingest" / "old", STALE_S + 60)
    new = left_behind(tmp_path / "ingest" / "new", STALE_S - 60)
    await sweep_artifacts(tmp_path / "ingest")
    assert (old.exists(), new.exists()) == (False, True)
    await sweep_artifacts(tmp_path / "nowhere")


async def test_a_sweep_takes_so_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not keep a server busy; the next one goes on."""
    monkeypatch.setattr("ingestion.artifacts.AT_ONCE", 2)
    for number in range(5):
        left_behind(tmp_path / str(number), STALE_S + 60)
    left = []
    for _ in range(3):
        await sweep_artifacts(tmp_path)
        left.append(len(list(tmp_path.iterdir())))
    assert left == [3, 1, 0]


async def test_a_process_that_stays_sweeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only when it starts: both the files and the versions that nobody has published."""
    monkeypatch.setattr("ingestion.leftovers.SWEEP_S", 0.05)
    async with open_working(tmp_path / "data") as place:
        knowledge = place.knowledge.owned
        assert knowledge is not None
        points = await points_of(written("p.md", "Team costs 39 dollars."), "v1")
        await knowledge.stage("acme", "v1", points, writer="lost", collection=HERE)
        old = left_behind(place.pipeline.means.folder / "old", STALE_S + 60)
        with anyio.fail_after(10):
            while old.exists():
                await anyio.sleep(0.02)
        assert await knowledge.count("acme", "v1") == len(points), "it may still be written"
        monkeypatch.setattr("ingestion.journal.STALE_S", -1)
        with anyio.fail_after(10):
            while await knowledge.count("acme", "v1"):
                await anyio.sleep(0.02)
        assert await knowledge.shown("acme", id_of("p.md")) is None


async def test_a_sweep_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk for an hour must not end the server, nor the sweeps."""
    monkeypatch.setattr("ingestion.leftovers.SWEEP_S", 0)
    tried: list[int] = []

    async def sweep() -> None:
        tried.append(len(tried))
        if len(tried) == 1:
            raise OSError("the disk is full")
        if len(tried) == 2:
            raise KnowledgeUnavailable
        scope.cancel()

    with anyio.fail_after(10), anyio.CancelScope() as scope:
        await sweep_hourly(sweep)
    assert tried == [0, 1, 2]
