"""The loaded BGE-M3, blocking: texts in, vectors out. Importing this takes ten seconds.

FlagEmbedding's loader and model, without its `encode`: that runs each first batch twice, so a query always,
and answers any RuntimeError with a smaller batch (FlagEmbedding/inference/embedder/encoder_only/m3.py).
`tests/bge` compares the two.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from FlagEmbedding import BGEM3FlagModel
from safetensors import SafetensorError
from transformers.utils.logging import disable_progress_bar

from ingestion.embedders.rows import unit_rows
from ingestion.vectors import Sparse, Vectors
from runtime.errors import KnowledgeUnavailable

_BROKEN = (
    *(OSError, RuntimeError, ValueError, LookupError, TypeError, ImportError),
    *(AssertionError, pickle.UnpicklingError, SafetensorError),
)
"""What transformers, torch and safetensors raise for files that are damaged or of another model, and torch
for a device that is not there, an AssertionError where it was built without CUDA, or has no memory left."""


class BgeModel:
    """For one thread at a time."""

    def __init__(self, model: BGEM3FlagModel, device: str, size: int, max_tokens: int, colbert: bool) -> None:
        self._model = model
        self._device = device
        self._size = size
        self._max_tokens = max_tokens
        self._colbert = colbert

    def encode(self, texts: Sequence[str]) -> list[Vectors]:
        """In one pass, in their order. Raises KnowledgeUnavailable, ProfileMismatch."""
        try:
            answered = self._pass(texts)
        except _BROKEN as exc:
            raise KnowledgeUnavailable(f"BGE-M3 failed on {self._device!r} ({_first_line(exc)})") from exc
        dense = unit_rows(answered["dense_vecs"], len(texts), self._size, "BGE-M3")
        weights = answered["sparse_vecs"]
        if not np.isfinite(weights).all():
            raise KnowledgeUnavailable("BGE-M3 answered a weight of a word that is not finite")
        made = [
            {"dense": row, "lexical": _sparse(of_text)} for row, of_text in zip(dense, weights, strict=True)
        ]
        if self._colbert:
            # Without the first token, which is the text's, and without those that fill a shorter text up.
            lengths = answered["attention_mask"].sum(axis=1) - 1
            for vectors, rows, length in zip(made, answered["colbert_vecs"], lengths, strict=True):
                vectors["colbert"] = unit_rows(rows[:length], None, self._size, "BGE-M3")
        return list[Vectors](made)

    def _pass(self, texts: Sequence[str]) -> dict[str, Any]:
        inputs = self._model.tokenizer(
            list(texts), truncation=True, max_length=self._max_tokens, padding=True, return_tensors="pt"
        ).to(self._device)
        with torch.inference_mode():
            answered = self._model.model(
                inputs,
                return_sparse=True,
                return_sparse_embedding=True,
                return_colbert_vecs=self._colbert,
            )
        answered["attention_mask"] = inputs["attention_mask"]
        return {name: _array(tensor) for name, tensor in answered.items()}


def load(folder: Path, device: str, size: int, max_tokens: int, colbert: bool) -> BgeModel:
    """`device` as torch names it, "" for a GPU where there is one. Raises KnowledgeUnavailable.

    2.3 GB of weights take some seconds.
    """
    disable_progress_bar()
    device = device or ("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        # Half precision is slower on a CPU.
        model = BGEM3FlagModel(str(folder), use_fp16=device.startswith("cuda"), devices=device)
        model.model.to(device).eval()
    except _BROKEN as exc:
        raise KnowledgeUnavailable(
            f"BGE-M3 in {str(folder)!r} cannot be loaded ({_first_line(exc)})"
        ) from exc
    return BgeModel(model, device, size, max_tokens, colbert)


def _array(tensor: Any) -> Any:
    return (tensor.float() if tensor.is_floating_point() else tensor).cpu().numpy()


def _sparse(weights: Any) -> Sparse:
    """Of a row with a weight for each token of the vocabulary."""
    (indices,) = weights.nonzero()
    return Sparse(indices.tolist(), weights[indices].tolist())


def _first_line(exc: Exception) -> str:
    return f"{type(exc).__name__}: {str(exc).partition(chr(10))[0]}"
