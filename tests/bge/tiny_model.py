"""A tiny model in BGE-M3's layout, of random weights: FlagEmbedding takes it for the real one."""

from __future__ import annotations

import string
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.decoders import Metaspace as Spaces
from tokenizers.models import Unigram
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

SIZE = 32
MAX_TOKENS = 512
CHILDREN = (
    "The Team plan costs 49 dollars a seat and includes single sign-on.",
    "Refunds are paid within thirty days of a written request.",
    "Ask what the budget is before you offer a discount.",
    "企业版包含单点登录和审计日志。",
    "合同签署后三十天内可以退款。",
    "先了解客户的预算，再谈折扣。",
)
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
"""Their numbers are XLM-R's, which FlagEmbedding relies on: 0 to 3."""
_SPACE = "▁"


def write(folder: Path, *, seed: int = 7, broken: bool = False) -> Path:
    """The model's files in `folder`. `broken`: one weight is no number, as after a damaged download."""
    torch.manual_seed(seed)
    tokenizer = characters()
    tokenizer.save_pretrained(folder)
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=SIZE,
        intermediate_size=2 * SIZE,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=MAX_TOKENS + 2,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    model = XLMRobertaModel(config)
    if broken:
        model.state_dict()["encoder.layer.0.output.dense.bias"][0] = float("nan")
    model.save_pretrained(folder)
    torch.save(torch.nn.Linear(SIZE, SIZE).state_dict(), folder / "colbert_linear.pt")
    torch.save(torch.nn.Linear(SIZE, 1).state_dict(), folder / "sparse_linear.pt")
    return folder


def characters() -> PreTrainedTokenizerFast:
    """A token for each character that the children or ASCII hold; others are unknown."""
    letters = sorted(set(string.ascii_letters + string.digits + string.punctuation).union(*CHILDREN) - {" "})
    tokenizer = Tokenizer(Unigram([(piece, -1.0) for piece in (*_SPECIAL, _SPACE, *letters)], unk_id=3))
    tokenizer.pre_tokenizer = Metaspace(_SPACE)
    tokenizer.decoder = Spaces(_SPACE)
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", pair=None, special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    start, padding, end, unknown = _SPECIAL
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=MAX_TOKENS,
        bos_token=start,
        cls_token=start,
        pad_token=padding,
        eos_token=end,
        sep_token=end,
        unk_token=unknown,
        model_input_names=["input_ids", "attention_mask"],
    )
