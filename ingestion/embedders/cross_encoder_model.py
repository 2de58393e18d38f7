"""The loaded cross-encoder, blocking: a query and texts in, scores out. Importing this takes ten seconds.

FlagEmbedding's loader and model, without its `compute_score`: that runs each first batch twice, answers any
RuntimeError with a smaller batch and never ends when that has come to none, and cuts a text by making it
anew from its tokens (FlagEmbedding/inference/reranker/encoder_only/base.py). `tests/bge` compares the two.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from FlagEmbedding import FlagReranker
from safetensors import SafetensorError
from transformers.utils.logging import disable_progress_bar

from runtime.errors import KnowledgeUnavailable

_BROKEN = (
    *(OSError, RuntimeError, ValueError, LookupError, TypeError, ImportError),
    *(AssertionError, pickle.UnpicklingError, SafetensorError),
)
"""What transformers, torch and safetensors raise for files that are damaged or of another model, and torch
for a device that is not there, an AssertionError where it was built without CUDA, or has no memory left."""


class CrossEncoderModel:
    """For one thread at a time."""

    def __init__(self, model: FlagReranker, device: str, max_tokens: int) -> None:
        self._model = model
        self._device = device
        self._max_tokens = max_tokens

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Of the query with each text, in one pass, in their order. Raises KnowledgeUnavailable."""
        try:
            answered = self._pass(self._cut(query), texts)
        except _BROKEN as exc:
            raise KnowledgeUnavailable(
                f"the cross-encoder failed on {self._device!r} ({_first_line(exc)})"
            ) from exc
        if answered.shape != (len(texts), 1):
            raise KnowledgeUnavailable(
                f"the cross-encoder answered the shape {answered.shape} for {len(texts)} texts"
            )
        if not np.isfinite(answered).all():
            raise KnowledgeUnavailable("the cross-encoder answered a score that is not finite")
        scores: list[float] = answered[:, 0].tolist()
        return scores

    def _cut(self, query: str) -> str:
        """At most three quarters of the tokens, as FlagEmbedding has it, so that a text always counts."""
        limit = self._max_tokens * 3 // 4
        made = self._model.tokenizer(
            query, add_special_tokens=False, truncation=True, max_length=limit, return_offsets_mapping=True
        )
        return query[: made["offset_mapping"][-1][1]] if len(made["input_ids"]) == limit else query

    def _pass(self, query: str, texts: Sequence[str]) -> Any:
        inputs = self._model.tokenizer(
            [query] * len(texts),
            list(texts),
            truncation="only_second",
            max_length=self._max_tokens,
            padding=True,
            return_tensors="pt",
        ).to(self._device)
        with torch.inference_mode():
            return self._model.model(**inputs, return_dict=True).logits.float().cpu().numpy()


def load(folder: Path, device: str, max_tokens: int) -> CrossEncoderModel:
    """`device` as torch names it, "" for a GPU where there is one. Raises KnowledgeUnavailable.

    2.3 GB of weights take some seconds.
    """
    disable_progress_bar()
    device = device or ("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        model = FlagReranker(str(folder), devices=device)
        # Half precision is slower on a CPU.
        weights = model.model.half() if device.startswith("cuda") else model.model.float()
        weights.to(device).eval()
    except _BROKEN as exc:
        raise KnowledgeUnavailable(
            f"the cross-encoder in {str(folder)!r} cannot be loaded ({_first_line(exc)})"
        ) from exc
    return CrossEncoderModel(model, device, max_tokens)


def _first_line(exc: Exception) -> str:
    return f"{type(exc).__name__}: {str(exc).partition(chr(10))[0]}"
