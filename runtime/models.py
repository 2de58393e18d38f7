"""The chat model of a process: langchain-openai where an endpoint or a key is set, else the scripted one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import openai
from langchain_core.exceptions import ContextOverflowError
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr

from runtime.errors import (
    AppError,
    InvalidInput,
    ModelOutputInvalid,
    ModelRateLimited,
    ModelRequestRefused,
    ModelTimeout,
    ModelUnauthorized,
    ModelUnavailable,
    SettingsInvalid,
)
from runtime.scripted import Script, ScriptedModel
from runtime.structured import pydantic_class, read_as

_OPENAI_URL = "https://api.openai.com/v1"
_CONNECT_TIMEOUT_S = 5.0
NO_KEY = SecretStr("none")
"""Sent where only a URL is set: local endpoints ask for no key, but the client insists on one."""

LOOPBACK = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
"""Reached directly, whatever HTTP_PROXY says: a proxy's loopback is another machine."""

_BROKEN = (openai.OpenAIError, TimeoutError, ValueError)
"""What langchain-openai lets out for a broken exchange; ValueError covers chunks that are no JSON."""

_STATUSES: Mapping[int, tuple[type[AppError], str]] = {
    401: (ModelUnauthorized, "refused the API key; check OPENAI_API_KEY"),
    403: (ModelUnauthorized, "does not allow this API key to use the model"),
    404: (ModelRequestRefused, "does not know the model or the URL"),
    408: (ModelTimeout, "did not answer in time"),
    429: (ModelRateLimited, "limits the rate of calls, or its quota is used up"),
}


@asynccontextmanager
async def open_model(
    name: str,
    scripts: Mapping[str, Script],
    *,
    base_url: str | None,
    api_key: SecretStr | None,
    timeout_s: float,
    max_retries: int,
    temperature: float,
    scripted_token_delay_s: float = 0.0,
) -> AsyncIterator[BaseChatModel]:
    """The model `name` at `base_url` (OpenAI's own when only a key is set); with neither, the scripted model.

    Its HTTP connections are pooled, shared by all runs, and closed on leaving. `timeout_s` is the longest
    silence: before the answer begins, and between two of its chunks. `max_retries` more attempts follow a
    refused connection, a silence before the answer's first byte, and the statuses 408, 409, 429 and 5xx,
    after 0.4 to 8 s or the endpoint's Retry-After up to 120 s (openai/_base_client.py). Nothing is retried
    once an answer has begun. No other layer retries.

    Raises SettingsInvalid for a URL that is none.
    """
    if not (base_url or api_key):
        yield ScriptedModel(scripts=scripts, token_delay_s=scripted_token_delay_s)
        return
    timeout = openai.Timeout(timeout_s, connect=_CONNECT_TIMEOUT_S)
    async with openai.DefaultAsyncHttpxClient(timeout=timeout, mounts=LOOPBACK) as http:
        yield EndpointModel(
            model=name,
            base_url=checked_url(base_url or _OPENAI_URL),
            api_key=api_key or NO_KEY,
            http_async_client=http,
            openai_proxy=None,
            timeout=timeout,
            # Comments that keep a connection alive are no answer: httpx's timeout alone would wait on.
            stream_chunk_timeout=timeout_s,
            max_retries=max_retries,
            temperature=temperature,
            # Always streamed, so that a timeout measures silence and not the length of the answer.
            streaming=True,
            stream_usage=True,
        )


def checked_url(base_url: str) -> str:
    try:
        url = urlsplit(base_url)
        is_url = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # A port that is no number, a bracket that is not closed.
        is_url = False
    if not is_url:
        raise SettingsInvalid(f"the model's base URL {base_url!r} does not look like http://host:port/v1")
    return base_url


