"""How tokens are counted: by a rule of our own that needs no vocabulary, or by a local vocabulary.

The vocabularies of tiktoken and of BGE-M3 are downloads, and the default installation has to chunk without
a network. So a token is one CJK character, up to eight letters or digits of a word, or one other sign.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cache
from hashlib import sha1
from importlib import import_module
from pathlib import Path

from runtime.errors import SettingsInvalid

Count = Callable[[str], int]
"""Tokens of a text. It need not be additive: a cut may make tokens more or fewer."""

_CJK = r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
TOKEN = re.compile(rf"{_CJK}|(?:(?!{_CJK})\w){{1,8}}|[^\w\s]")
"""Every character that is not white space belongs to exactly one token, so counts of slices that are cut
between tokens add up to the count of the whole."""
_ENCODINGS = ("r50k_base", "p50k_base", "cl100k_base", "o200k_base")
_ENCODING_URL = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
"""Where `tiktoken_ext/openai_public.py` fetches them: the SHA-1 of it is the name of the local copy."""


def count(text: str) -> int:
    """Tokens of `text` by our rule; 0 for white space."""
    return len(TOKEN.findall(text))


@cache
def counter(name: str) -> Count:
    """The rule of that name: `rule` (ours), `tiktoken:o200k_base`, `hf:/path/to/tokenizer.json`.

    The same name gives the same function. Special tokens are not counted. Raises SettingsInvalid for any
    other name, a vocabulary that is not on this machine, or a library that is not installed.
    """
    kind, _, rest = name.partition(":")
    if name == "rule":
        return count
    if kind == "tiktoken":
        return _tiktoken(rest)
    if kind == "hf":
        return _tokenizer(Path(rest))
    raise SettingsInvalid(
        f"tokens cannot be counted by {name!r}; allowed are 'rule', 'tiktoken:<encoding>',"
        " 'hf:<tokenizer.json>'"
    )


def _tiktoken(encoding: str) -> Count:
    if encoding not in _ENCODINGS:
        raise SettingsInvalid(f"tiktoken's encoding {encoding!r} is none of {', '.join(_ENCODINGS)}")
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", "")
    copy = Path(folder) / sha1(_ENCODING_URL.format(encoding).encode()).hexdigest()
    # Looked at before tiktoken does, which would download it, without a timeout.
    if not folder or not copy.is_file():
        raise SettingsInvalid(
            f"tiktoken's vocabulary {encoding!r} is not on this machine: TIKTOKEN_CACHE_DIR is {folder!r},"
            f" which has to be a folder that holds it as {copy.name!r}"
        )
    try:
        encode = import_module("tiktoken").get_encoding(encoding).encode_ordinary
    except (OSError, ValueError) as exc:
        raise SettingsInvalid(f"tiktoken's vocabulary {str(copy)!r} is damaged: {exc}") from exc
    return lambda text: len(encode(text))


def _tokenizer(path: Path) -> Count:
    try:
        tokenizers = import_module("tokenizers")
    except ImportError as exc:
        raise SettingsInvalid(
            f"counting by {str(path)!r} needs the package 'tokenizers'; the extra 'bge' brings it"
        ) from exc
    if not path.is_file():
        raise SettingsInvalid(f"there is no tokenizer file {str(path)!r}")
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(path))
    except Exception as exc:  # The library raises nothing narrower.
        raise SettingsInvalid(f"{str(path)!r} is not a tokenizer file: {exc}") from exc
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
