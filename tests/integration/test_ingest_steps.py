"""The steps one by one, where a run of all of them would not show it; and the settings that reach them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream

from compose import Installation
from ingestion.report import STAGES
from ingestion.within import Within
from runtime.errors import KnowledgeUnavailable, SourceUnavailable
from tests.ingesting import COMMAND, ingested, open_working, started
from tests.samples import SAMPLES
from tests.site import serving

pytestmark = pytest.mark.anyio


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Installation]:
    """An installation of its own."""
    async with open_working(tmp_path / "data") as opened:
        yield opened


async def steps(place: Installation, state: dict[str, Any], *stages: str) -> dict[str, Any]:
    """The state after some stages."""
    for stage in stages:
        state |= await place.pipeline.step("acme", stage, state, lambda done, total: None, roots=None)
    return state


async def test_a_file_that_changes_under_its_run(place: Installation, tmp_path: Path) -> None:
    """What was hashed is what is read: other bytes must not stand under this version."""
    path = tmp_path / "p.md"
    path.write_text("Seats cost 39.")
    state = await steps(place, {"source": str(path)}, "route")
    path.write_text("Seats cost 41.")
    with pytest.raises(SourceUnavailable, match="has changed since its run began"):
        await steps(place, state, "parse")
    path.write_text("Seats cost 39.")
    assert (await steps(place, state, *STAGES[1:]))["status"] == "ingested"


async def test_what_is_missing_in_the_end_is_noticed(place: Installation, tmp_path: Path) -> None:
    """A run says `ingested` only of a document that searches see, and see whole."""
    path = tmp_path / "p.md"
    path.write_text("\n\n".join(f"# Part {n}\n\nSeats cost {n}." for n in range(60)))
    state = await steps(place, {"source": str(path)}, *STAGES[:-1])
    assert state["chunks"] > 2
    owned = place.knowledge.owned
    assert owned is not None
    here = await owned.collections.current()
    await here.index.drop(Within("acme", {"version": state["version"], "ordinal": 1}))
    with pytest.raises(
        KnowledgeUnavailable, match=f"shows {state['chunks'] - 1} of {state['chunks']} chunks"
    ):
        await steps(place, state, "verify")
    await owned.remove("acme", state["document_id"])
    with pytest.raises(KnowledgeUnavailable, match="shows 0 of"):
        await steps(place, state, "verify")


async def test_steps_make_again_what_is_lost(place: Installation, tmp_path: Path) -> None:
    """Another machine, or a disk that was cleaned: the files between the steps are only a convenience."""
    path = tmp_path / "p.md"
    path.write_text("Seats cost 39.")
    state: dict[str, Any] = {"source": str(path)}
    for stage in STAGES[:-1]:
        state = await steps(place, state, stage)
        for folder in place.pipeline.means.folder.glob("*"):
            for file in folder.iterdir():
                file.unlink()
    assert (await steps(place, state, "verify"))["status"] == "ingested"


async def test_limits_and_thresholds_of_the_settings(tmp_path: Path) -> None:
    """What is set is what refuses a document, and what decides its route."""
    card, text = SAMPLES / "battlecard-harborline.pdf", tmp_path / "long.md"
    text.write_text("Seats cost 39. " * 10_000)
    # Tables, rules and columns make it HIGH otherwise.
    plain = {"table_rows": 9_999, "ruled_lines": 9_999, "paths": 9_999, "pair_rows": 9_999}
    none = {"image_share": 1.1, "column_share": 1.1, "some_table_share": 1.1}
    limits = {"ingest_limits": {"pages": 2}, "ingest_max_bytes": card.stat().st_size}
    async with open_working(tmp_path / "limited", **limits) as place:
        outcomes = await ingested(place, card, text)
        assert {outcome.code for outcome in outcomes.values()} == {"DOCUMENT_TOO_LARGE"}, outcomes
        assert "at most 2 are read" in outcomes[card.name].reason, outcomes
        assert "bytes" in outcomes["long.md"].reason
    async with open_working(tmp_path / "plain", ingest_thresholds={**plain, **none}) as place:
        assert (await ingested(place, card))[card.name].reading["level"] == "LOW"


async def test_hosts_and_time_of_the_settings(tmp_path: Path) -> None:
    """An internal host is fetched from only where it is named, and a run ends by the time it is given."""
    asked = anyio.Event()

    async def hang(stream: SocketStream, path: str) -> None:
        asked.set()
        await anyio.sleep_forever()

    async with serving(hang) as site:
        url = f"http://127.0.0.1:{site.port}/p.md"
        async with open_working(tmp_path / "a", ingest_hosts="127.0.0.1") as place:
            refused = await started(place, COMMAND, source=url)
            assert (refused["status"], refused["code"]) == ("refused", "SOURCE_REFUSED")
        given = {"ingest_hosts": f"127.0.0.1:{site.port}", "ingest_timeout_s": 0.5, "run_timeout_s": 3_600}
        async with open_working(tmp_path / "b", **given) as place:
            with anyio.fail_after(30):
                outcome = (await ingested(place, url))["p.md"]
        assert asked.is_set() and (outcome.status, outcome.code) == ("failed", "run_timeout")
