"""Pages of made-up sentences as PNG: English and Chinese, in one column or two, clean and spoilt."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any, Literal, NamedTuple

import numpy as np
import pymupdf
from PIL import Image, ImageEnhance, ImageFilter

Language = Literal["English", "Chinese"]
LANGUAGES: tuple[Language, ...] = ("English", "Chinese")
COLUMNS = (1, 2)

_DPI = 150
_WIDTH, _HEIGHT, _MARGIN, _GUTTER = 595, 842, 56, 18
_SIZES, _LEADING = (8.5, 9.5, 10.5, 12.0), 1.4
"""Points."""
_PARAGRAPH = 3
"""Sentences."""
_TITLE = 28
"""Characters."""
_WORDS: Mapping[Language, Sequence[str]] = {
    "English": "the offer covers every seat in your region and support answers within one working day our"
    " partners renew before the quarter ends because prices rise with each release buyers compare terms"
    " carefully then ask for references from customers of similar size".split(),
    "Chinese": "本次报价 包含 所有 席位 以及 当地 支持 服务 客户 可以 在 季度 结束 之前 续约 价格 将 随着"
    " 版本 更新 而 上涨 采购 部门 通常 会 仔细 比较 条款 并且 要求 提供 同等 规模 的 参考 案例 数据"
    " 存储 备份 审计".split(),
}


class Spoilt(NamedTuple):
    """How a page image suffers, in this order."""

    turned: float = 0
    """Degrees."""
    blur: float = 0
    """Radius in pixels."""
    contrast: float = 1
    noise: float = 0
    """Standard deviation, of 255 levels."""
    jpeg: int = 0
    """Quality of a JPEG in between; 0: none."""


SPOILT = {
    "turned by 2.5°": Spoilt(turned=2.5),
    "out of focus": Spoilt(blur=1.0),
    "faint": Spoilt(contrast=0.25),
    "noise": Spoilt(noise=30),
    "JPEG": Spoilt(jpeg=15),
    "all of these": Spoilt(turned=-1.5, blur=0.6, contrast=0.5, noise=12, jpeg=40),
}


class Page(NamedTuple):
    language: Language
    columns: int
    spoilt: str
    """One of SPOILT; "" for a clean page."""
    sentences: tuple[str, ...]
    """In reading order."""
    png: bytes


def pages() -> Iterator[Page]:
    """For each language and number of columns as many clean ones as spoilt ones; always the same."""
    for language in LANGUAGES:
        for columns in COLUMNS:
            for number, spoilt in enumerate(("",) * len(SPOILT) + tuple(SPOILT)):
                yield _page(language, columns, spoilt, number)


def _page(language: Language, columns: int, spoilt: str, number: int) -> Page:
    chance = random.Random(f"{language} {columns} {number}")
    with pymupdf.open() as pdf:
        sheet = pdf.new_page(width=_WIDTH, height=_HEIGHT)
        sentences = tuple(_filled(sheet, chance, language, columns))
        image = Image.open(BytesIO(sheet.get_pixmap(dpi=_DPI).tobytes("png"))).convert("RGB")
    stream = BytesIO()
    _spoil(image, SPOILT.get(spoilt, Spoilt()), number).save(stream, "PNG")
    return Page(language, columns, spoilt, sentences, stream.getvalue())


def _filled(sheet: Any, chance: random.Random, language: Language, columns: int) -> Iterator[str]:
    """A title over all columns, and paragraphs in each, which end at different heights; the sentences."""
    size = chance.choice(_SIZES)
    font = pymupdf.Font("china-s" if language == "Chinese" else "helv")
    sheet.insert_font("F0", fontbuffer=font.buffer)
    yield (title := sentence(chance, language)[:_TITLE])
    sheet.insert_text((_MARGIN, _MARGIN + 16), title, fontname="F0", fontsize=16)
    width = (_WIDTH - 2 * _MARGIN - (columns - 1) * _GUTTER) / columns
    for column in range(columns):
        x, y = _MARGIN + column * (width + _GUTTER), _MARGIN + 40 + size
        end = _HEIGHT * chance.uniform(0.7, 0.85)
        while y < end:
            sentences = [sentence(chance, language) for _ in range(_PARAGRAPH)]
            yield from sentences
            for line in _lines(sentences, font, width / size, language):
                sheet.insert_text((x, y), line, fontname="F0", fontsize=size)
                y += size * _LEADING
            y += size


def sentence(chance: random.Random, language: Language) -> str:
    """Like no other, since a number stands in it."""
    words = chance.choices(_WORDS[language], k=chance.randint(8, 14))
    words.insert(chance.randint(2, 6), str(chance.randint(1_000, 99_999)))
    text = ("" if language == "Chinese" else " ").join(words)
    return f"{text}。" if language == "Chinese" else f"{text[0].upper()}{text[1:]}."


def _lines(sentences: Sequence[str], font: Any, width: float, language: Language) -> Iterator[str]:
    """`width`: in units of the font's size."""
    gap = "" if language == "Chinese" else " "
    words = list("".join(sentences)) if language == "Chinese" else " ".join(sentences).split(" ")
    line = words[0]
    for word in words[1:]:
        if font.text_length(line + gap + word, 1) > width:
            yield line
            line = word
        else:
            line += gap + word
    yield line


def _spoil(image: Image.Image, spoilt: Spoilt, seed: int) -> Image.Image:
    if spoilt.turned:
        image = image.rotate(spoilt.turned, Image.Resampling.BICUBIC, fillcolor="white")
    if spoilt.blur:
        image = image.filter(ImageFilter.GaussianBlur(spoilt.blur))
    if spoilt.contrast != 1:
        image = ImageEnhance.Contrast(image).enhance(spoilt.contrast)
    if spoilt.noise:
        levels = np.asarray(image, np.float64)
        levels = levels + np.random.default_rng(seed).normal(0, spoilt.noise, levels.shape)
        image = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    if spoilt.jpeg:
        stream = BytesIO()
        image.save(stream, "JPEG", quality=spoilt.jpeg)
        image = Image.open(stream)
    return image
