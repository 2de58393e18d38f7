"""docling's document tree as parts, in reading order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ingestion.document import Box, Kind, Part
from ingestion.table import Cell

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument, GroupItem, NodeItem, PictureItem, TextItem
    from docling_core.types.doc.document import TableData

_NO_SPACE_BEFORE = re.compile(r"\s+([,.;:!?)\]，。；：！？、）】])")
_CJK_GAP = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])")
_TABLE_CAPTION = re.compile(r"(table|tab\.|表)\s*\d", re.IGNORECASE)
_EMU_PER_POINT = 12_700
_NOTES = "Speaker notes"


class _Line(NamedTuple):
    """An item's own text, and the children that are not part of it."""

    text: str
    below: Sequence[NodeItem]


class Tree:
    """Depth first: docling hangs a section's content under its heading, and what follows a list into it."""

    def __init__(self, doc: DoclingDocument) -> None:
        from docling_core.types.doc import ContentLayer, TitleItem

        self._doc = doc
        # docling counts the first level below a title as 1, and the title itself not at all.
        self._below_title = int(
            any(isinstance(text, TitleItem) and text.content_layer == ContentLayer.BODY for text in doc.texts)
        )

    def parts(self) -> Iterator[Part]:
        """The body, then footnotes; no headers, footers and comments.

        Slides come with page, boxes and notes, the hidden ones marked so.
        """
        yield from self._below(self._children(self._doc.body))
        yield from self._footnotes()

    def _below(self, nodes: Sequence[NodeItem]) -> Iterator[Part]:
        for node in nodes:
            yield from self._from(node)

    def _from(self, node: NodeItem) -> Iterator[Part]:
        from docling_core.types.doc import (
            GroupItem,
            GroupLabel,
            InlineGroup,
            ListGroup,
            PictureItem,
            TableItem,
            TextItem,
        )

        if isinstance(node, TableItem):
            yield self._placed(node, Part("table", "", cells=tuple(self._cells(node.data))))
            # A caption that stands apart has its own place in the tree.
            yield from self._below([c for c in self._children(node) if not isinstance(c, GroupItem)])
        elif isinstance(node, ListGroup):
            yield from self._list(node)
        elif isinstance(node, InlineGroup):
            yield self._placed(node, Part("paragraph", self._flat(node)))
        elif isinstance(node, TextItem):
            line = self._line(node)
            yield self._placed(node, self._text_part(node, line.text))
            yield from self._below(line.below)
        elif isinstance(node, PictureItem):
            yield from self._below(self._children(node))
            yield from self._chart(node)
        elif isinstance(node, GroupItem) and node.label == GroupLabel.CHAPTER:
            yield from self._slide(node)
        else:
            yield from self._below(self._children(node))

    def _text_part(self, item: TextItem, text: str) -> Part:
        from docling_core.types.doc import DocItemLabel, SectionHeaderItem, TitleItem

        if isinstance(item, TitleItem):
            return Part("heading", text, level=1)
        if isinstance(item, SectionHeaderItem):
            return Part("heading", text, level=min(item.level + self._below_title, 6))
        caption = item.label == DocItemLabel.CAPTION and not _TABLE_CAPTION.match(text)
        kind: Kind = "figure" if caption else "paragraph"
        return Part(kind, text)

    def _slide(self, group: GroupItem) -> Iterator[Part]:
        """Its title first, wherever that stands, then the rest, then the speaker's notes.

        Without a title nothing belongs under the title of the slide before.
        """
        shown = list(self._below(self._children(group)))
        titles = [part for part in shown if part.kind == "heading" and not part.hidden]
        title = " ".join(" ".join(part.text.split()) for part in titles)
        if title:
            yield replace(titles[0], text=title)
        rest = (part for part in shown if part not in titles)
        yield from rest if title else (replace(part, section="") for part in rest)
        for note in self._notes(group):
            yield replace(note, section=f"{title} > {_NOTES}" if title else _NOTES)

    def _notes(self, slide: GroupItem) -> Iterator[Part]:
        from docling_core.types.doc import ContentLayer, TextItem

        for ref in slide.children:
            item = ref.resolve(self._doc)
            if isinstance(item, TextItem) and item.content_layer == ContentLayer.NOTES:
                yield Part("paragraph", item.text, page=self._page(item))

    def _footnotes(self) -> Iterator[Part]:
        from docling_core.types.doc import ContentLayer, DocItemLabel

        for item in self._doc.texts:
            if item.label == DocItemLabel.FOOTNOTE and item.content_layer == ContentLayer.FURNITURE:
                yield Part("paragraph", item.text, section="Footnotes")

    def _list(self, group: NodeItem) -> Iterator[Part]:
        """Runs of items as one list each, and between them whatever else hangs in it, a table for one."""
        lines: list[str] = []
        first = next(iter(self._children(group)), group)
        for entry in self._entries(group, ""):
            if isinstance(entry, str):
                lines.append(entry)
                continue
            yield self._placed(first, Part("list", "\n".join(lines)))
            lines = []
            yield from self._from(entry)
        yield self._placed(first, Part("list", "\n".join(lines)))

    def _entries(self, group: NodeItem, indent: str) -> Iterator[str | NodeItem]:
        """A line for each item, deeper ones indented; other nodes as they are."""
        from docling_core.types.doc import ListGroup, ListItem

        for number, child in enumerate(self._children(group), start=1):
            if not isinstance(child, ListItem):
                yield child
                continue
            line = self._line(child)
            if text := " ".join(line.text.split()):
                marker = (child.marker or f"{number}.") if child.enumerated else "-"
                yield f"{indent}{marker} {text}"
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
            return " ".join(cell.text for cell in self._cells(node.data) if cell.text)
        pieces = [getattr(node, "text", ""), *(self._flat(child) for child in self._children(node))]
        joined = " ".join(piece.strip() for piece in pieces if piece.strip())
        return _CJK_GAP.sub("", _NO_SPACE_BEFORE.sub(r"\1", joined))

    def _cells(self, data: TableData) -> Iterator[Cell]:
        from docling_core.types.doc import RichTableCell

        for cell in data.table_cells:
            rich = isinstance(cell, RichTableCell)
            text = self._flat(cell.ref.resolve(self._doc)) if rich else cell.text  # type: ignore[union-attr]
            yield Cell(
                cell.start_row_offset_idx,
                cell.start_col_offset_idx,
                text or cell.text,
                cell.end_row_offset_idx - cell.start_row_offset_idx,
                cell.end_col_offset_idx - cell.start_col_offset_idx,
                cell.column_header,
            )

    def _chart(self, picture: PictureItem) -> Iterator[Part]:
        """What sort of chart it is, and the figures that it shows; its title is a caption of its own."""
        if picture.meta is None:
            return
        kinds = picture.meta.classification.predictions if picture.meta.classification else ()
        for kind in kinds:
            yield self._placed(picture, Part("figure", kind.class_name.replace("_", " ").capitalize()))
        if chart := picture.meta.tabular_chart:
            yield self._placed(picture, Part("table", "", cells=tuple(self._cells(chart.chart_data))))

    def _placed(self, node: NodeItem, part: Part) -> Part:
        """With page and box, where docling gives them, and the mark of what a deck does not show."""
        from docling_core.types.doc import ContentLayer, DocItem

        hidden = "hidden slide or shape" if node.content_layer == ContentLayer.INVISIBLE else ""
        if not isinstance(node, DocItem) or not node.prov:
            return replace(part, hidden=hidden) if hidden else part
        at = node.prov[0].bbox
        box = Box(*(round(edge / _EMU_PER_POINT, 1) for edge in (at.l, at.t, at.r, at.b)))
        return replace(part, page=self._page(node), box=box, hidden=hidden)

    @staticmethod
    def _page(node: NodeItem) -> int | None:
        places = getattr(node, "prov", None)
        return places[0].page_no if places else None

    def _children(self, node: NodeItem) -> list[NodeItem]:
        from docling_core.types.doc import ContentLayer

        shown = (ContentLayer.BODY, ContentLayer.INVISIBLE)
        children = (ref.resolve(self._doc) for ref in node.children)
        return [child for child in children if child.content_layer in shown]
