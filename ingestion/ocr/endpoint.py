"""DeepSeek-OCR-2 behind vLLM's OpenAI-compatible endpoint: the reader of page images where there is a GPU.

The server is started as vLLM's recipe says, DeepSeek/DeepSeek-OCR-2.md in vllm-project/recipes:

    vllm serve deepseek-ai/DeepSeek-OCR-2 --no-enable-prefix-caching --mm-processor-cache-gb 0 \\
      --logits_processors vllm.model_executor.models.deepseek_ocr:NGramPerReqLogitsProcessor

vLLM before 0.11.1 refuses lists in `vllm_xargs` (its #27560). Until its #33642 the chat template for this
model lacks the BOS token, and every answer is empty.
"""

from __future__ import annotations

import base64
import struct
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Protocol, cast

import anyio

from ingestion.document import Part
from ingestion.ocr.deepseek_markdown import is_empty, parts_of_markdown
from ingestion.ocr.reading import ReadImage
from ingestion.ocr.repetition import repeats_itself
from runtime.errors import (
    AppError,
    DocumentCorrupt,
    ModelOutputInvalid,
    ModelTimeout,
    ModelUnauthorized,
    ModelUnavailable,
    OcrUnavailable,
)
from runtime.resilience import Breaker

_PROMPT = "<|grounding|>Convert the document to markdown."
_EXTRA_BODY = {
    # The labels and places are special tokens.
    "skip_special_tokens": False,
    # For vLLM's NGramPerReqLogitsProcessor, without which the model repeats itself; 128821 and 128822 are
    # <td> and </td>, which may.
    "vllm_xargs": {"ngram_size": 30, "window_size": 90, "whitelist_token_ids": [128821, 128822]},
}
"""From vLLM's recipe. Its chat template puts `<image>` and a line's end before the text, and nothing after.
No `max_tokens`: vLLM then gives what the context of 8,192 leaves, and refuses more."""
_MAX_CHARS = 60_000
"""Of one answer; 8,192 tokens are less."""
_CHECK_EVERY_CHARS = 1_000
_PNG = struct.Struct(">8s4x4sII")
_FAILURES = (ModelUnavailable, ModelUnauthorized)
"""What says that the endpoint itself does not work, not that it dislikes this image."""


class Chat(Protocol):
    """A chat model as `runtime.models.open_model` opens it: its errors are AppErrors that name the place."""

    def astream(self, input: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """Chunks with `text` and `response_metadata`."""
        ...


def endpoint_reader(
    model: Chat,
    *,
    timeout_s: float,
    concurrency: int = 8,
    failures: int = 3,
    rest_s: float = 30.0,
    now: Callable[[], float] = time.monotonic,
) -> ReadImage:
    """Reads by `model`, which has the temperature 0 and retries by itself.

    `timeout_s` bounds one image with its retries, `concurrency` the images at once; others wait. After
    `failures` in a row the endpoint is left alone for `rest_s`. Raises OcrUnavailable, too for an answer that
    is cut off, repeats itself or is empty: of a blank page too, which another reader then finds to be so.
    """
    slots = anyio.Semaphore(concurrency)
    breaker = Breaker(
        "the OCR endpoint",
        counted=_FAILURES,
        error=OcrUnavailable,
        failures=failures,
        rest_s=rest_s,
        now=now,
    )

    async def read(png: bytes) -> list[Part]:
        width, height = _size(png)
        async with slots:
            try:
                with breaker.call():
                    text = await _within(timeout_s, model, png)
            except OcrUnavailable:
                raise
            except AppError as exc:
                raise OcrUnavailable(f"OCR: {exc}") from exc
        return await anyio.to_thread.run_sync(parts_of_markdown, text, width, height)

    return read


async def _within(timeout_s: float, model: Chat, png: bytes) -> str:
    try:
        with anyio.fail_after(timeout_s):
            return await _answer(model, png)
    except TimeoutError as exc:
        raise ModelTimeout(f"the OCR endpoint took longer than {timeout_s:g} s", limit_s=timeout_s) from exc


async def _answer(model: Chat, png: bytes) -> str:
    """The whole text. Raises ModelOutputInvalid as soon as it cannot become one."""
    pieces: list[str] = []
    length = checked = 0
    end = ""
    answer = cast(AsyncGenerator[Any, None], model.astream(_messages(png), extra_body=_EXTRA_BODY))
    async with aclosing(answer) as chunks:
        async for chunk in chunks:
            pieces.append(chunk.text)
            length += len(pieces[-1])
            end = chunk.response_metadata.get("finish_reason") or end
            if length - checked >= _CHECK_EVERY_CHARS:
                checked = length
                _refuse_endless("".join(pieces))
    text = "".join(pieces)
    _refuse_endless(text)
    if end == "length":
        raise ModelOutputInvalid(f"the OCR endpoint's answer is cut off after {length} characters")
    if is_empty(text):
        raise ModelOutputInvalid("the OCR endpoint's answer is empty; has vLLM the model's chat template?")
    return text


def _refuse_endless(text: str) -> None:
    if len(text) > _MAX_CHARS:
        limit = f"{len(text)} characters, more than {_MAX_CHARS}"
        raise ModelOutputInvalid(f"the OCR endpoint's answer has {limit}", limit=_MAX_CHARS)
    if repeats_itself(text):
        raise ModelOutputInvalid("the OCR endpoint's answer repeats itself without end")


def _messages(png: bytes) -> list[dict[str, Any]]:
    url = f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
    image = {"type": "image_url", "image_url": {"url": url}}
    return [{"role": "user", "content": [image, {"type": "text", "text": _PROMPT}]}]


def _size(png: bytes) -> tuple[int, int]:
    """Width and height in pixels, from the header (PNG specification, 11.2.2 IHDR)."""
    if len(png) < _PNG.size:
        raise DocumentCorrupt(f"an image of {len(png)} bytes is no PNG")
    signature, chunk, width, height = _PNG.unpack_from(png)
    if signature != b"\x89PNG\r\n\x1a\n" or chunk != b"IHDR":
        raise DocumentCorrupt(f"an image of {len(png)} bytes is no PNG")
    return width, height
