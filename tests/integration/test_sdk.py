"""The stock Python SDK against a real server, over its WebSocket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from uuid import uuid4

import anyio
import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from runtime.settings import load
from terminal.conversation import Conversation, Piece, Question
from terminal.processes import open_server
from terminal.proxy import open_proxy
from tests.knowledge import ingest_samples

pytestmark = pytest.mark.anyio

ASK = {"messages": [{"role": "user", "content": "How should I answer a price objection?"}]}
BOOK = {
    "messages": [
        {"role": "user", "content": "Book a follow-up with Dana on 2026-12-04 at 10:00 about the pilot"}
    ]
}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The module's, for the sake of its server."""
    return "asyncio"


@pytest.fixture(scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A server that knows the samples, one for all tests: each has threads of its own."""
    settings = load(port=0, data_dir=tmp_path_factory.mktemp("data"), scripted_token_delay_s=0.002)
    await ingest_samples(settings)
    async with open_server(settings) as url:
        yield url


@pytest.fixture
async def client(url: str) -> AsyncIterator[LangGraphClient]:
    client = get_client(url=url)
    yield client
    await client.aclose()


async def test_messages_values_and_output(client: LangGraphClient) -> None:
    """Each projection of the SDK gives what the state holds afterwards."""
    async with client.threads.stream(assistant_id="rag", transport="websocket") as thread:
        await thread.run.start(input=ASK)
        with anyio.fail_after(20):
            # The SDK fills a message only while the projection is iterated, so it is read afterwards.
            messages = [message async for message in thread.messages]
            texts = [await message.text for message in messages]
            output = await thread.output
    last = output["messages"][-1]["content"]
    shown = last if isinstance(last, str) else "".join(block["text"] for block in last)
    assert texts and texts[-1] == shown


async def test_values_come_as_snapshots(client: LangGraphClient) -> None:
    """From the empty thread to the answer."""
    async with client.threads.stream(assistant_id="rag", transport="websocket") as thread:
        await thread.run.start(input=ASK)
        with anyio.fail_after(20):
            lengths = [len(values.get("messages", [])) async for values in thread.values]
    assert lengths == sorted(lengths) and lengths[-1] == 2


async def test_custom_events_come_by_name(client: LangGraphClient) -> None:
    """Citations are an extension of their own."""
    async with client.threads.stream(assistant_id="rag", transport="websocket") as thread:
        await thread.run.start(input=ASK)
        with anyio.fail_after(20):
            citations = [data async for data in thread.extensions["citation"]]
    assert citations and all(c["document"] and c["quote"] for c in citations)


async def test_a_question_is_answered_and_the_tool_acts(client: LangGraphClient) -> None:
    """Interrupt, response, tool events, end."""
    async with client.threads.stream(assistant_id="tool_calling", transport="websocket") as thread:
        await thread.run.start(input=BOOK)
        async for _ in thread.values:
            pass
        with anyio.fail_after(10):
            while not thread.interrupts:
                await anyio.sleep(0.01)
        await thread.run.respond({"approved": True})
        with anyio.fail_after(20):
            output = await thread.output
    assert [m["type"] for m in output["messages"]] == ["human", "ai", "tool", "ai"]


async def test_tool_calls_are_a_projection(client: LangGraphClient) -> None:
    """Name, input and output of each call."""
    ask = {"messages": [{"role": "user", "content": "Quote 40 seats of the Team plan"}]}
    async with client.threads.stream(assistant_id="tool_calling", transport="websocket") as thread:
        await thread.run.start(input=ask)
        with anyio.fail_after(20):
            calls = [call async for call in thread.tool_calls]
            outputs = [await call.output for call in calls]
    assert [call.name for call in calls] == ["quote_price"] and outputs


async def test_subgraphs_are_found(client: LangGraphClient) -> None:
    """The assistant's chosen graph is a child with messages of its own."""
    async with client.threads.stream(assistant_id="assistant", transport="websocket") as thread:
        await thread.run.start(
            input={"messages": [{"role": "user", "content": "/ask How do I answer a price objection?"}]}
        )
        with anyio.fail_after(20):
            children = [child.graph_name async for child in thread.subgraphs]
    assert children == ["rag"]


async def test_threads_go_on_over_several_sessions(client: LangGraphClient) -> None:
    """The second session's stream begins with its own run and ends with it."""
    thread_id = str(uuid4())
    for turn in (1, 2, 3):
        async with client.threads.stream(thread_id, assistant_id="rag", transport="websocket") as thread:
            await thread.run.start(input=ASK)
            with anyio.fail_after(20):
                lengths = [len(values.get("messages", [])) async for values in thread.values]
        assert lengths[-1] == 2 * turn


async def test_a_cancelled_run_ends_what_waits_for_it(url: str) -> None:
    """No iterator hangs, and the next turn works."""
    talk = Conversation(url, "rag", str(uuid4()))
    kinds = []
    with anyio.fail_after(20):
        async for piece in talk.turn(ASK):
            kinds.append(piece.kind if isinstance(piece, Piece) else "question")
            if kinds.count("token") == 3:
                await talk.cancel()
        assert kinds[-1] == "failed" and "lost" in kinds
        again = [p async for p in talk.turn(ASK)]
    assert any(isinstance(p, Piece) and p.kind == "end" for p in again)
    await talk.close()


@pytest.mark.parametrize("after", [1, 4, 12, 30])
async def test_a_cut_socket_loses_and_repeats_nothing(url: str, after: int) -> None:
    """The SDK reconnects with `since`; what it then has is what the log has."""
    async with open_proxy(urlsplit(url).port or 0) as proxy:
        talk = Conversation(proxy.url, "rag", str(uuid4()))
        seqs = []
        with anyio.fail_after(30):
            async for piece in talk.turn(ASK):
                assert isinstance(piece, Piece)
                seqs.append(piece.seq)
                if len(seqs) == after:
                    proxy.cut()
        await talk.close()
    assert proxy.cuts
    whole = Conversation(url, "rag", str(uuid4()))
    undisturbed = [p.seq async for p in whole.turn(ASK) if isinstance(p, Piece)]
    await whole.close()
    assert seqs == undisturbed


async def test_many_conversations_at_once(url: str) -> None:
    """Each gets its own answer, whole."""
    done = []

    async def one() -> None:
        talk = Conversation(url, "rag", str(uuid4()))
        pieces = [p async for p in talk.turn(ASK)]
        done.append("".join(p.text for p in pieces if isinstance(p, Piece) and p.kind == "token"))
        await talk.close()

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            for _ in range(12):
                tasks.start_soon(one)
    assert len(done) == 12 and len(set(done)) == 1 and done[0]


async def test_an_answer_can_wait_for_days(url: str) -> None:
    """A question is answered in a session that knows nothing of the first."""
    thread_id = str(uuid4())
    talk = Conversation(url, "tool_calling", thread_id)
    (question,) = [p async for p in talk.turn(BOOK) if isinstance(p, Question)]
    await talk.close()
    later = Conversation(url, "tool_calling", thread_id)
    with anyio.fail_after(20):
        pieces = [p async for p in later.answer(question, {"approved": False})]
    await later.close()
    assert any(isinstance(p, Piece) and p.kind == "end" for p in pieces)