class EndpointModel(ChatOpenAI):
    """A model behind an OpenAI-compatible endpoint. What goes wrong there comes out as an AppError.

    ModelUnauthorized, ModelRateLimited, ModelTimeout, ModelUnavailable, ModelRequestRefused,
    ModelOutputInvalid, and InvalidInput for a conversation that is too long; each names host and model.
    """

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        end, calls_tools = "", False
        try:
            async for chunk in super()._astream(*args, **kwargs):
                end = _finish_reason(chunk) or end
                calls_tools = calls_tools or bool(getattr(chunk.message, "tool_call_chunks", ()))
                yield chunk
        except _BROKEN as exc:
            raise _error(exc, self._place) from exc
        if not end:
            # A proxy may end the body regularly when the endpoint behind it has died.
            raise ModelUnavailable(f"{self._place} ended its answer before it was whole")
        if end == "length" and calls_tools:
            # LangChain would complete the half-written arguments, and a tool would act on them.
            raise ModelOutputInvalid(f"{self._place} reached its token limit in the middle of a tool call")

    async def _agenerate(self, *args: Any, **kwargs: Any) -> ChatResult:
        try:
            return await super()._agenerate(*args, **kwargs)
        except _BROKEN as exc:
            raise _error(exc, self._place) from exc

    def with_structured_output(
        self, schema: dict[str, Any] | type | None = None, *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, BaseModel]:
        """Asks for `schema`, a pydantic class, by strict JSON schema; `method` and the like change nothing.

        Raises ModelOutputInvalid for an answer that does not fit, and TypeError for another kind of schema.
        """
        wanted = pydantic_class(schema, include_raw)
        function = openai.pydantic_function_tool(wanted)["function"]
        form = {"name": function["name"], "strict": True, "schema": function["parameters"]}
        asked = {"response_format": {"type": "json_schema", "json_schema": form}}
        # As a parameter of its own, it takes the stream through openai's parser: a second of imports on first
        # use, the text so far parsed again at each token, and bare ValueErrors. The Responses API needs it.
        return self.bind(**(asked if self.use_responses_api else {"extra_body": asked})) | read_as(wanted)

    @property
    def _place(self) -> str:
        host = urlsplit(self.openai_api_base or "").netloc.rpartition("@")[2]
        return f"the endpoint {host} (model {self.model_name!r})"


def as_app_error(exc: BaseException) -> AppError | None:
    """The error that `exc`, a cause of it, or a member of its group stands for; None if none is the model's.

    Bare httpx errors are not taken for the model's: other clients raise them too, and openai wraps its own.
    """
    for each in _with_causes(exc):
        if isinstance(each, AppError):
            return each
        if isinstance(each, openai.APIError):
            return _error(each, f"the endpoint {each.request.url.netloc.decode()}")
    return None


def _with_causes(exc: BaseException) -> Iterator[BaseException]:
    yield exc
    if isinstance(exc, BaseExceptionGroup):
        for member in exc.exceptions:
            yield from _with_causes(member)
    if exc.__cause__:
        yield from _with_causes(exc.__cause__)


def _error(exc: Exception, place: str) -> AppError:
    """Never with the endpoint's own words: they may repeat the key or the messages."""
    if isinstance(exc, ContextOverflowError):
        return InvalidInput(f"the conversation is longer than {place} can read")
    if isinstance(exc, (TimeoutError, openai.APITimeoutError)):
        return ModelTimeout(f"{place} was silent for too long")
    if isinstance(exc, openai.APIStatusError):
        return _status_error(exc, place)
    if isinstance(exc, openai.APIConnectionError):
        return ModelUnavailable(f"{place} cannot be reached, or closed the connection")
    if isinstance(exc, openai.OpenAIError):
        return ModelUnavailable(f"{place} failed in the middle of its answer")
    return ModelOutputInvalid(f"{place} sent something that is no chat completion")


def _status_error(exc: openai.APIStatusError, place: str) -> AppError:
    status = exc.status_code
    otherwise = (ModelRequestRefused, "refused the request") if status < 500 else (ModelUnavailable, "failed")
    kind, does = _STATUSES.get(status, otherwise)
    return kind(f"{place} {does} (HTTP {status})", status=status)


def _finish_reason(chunk: ChatGenerationChunk) -> str:
    """'' before the end. The Responses API gives no reason, so its last chunk counts as `stop`."""
    is_last = getattr(chunk.message, "chunk_position", None) == "last"
    return (chunk.generation_info or {}).get("finish_reason") or ("stop" if is_last else "")
