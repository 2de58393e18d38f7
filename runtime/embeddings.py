"""The embedding model behind an OpenAI-compatible endpoint, by langchain-openai."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import openai
from langchain_openai import OpenAIEmbeddings
from pydantic import SecretStr

from runtime.errors import ModelOutputInvalid, ModelUnavailable
from runtime.models import LOOPBACK, NO_KEY, as_app_error, checked_url

_CONNECT_TIMEOUT_S = 5.0
_NO_EMBEDDINGS = (TypeError, ValueError, AttributeError, KeyError)
"""What openai and langchain-openai let out for an answer of another form (openai/lib/_parsing/_embeddings.py
looks into `data` and each `embedding` without asking what they are)."""


@asynccontextmanager
async def open_embeddings(
    name: str, *, base_url: str, api_key: SecretStr | None, timeout_s: float, max_retries: int
) -> AsyncIterator[EndpointEmbeddings]:
    """The model `name` at `base_url`.

    It connects when it is first used; its connections are pooled, shared by all callers, closed on leaving.
    `timeout_s` is the longest silence of one attempt; what is tried again is as in `runtime.models`. Raises
    SettingsInvalid for a URL that is none.
    """
    timeout = openai.Timeout(timeout_s, connect=_CONNECT_TIMEOUT_S)
    async with openai.DefaultAsyncHttpxClient(timeout=timeout, mounts=LOOPBACK) as http:
        yield EndpointEmbeddings(
            model=name,
            openai_api_base=checked_url(base_url),
            openai_api_key=api_key or NO_KEY,
            http_async_client=http,
            openai_proxy=None,
            request_timeout=timeout,
            max_retries=max_retries,
            # Else texts are sent as token numbers of OpenAI's vocabulary, which no other model has.
            check_embedding_ctx_length=False,
        )


class EndpointEmbeddings(OpenAIEmbeddings):
    """langchain-core's Embeddings, whose errors come out as AppErrors that name the host.

    ModelUnauthorized, ModelRateLimited, ModelTimeout, ModelUnavailable, ModelRequestRefused and
    ModelOutputInvalid, never with the endpoint's own words: they may repeat the key or the texts.
    """

    async def aembed_documents(
        self, texts: list[str], chunk_size: int | None = None, **kwargs: Any
    ) -> list[list[float]]:
        host = urlsplit(self.openai_api_base or "").netloc.rpartition("@")[2]
        try:
            return await super().aembed_documents(texts, chunk_size, **kwargs)
        except openai.OpenAIError as exc:
            error = as_app_error(exc) or ModelUnavailable(f"the endpoint {host} failed")
            raise error from exc
        except _NO_EMBEDDINGS as exc:
            raise ModelOutputInvalid(f"the endpoint {host} sent something that is no embeddings") from exc
