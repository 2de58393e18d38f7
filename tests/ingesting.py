"""Documents ingested in a test's own installation, as the command and as a client of the protocol do it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from compose import Installation, open_installation
from graphs import INGEST
from ingestion.record import document_id_of
from ingestion.sources.place import place_of
from runtime.context import OPERATOR, User
from runtime.keys import thread_key
from runtime.run_request import RunParams
from runtime.settings import load
from runtime.waiting import settled
from terminal.ingest import Asked, ingest
from terminal.ingest_runs import Outcome

ENGINEER = User("acme", "eva", frozenset({"engineer"}))
COMMAND = User("acme", OPERATOR, frozenset({"admin"}))
_KEYS = '{"k": {"tenant": "acme", "subject": "eva", "roles": ["engineer"]}}'


@asynccontextmanager
async def open_working(data_dir: Path, **settings: Any) -> AsyncIterator[Installation]:
    """An installation that works, whose users have keys."""
    given = load(**{"data_dir": data_dir, "api_keys": _KEYS, "ingest_processes": 1, **settings})
    async with open_installation(given, own_index=True, work=True) as opened:
        yield opened


async def ingested(
    place: Installation, *named: Path | str, tenant: str = "acme", **asked: Any
) -> dict[str, Outcome]:
    """What became of the documents, by name."""
    given = Asked([str(one) for one in named], tenant, as_json=True, **asked)
    outcomes = await ingest(place, given, Console())
    return {outcome.document: outcome for outcome in outcomes}


async def found(place: Installation, query: str) -> list[str]:
    """The quotes that answer a query."""
    return [passage.quote for passage in await place.knowledge.current.search("acme", query)]


async def started(place: Installation, user: User, thread: str = "t", **given: Any) -> Mapping[str, Any]:
    """A run as a client of the protocol starts it; its record's status and error, and its last state."""
    params = RunParams(assistant_id=INGEST, input=given)
    begun = await place.engine.commands.start(user, thread, params)
    run = await settled(place.engine, thread_key("acme", thread), begun.run_id, within_s=60)
    state = await place.engine.state.get(user, await place.engine.threads.own(user, thread))
    assert run is not None and state is not None
    return {"run": run.status, "error": run.error, **state.values}


def id_of(named: Path | str) -> str:
    """Of a document that is named itself."""
    return document_id_of(place_of(str(named)))
