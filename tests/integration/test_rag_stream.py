"""Citations as a client of the stock SDK receives them, from a real server."""

from __future__ import annotations

import anyio
import pytest
from langgraph_sdk import get_client

from runtime.settings import load
from terminal.processes import open_server
from tests.knowledge import ingest_samples

pytestmark = pytest.mark.anyio

ASK = {"messages": [{"role": "user", "content": "What does Harborline ask for onboarding?"}]}


async def test_the_sdk_gets_citations_as_annotations_and_by_name() -> None:
    """In the streamed message, in the thread's state, and as custom events: the same words each time."""
    await ingest_samples(load())
    async with open_server(load(port=0)) as url:
        client = get_client(url=url)
        async with client.threads.stream(assistant_id="rag", transport="websocket") as thread:
            await thread.run.start(input=ASK)
            with anyio.fail_after(20):
                messages = [message async for message in thread.messages]
                streamed = [await message.output for message in messages]
                output = await thread.output
        await client.aclose()
    (block,) = output["messages"][-1]["content"]
    (told,) = streamed[-1].content if hasattr(streamed[-1], "content") else streamed[-1]["content"]
    assert block["annotations"] == told["annotations"]
    for one in block["annotations"]:
        assert one["type"] == "citation" and one["title"] and one["cited_text"]
        assert block["text"][one["start_index"] : one["end_index"]].endswith(one["extras"]["marker"])
