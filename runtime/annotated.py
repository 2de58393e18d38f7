"""A chat model whose answer carries annotations, in the stream as in the finished message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult

Annotate = Callable[[str], Sequence[Mapping[str, Any]]]
"""From the whole text to its annotations, as langchain_core/messages/content.py: Annotation."""


class Annotated(BaseChatModel):
    """Streams what `model` says as it comes; the annotations follow the last token.

    In the protocol they are part of the text block's `content-block-finish`, and so of the message that
    clients and checkpoints hold. It stands in for the model where LangGraph's stream listens, since only a
    model's own chunks become its blocks (langchain_core/language_models/_compat_bridge.py).
    """

    model: BaseChatModel
    annotate: Annotate
    marks: Mapping[str, Any] = {}
    """More of the message's `response_metadata`; sent with the annotations, which it may come without."""

    @property
    def _llm_type(self) -> str:
        return self.model._llm_type

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        said: list[str] = []
        # Below its callbacks, which are ours: else it would be streamed and counted twice.
        async for chunk in self.model._astream(messages, stop=stop, **kwargs):
            said.append(chunk.text)
            yield chunk
        found = self.annotate("".join(said))
        if found or self.marks:
            block = {"type": "text", "text": "", "annotations": [dict(one) for one in found]}
            yield ChatGenerationChunk(
                message=AIMessageChunk(content=[block] if found else [], response_metadata=dict(self.marks))
            )

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError("this model is called asynchronously only")


def with_annotations(message: AIMessage, found: Sequence[Mapping[str, Any]]) -> AIMessage:
    """The message as one block of text with its annotations, whichever way it was put together."""
    block = {"type": "text", "text": message.text, "annotations": [dict(one) for one in found]}
    content: list[str | dict[Any, Any]] = [block] if found else [{"type": "text", "text": message.text}]
    return message.model_copy(update={"content": content})
