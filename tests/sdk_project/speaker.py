"""A chat model that says what it was told to, word by word."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCall
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult


class Speaker(BaseChatModel):
    """Streams `text`, one word with the blank before it to a chunk, and then its tool call."""

    text: str
    call: ToolCall | None = None
    pause_s: float = 0.01
    """Seconds before each word."""

    @property
    def _llm_type(self) -> str:
        return "speaker"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        calls = [self.call] if self.call else []
        said = AIMessage(content=self.text, tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=said)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        yield from self._chunks()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self._chunks():
            await anyio.sleep(self.pause_s)
            yield chunk

    def _chunks(self) -> Iterator[ChatGenerationChunk]:
        first, *others = self.text.split(" ")
        for word in (first, *(f" {other}" for other in others)):
            yield ChatGenerationChunk(message=AIMessageChunk(content=word))
        yield ChatGenerationChunk(message=self._last())

    def _last(self) -> AIMessageChunk:
        if self.call is None:
            return AIMessageChunk(content="", chunk_position="last")
        chunk = tool_call_chunk(
            name=self.call["name"], args=json.dumps(self.call["args"]), id=self.call["id"], index=1
        )
        return AIMessageChunk(content="", tool_call_chunks=[chunk], chunk_position="last")
