"""A tiny cross-encoder in bge-reranker's layout, of random weights: FlagEmbedding takes it for a real one."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers.processors import TemplateProcessing
from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification

from tests.bge.tiny_model import MAX_TOKENS, characters


def write(folder: Path, *, labels: int = 1, seed: int = 7, broken: bool = False) -> Path:
    """The model's files in `folder`. `broken`: one weight is no number, as after a damaged download."""
    torch.manual_seed(seed)
    pieces = characters()
    pieces.backend_tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    pieces.save_pretrained(folder)
    config = XLMRobertaConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=MAX_TOKENS + 2,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        num_labels=labels,
        # The usual 0.02 gives all pairs nearly one score, by which no order could be told.
        initializer_range=0.5,
    )
    model = XLMRobertaForSequenceClassification(config)
    if broken:
        model.state_dict()["classifier.dense.bias"][0] = float("nan")
    model.save_pretrained(folder)
    return folder
