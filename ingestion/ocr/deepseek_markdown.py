"""What DeepSeek-OCR writes of a page as parts: Markdown in which each block follows its label and its place.

A block is `<|ref|>label<|/ref|><|det|>[[x0, y0, x1, y1]]<|/det|>` and its content, places from 0 to 999 of
the page's width and height (process_image_with_refs in run_dpsk_ocr2_pdf.py, deepseek-ai/DeepSeek-OCR-2).
Labels are title, sub_title, text, table, image, equation and captions; tables are HTML. A table below its
caption comes as an empty block, and then in the block of the caption.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from ingestion.document import Box, Part
from ingestion.ocr.html_table import cells_of_html
from ingestion.ocr.segment import bounds

_TAG = re.compile(r"<\|ref\|>([^<]*)<\|/ref\|>\s*<\|det\|>([^<]*)<\|/det\|>")
_SPECIAL = re.compile(r"<\|/?\w+\|>|<｜[^｜<>]*｜>")
"""Tokens of the model's own."""
_CUT = re.compile(r"<(?:[/|｜a-zA-Z][^<>]*)?\Z")
"""A tag of any kind, where the text was cut off within it."""
_NUMBERS = re.compile(r"-?\d+(?:\.\d+)?")
_WRAPPER = re.compile(r"</?(?:center|p|div|span)\b[^>]*>", re.IGNORECASE)
_TABLE = re.compile(r"<table\b.*?(?:</table>|\Z)", re.DOTALL | re.IGNORECASE)
_HEADING = re.compile(r"^(#{1,6})\s+(.+)$")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+\S")
_BLANK_LINES = re.compile(r"\n\s*\n")
_SCALE = 999
_LEVELS = {"title": 1, "sub_title": 2}
_PICTURES = frozenset({"image", "figure"})
_CAPTIONS = frozenset({"image_caption", "figure_caption", "figure_title"})


class _Labelled(NamedTuple):
    label: str
    """"" before the first one."""
    box: Box | None
    content: str


_NOTHING = _Labelled("", None, "")


def parts_of_markdown(text: str, width: int, height: int) -> list[Part]:
    """Parts in the order of the text, boxes in pixels of an image of that size; no confidence.

    A picture is the part of its caption, and none without one. Text without labels has no boxes; a block
    that is cut off at the end is kept as far as it goes.
    """
    parts: list[Part] = []
    before = _NOTHING
    for block in _blocks(text, width, height):
        if _plain(block.content):
            parts += _parts_of(block, before)
            before = _NOTHING
        else:
            before = block
    return list(_with_joined_lists(part for part in parts if part.text or part.cells))


def is_empty(text: str) -> bool:
    """Whether the model wrote nothing at all, not even a place: no page is described in this way."""
    return not _plain(text)


def _blocks(text: str, width: int, height: int) -> Iterator[_Labelled]:
    text = _CUT.sub("", text)
    begun = text.find("<|ref|>", text.rfind("<|/det|>") + 1)
    if begun >= 0:  # A label whose place was cut off.
        text = text[:begun]
    before, *rest = _TAG.split(text)
    yield _Labelled("", None, before)
    for label, place, content in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        yield _Labelled(label.strip(), _box(place, width, height), content)


def _parts_of(block: _Labelled, before: _Labelled) -> list[Part]:
    """`before` is the empty block to which this one may be the caption."""
    if block.label in _PICTURES | _CAPTIONS:
        picture = before.box if before.label in _PICTURES else None
        around = [each for each in (picture, block.box) if each]
        return [Part("figure", _plain(block.content), box=bounds(around) if around else None)]
    table = before.box if before.label == "table" and block.label == "table_caption" else None
    return [
        replace(part, box=(table or block.box) if part.kind == "table" else block.box)
        for part in _read(block.label, block.content)
    ]


def _box(place: str, width: int, height: int) -> Box | None:
    """Around all rectangles that `place` lists; None where it lists none."""
    numbers = [min(max(float(number), 0), _SCALE) / _SCALE for number in _NUMBERS.findall(place)]
    corners = list(zip(*[iter(numbers)] * 4, strict=False))
    if not corners:
        return None
    x0, y0, x1, y1 = bounds(Box(*corner) for corner in corners)
    return Box(x0 * width, y0 * height, x1 * width, y1 * height)


def _read(label: str, content: str) -> Iterator[Part]:
    at = 0
    for table in _TABLE.finditer(content):
        yield from _read_text(label, content[at : table.start()])
        yield Part("table", "", cells=cells_of_html(table[0]))
        at = table.end()
    yield from _read_text(label, content[at:])


def _read_text(label: str, content: str) -> Iterator[Part]:
    for block in _BLANK_LINES.split(content):
        lines = [line.rstrip() for line in _plain(block).splitlines() if line.strip()]
        yield from chain.from_iterable(_read_lines(label, run) for run in _runs(lines))


def _runs(lines: list[str]) -> Iterator[list[str]]:
    """Lines of a block, headings and lists apart from the lines around them."""
    run: list[str] = []
    for line in lines:
        if run and (_HEADING.match(line) or _HEADING.match(run[-1]) or _is_new_list(run, line)):
            yield run
            run = []
        run.append(line)
    if run:
        yield run


def _is_new_list(run: list[str], line: str) -> bool:
    return bool(_ITEM.match(line)) and not _ITEM.match(run[0])


def _read_lines(label: str, lines: list[str]) -> Iterator[Part]:
    text = "\n".join(lines)
    heading = _HEADING.match(text)
    if heading:
        yield Part("heading", heading[2].strip("# "), level=len(heading[1]))
    elif label in _LEVELS:
        yield Part("heading", " ".join(lines), level=_LEVELS[label])
    elif _ITEM.match(lines[0]):
        yield Part("list", text)
    elif len(lines) > 1 and all(line.lstrip().startswith("|") for line in lines):
        yield Part("table", text)
    else:
        yield Part("paragraph", text)


def _with_joined_lists(parts: Iterator[Part]) -> Iterator[Part]:
    """The model gives each item of a list a block of its own."""
    before: Part | None = None
    for part in parts:
        if before and before.kind == part.kind == "list":
            boxes = [each.box for each in (before, part) if each.box]
            joined = f"{before.text}\n{part.text}"
            before = replace(before, text=joined, box=bounds(boxes) if boxes else None)
            continue
        if before:
            yield before
        before = part
    if before:
        yield before


def _plain(text: str) -> str:
    return _WRAPPER.sub("", _SPECIAL.sub("", text)).strip()
