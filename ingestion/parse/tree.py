"""docling's document tree as parts, in reading order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ingestion.document import Kind, Part
from ingestion.table import render

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument, NodeItem, TableItem, TextItem

_NO_SPACE_BEFORE = re.compile(r"\s+([,.;:!?)\]，。；：！？、）】])")
_CJK_GAP = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])")


class _Line(NamedTuple):
    """An item's own text, and the children that are not part of it."""

    text: str
    below: Sequence[NodeItem]


class Tree:
    """Depth first: docling hangs a section's content under its heading, and what follows a list into it."""

    def __init__(self, doc: DoclingDocument) -> None:
        from docling_core.types.doc import TitleItem

        self._doc = doc
        # docling counts the first level below a title as 1, and the title itself not at all.
        self._below_title = int(any(isinstance(item, TitleItem) for item in doc.texts))

    def parts(self) -> Iterator[Part]:
        """All of the body: no headers, footers, comments or hidden sheets."""
        yield from self._below(self._children(self._doc.body), None)

    def _below(self, nodes: Sequence[NodeItem], sheet: str | None) -> Iterator[Part]:
        for node in nodes:
            yield from self._from(node, sheet)

    def _from(self, node: NodeItem, sheet: str | None) -> Iterator[Part]:
        from docling_core.types.doc import GroupItem, GroupLabel, InlineGroup, ListGroup, TableItem, TextItem

        where = None if sheet is None else _range(sheet, node)
        if isinstance(node, TableItem):
            yield Part("table", render(self._rows(node)), section=where)
        elif isinstance(node, ListGroup):
            yield from self._list(node, sheet)
        elif isinstance(node, InlineGroup):
            yield Part("paragraph", self._flat(node), section=where)
        elif isinstance(node, TextItem):
            line = self._line(node)
            yield self._text_part(node, line.text, where)
            yield from self._below(line.below, sheet)
        elif isinstance(node, GroupItem) and node.label == GroupLabel.SHEET:
            yield Part("heading", node.name, level=1)
            yield from self._below(self._children(node), node.name)
        else:
            yield from self._below(self._children(node), sheet)

    def _text_part(self, item: TextItem, text: str, where: str | None) -> Part:
        from docling_core.types.doc import DocItemLabel, SectionHeaderItem, TitleItem

        if isinstance(item, TitleItem):
            return Part("heading", text, level=1)
        if isinstance(item, SectionHeaderItem):
            return Part("heading", text, level=min(item.level + self._below_title, 6))
        kind: Kind = "figure" if item.label == DocItemLabel.CAPTION else "paragraph"
        return Part(kind, text, section=where)

    def _list(self, group: NodeItem, sheet: str | None) -> Iterator[Part]:
        """Runs of items as one list each, and between them whatever else hangs in it, a table for one."""
        lines: list[str] = []
        for entry in self._entries(group, ""):
            if isinstance(entry, str):
                lines.append(entry)
                continue
            yield Part("list", "\n".join(lines))
            lines = []
            yield from self._from(entry, sheet)
        yield Part("list", "\n".join(lines))

    def _entries(self, group: NodeItem, indent: str) -> Iterator[str | NodeItem]:
        """A line for each item, deeper ones indented; other nodes as they are."""
        from docling_core.types.doc import ListGroup, ListItem

        for number, child in enumerate(self._children(group), start=1):
            if not isinstance(child, ListItem):
                yield child
                continue
            line = self._line(child)
            if text := " ".join(line.text.split()):
                yield f"{indent}{f'{number}.' if child.enumerated else '-'} {text}"
            for below in line.below:
                if isinstance(below, ListGroup):
                    yield from self._entries(below, indent + "  ")
                else:
                    yield below

    def _line(self, item: TextItem) -> _Line:
        """A text with several formats has none of its own: its first child holds the pieces."""
        from docling_core.types.doc import InlineGroup

        children = self._children(item)
        if not item.text and children and isinstance(children[0], InlineGroup):
            return _Line(self._flat(children[0]), children[1:])
        return _Line(item.text, children)

    def _flat(self, node: NodeItem) -> str:
        """All text at and below `node`, in one line."""
        from docling_core.types.doc import TableItem

        if isinstance(node, TableItem):
            return " ".join(cell for row in self._rows(node) for cell in row if cell)
        pieces = [getattr(node, "text", ""), *(self._flat(child) for child in self._children(node))]
        joined = " ".join(piece.strip() for piece in pieces if piece.strip())
        return _CJK_GAP.sub("", _NO_SPACE_BEFORE.sub(r"\1", joined))

    def _rows(self, table: TableItem) -> list[list[str]]:
        """Cells by row; a spanning cell's text stands in all it covers, but once if that is a whole row."""
        from docling_core.types.doc import RichTableCell

        rows = []
        for cells in table.data.grid:
            texts = [
                self._flat(cell.ref.resolve(self._doc)) if isinstance(cell, RichTableCell) else cell.text
                for cell in cells
            ]
            rows.append(texts[:1] if len(cells) > 1 and cells[0].col_span == len(cells) else texts)
        return rows

    def _children(self, node: NodeItem) -> list[NodeItem]:
        from docling_core.types.doc import ContentLayer

        children = (ref.resolve(self._doc) for ref in node.children)
        return [child for child in children if child.content_layer == ContentLayer.BODY]


def _range(sheet: str, item: Any) -> str:
    """`Plans!A2:F9`; docling gives cells as a box of 0-based columns and rows, right and lower end open."""
    if not getattr(item, "prov", None):
        return sheet
    box = item.prov[0].bbox
    first = f"{_column(int(box.l))}{int(box.t) + 1}"
    last = f"{_column(int(box.r) - 1)}{int(box.b)}"
    return f"{sheet}!{first}" if first == last else f"{sheet}!{first}:{last}"


def _column(index: int) -> str:
    """0 is A, 25 is Z, 26 is AA."""
    return (_column(index // 26 - 1) if index >= 26 else "") + chr(ord("A") + index % 26)
