"""The scripted model: deterministic, streaming, tool-calling, structured; needs no key and no network."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCall, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel

from runtime.brief import Brief, read_brief
from runtime.structured import pydantic_class, read_as

MODEL_NAME = "cornerman-scripted"

_TOKEN = re.compile(r"\s*[\u2e80-\u9fff\uff00-\uffef]|\s*[^\s\u2e80-\u9fff\uff00-\uffef]+|\s+$")


@dataclass(frozen=True)
class Line:
    """What a script answers: text, tool calls, or the fields of the asked-for structure."""

    text: str = ""
    tool_calls: Sequence[ToolCall] = ()
    structured: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Scene:
    """What a script sees: no more than a real model would."""

    brief: Brief | None
    messages: Sequence[BaseMessage]
    tools: Sequence[str] = field(default=())
    """Names of the tools bound to the call."""


Script = Callable[[Scene], Line]


def tokens(text: str) -> list[str]:
    """`text` cut at words and at Chinese characters; joined they give `text` again."""
    return _TOKEN.findall(text)


def plain(scene: Scene) -> Line:
    """For prompts without a brief: says what it is and repeats what it was told."""
    said = next((m.text for m in reversed(scene.messages) if m.type == "human"), "")
    return Line(f"I am the scripted model, so I can only repeat what you said: {said}")


def as_sent(message: BaseMessage) -> BaseMessage:
    """What of `message` goes over the wire to a real model: text, name, tool calls; no ids, no metadata."""
    if isinstance(message, ToolMessage):
        return ToolMessage(message.text, tool_call_id=message.tool_call_id)
    if isinstance(message, AIMessage):
        return AIMessage(message.text, name=message.name, tool_calls=message.tool_calls)
    return type(message)(message.text, name=message.name)


class ScriptedModel(BaseChatModel):
    """Answers by the script that the brief's task names; `plain` where it names none.

    The same messages give the same answer. Each response names the model in `response_metadata`, and counts
    its own `tokens` as usage.
    """

    scripts: Mapping[str, Script] = {}
    tool_names: tuple[str, ...] = ()
    token_delay_s: float = 0.0
    """Pause before each token, so that a person sees it stream."""

    @property
    def _llm_type(self) -> str:
        return MODEL_NAME

    def _line(self, messages: Sequence[BaseMessage]) -> Line:
        sent = [as_sent(message) for message in messages]
        brief = read_brief(sent)
        script = self.scripts.get(brief.task if brief else "", plain)
        line = script(Scene(brief, sent, self.tool_names))
        if line.structured is not None:
            return Line(_json(line.structured))
        return line

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        line = self._line(messages)
        message = AIMessage(
            line.text,
            tool_calls=list(line.tool_calls),
            response_metadata={"model_name": MODEL_NAME},
            usage_metadata=_usage(messages, line),
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        line = self._line(messages)
        for token in tokens(line.text):
            yield ChatGenerationChunk(message=AIMessageChunk(content=token))
        calls = [
            tool_call_chunk(name=c["name"], args=_json(c["args"]), id=c["id"], index=i)
            for i, c in enumerate(line.tool_calls)
        ]
        yield ChatGenerationChunk(
            message=AIMessageChunk(
                content="",
                tool_call_chunks=calls,
                response_metadata={"model_name": MODEL_NAME},
                usage_metadata=_usage(messages, line),
                chunk_position="last",
            )
        )

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        # Without this, each token costs a trip to a thread, and runs queue for the few threads there are.
        for chunk in self._stream(*args, **kwargs):
            await anyio.sleep(self.token_delay_s)
            yield chunk

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The same model with the tools' names in every scene."""
        names = tuple(convert_to_openai_tool(tool)["function"]["name"] for tool in tools)
        return self.model_copy(update={"tool_names": names})

    def with_structured_output(
        self,
        schema: dict[str, Any] | type,
        *,
        include_raw: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]:
        """`schema` is a pydantic class; raises ModelOutputInvalid when the script's fields do not fit it."""
        return self | read_as(pydantic_class(schema, include_raw))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _usage(messages: Sequence[BaseMessage], line: Line) -> UsageMetadata:
    read = sum(len(tokens(message.text)) for message in messages)
    said = len(tokens(line.text)) + sum(len(tokens(_json(call["args"]))) for call in line.tool_calls)
    return UsageMetadata(input_tokens=read, output_tokens=said, total_tokens=read + said)
