"""What floats over a sheet's cells: text boxes, and charts with the figures they show."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from zipfile import ZipFile

from ingestion.document import Part
from ingestion.parse.grid import address
from ingestion.table import Cell

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_XDR = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
_MAX_PART_BYTES = 20_000_000
_MAX_POINTS = 10_000
_CHART = re.compile(r"(?P<kind>[a-z]+?)(3D)?Chart$")


class Drawn(NamedTuple):
    """A part, and the row from 0 at which it begins."""

    row: int
    part: Part


def drawn(archive: ZipFile, sheet_path: str, title: str) -> list[Drawn]:
    """Text boxes as paragraphs, charts as figures with a table, each at the cell of its upper left corner."""
    found = []
    for drawing_path in _related(archive, sheet_path).values():
        if "/drawings/drawing" not in drawing_path:
            continue
        root, targets = _xml(archive, drawing_path), _related(archive, drawing_path)
        for anchor in () if root is None else root:
            row, column = _corner(anchor)
            section = f"{title}!{address(row, column)}"
            lines = ("".join(t.text or "" for t in p.iter(f"{_A}t")) for p in anchor.iter(f"{_A}p"))
            text = "\n".join(line for line in lines if line)
            found.append(Drawn(row, Part("paragraph", text, section=section)))
            for chart in anchor.iter(f"{_C}chart"):
                plotted = _xml(archive, targets.get(chart.get(f"{_R}id", ""), ""))
                found.extend(
                    Drawn(row, part) for part in (_chart(plotted, section) if plotted is not None else ())
                )
    return [each for each in found if each.part.text or each.part.cells]


def _chart(root: Any, section: str) -> Iterator[Part]:
    title = root.find(f"{_C}chart/{_C}title")
    if title is not None:
        written = "".join(t.text or "" for t in title.iter(f"{_A}t"))
        yield Part("figure", written or "".join(_points(title).values()), section=section)
    plots = [e for e in root.iter() if isinstance(e.tag, str) and _CHART.search(e.tag)]
    for plot in plots:
        kind = _CHART.search(plot.tag)
        if kind and (cells := tuple(_cells(plot))):
            yield Part("figure", f"{kind['kind'].capitalize()} chart", section=section)
            yield Part("table", "", section=section, cells=cells)


def _cells(plot: Any) -> Iterator[Cell]:
    """The categories as rows, the series as columns, as the file keeps them."""
    for column, series in enumerate(plot.findall(f"{_C}ser"), start=1):
        name = series.find(f"{_C}tx")
        yield Cell(0, column, "".join(_points(name).values()) if name is not None else "", header=True)
        for tag, at in (("cat", 0), ("xVal", 0), ("val", column), ("yVal", column)):
            if (values := series.find(f"{_C}{tag}")) is None or (at == 0 and column > 1):
                continue
            yield from (Cell(row + 1, at, text) for row, text in _points(values).items())


def _points(element: Any) -> dict[int, str]:
    points = (point for point, _ in zip(element.iter(f"{_C}pt"), range(_MAX_POINTS), strict=False))
    found = {int(point.get("idx", "0")): point.findtext(f"{_C}v") or "" for point in points}
    return {index: text for index, text in found.items() if 0 <= index < _MAX_POINTS}


def _corner(anchor: Any) -> tuple[int, int]:
    row, column = (anchor.findtext(f"{_XDR}from/{_XDR}{edge}") or "0" for edge in ("row", "col"))
    return int(row), int(column)


def _related(archive: ZipFile, path: str) -> dict[str, str]:
    """The parts of the package that the part at `path` refers to, by id."""
    folder, base = posixpath.split(path)
    root = _xml(archive, f"{folder}/_rels/{base}.rels")
    targets = {}
    for relation in () if root is None else root:
        if relation.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, relation.get("Target", "")))
            targets[relation.get("Id", "")] = target.lstrip("/")
    return targets


def _xml(archive: ZipFile, path: str) -> Any:
    """The part's root, None without such a part."""
    from lxml import etree  # type: ignore[import-untyped]  # ships no types

    if path not in archive.NameToInfo or archive.getinfo(path).file_size > _MAX_PART_BYTES:
        return None
    # The package was checked to declare no entities; this holds for whoever calls without.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(archive.read(path), parser)
