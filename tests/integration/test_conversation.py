"""A conversation when things go wrong."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import anyio
import anyio.lowlevel
import pytest

from runtime.settings import load
from terminal.conversation import Conversation, Piece, RunRefused
from terminal.processes import open_server
from tests.server_process import serving

pytestmark = pytest.mark.anyio

HELLO = {"messages": [{"role": "user", "content": "Hello Dana, how do you handle messages today?"}]}


async def test_a_cancel_before_the_run_has_begun_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C comes when it comes: the run is cancelled once its id is known."""
    monkeypatch.setenv("CORNERMAN_SCRIPTED_TOKEN_DELAY_S", "0.2")
    async with open_server(load(port=0)) as url:
        talk = Conversation(url, "coaching", str(uuid4()))
        kinds = []
        async with anyio.create_task_group() as tasks:

            async def cancel_at_once() -> None:
                await anyio.lowlevel.checkpoint()
                await talk.cancel()

            tasks.start_soon(cancel_at_once)
            with anyio.fail_after(20):
                async for piece in talk.turn(HELLO):
                    kinds.append(piece.kind if isinstance(piece, Piece) else "question")
        assert kinds[-1] == "failed"
        await talk.close()


async def test_a_cancel_after_the_end_is_nothing(tmp_path: Path) -> None:
    """The run was quicker than the finger."""
    async with open_server(load(port=0)) as url:
        talk = Conversation(url, "coaching", str(uuid4()))
        assert [p async for p in talk.turn(HELLO)]
        await talk.cancel()
        await talk.close()


async def test_a_server_that_is_gone_is_said_in_a_sentence(tmp_path: Path) -> None:
    """No traceback: the chat goes on prompting."""
    async with serving(tmp_path) as (server, url):
        talk = Conversation(url, "coaching", str(uuid4()))
        assert [p async for p in talk.turn(HELLO)]
        server.kill()
        await server.wait()
    with anyio.fail_after(30), pytest.raises(RunRefused, match="server"):
        assert [p async for p in talk.turn(HELLO)]
    await talk.close()
