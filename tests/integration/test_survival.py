"""What survives: the server killed between turns, a worker killed in a run."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import anyio
import pytest

from terminal.conversation import Conversation, Piece
from tests.server_process import command, environment, serving

pytestmark = pytest.mark.anyio

SPEED = {"CORNERMAN_SCRIPTED_TOKEN_DELAY_S": "0.02", "CORNERMAN_HEARTBEAT_S": "2"}


def said(text: str, **more: str) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": text}], **more}


async def test_a_chat_goes_on_after_the_server_was_killed(tmp_path: Path) -> None:
    """SIGKILL between two turns; started again on the same data, the call is where it was."""
    thread = str(uuid4())
    async with serving(tmp_path) as (server, url):
        talk = Conversation(url, "coaching", thread)
        opening = said("Hi, thanks for your time. How do you handle support today?", scenario="meridian-coo")
        first = [p async for p in talk.turn(opening)]
        await talk.close()
        server.kill()
        await server.wait()
    async with serving(tmp_path) as (_, url):
        talk = Conversation(url, "coaching", thread)
        second = [p async for p in talk.turn(said("What does that cost you?"))]
        await talk.close()
    before = [p.data for p in first if isinstance(p, Piece) and p.kind == "values" and p.data][-1]
    after = [p.data for p in second if isinstance(p, Piece) and p.kind == "values" and p.data][-1]
    assert after["turns"][: len(before["turns"])] == before["turns"]
    assert len(after["turns"]) == len(before["turns"]) + 2


async def test_a_killed_workers_run_ends_on_another(tmp_path: Path) -> None:
    """Two worker processes; the one that runs it is killed in mid-answer."""
    async with serving(tmp_path, CORNERMAN_WORKER_INLINE="false", **SPEED) as (_, url):
        workers = [
            await anyio.open_process(command("worker"), env=environment(tmp_path, **SPEED), stderr=None)
            for _ in range(2)
        ]
        try:
            talk = Conversation(url, "coaching", str(uuid4()))
            killed = ""
            pieces: list[Piece] = []
            with anyio.fail_after(60):
                async for piece in talk.turn(said("How does your team handle customer messages today?")):
                    assert isinstance(piece, Piece)
                    pieces.append(piece)
                    if piece.kind == "token" and not killed:
                        run = await talk._client.runs.get(talk.thread_id, talk.run_id)
                        killed = str(run["worker"])  # type: ignore[typeddict-item]  # ours
                        next(w for w in workers if str(w.pid) == killed.rpartition(":")[2]).kill()
            run = await talk._client.runs.get(talk.thread_id, talk.run_id)
            await talk.close()
        finally:
            for worker in workers:
                if worker.returncode is None:
                    worker.terminate()
                await worker.wait()
                await worker.aclose()
    assert run["status"] == "success"
    assert run["worker"] != killed  # type: ignore[typeddict-item]  # ours
    kinds = [p.kind for p in pieces]
    assert ("lost" in kinds and kinds[-1] == "values") or kinds.count("end") == 1
    seqs = [p.seq for p in pieces]
    assert seqs == sorted(set(seqs))
