"""A PPTX as its audience sees it: pictures gone, unseen text taken out; and the words of its diagrams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ingestion.document import Part

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_TINY_HUNDREDTHS = 100
"""A size of one point and less is nothing that anybody reads."""
_WHITE = {"FFFFFF"}
_WHITE_SCHEME = {"bg1", "lt1"}
"""White in all but dark themes."""
_Edges = tuple[int, int, int, int]


def take_hidden(slide: Any, page: int) -> list[Part]:
    """Removes the runs that nobody in the room sees from a python-pptx slide, and all pictures.

    White text counts where the slide is white and nothing is painted below it.
    """
    runs = [run for run in slide.element.iter(f"{_A}r") if (run.findtext(f"{_A}t") or "").strip()]
    bare = all(map(_has_white_ground, _layers(slide)))
    painted = [_box(element) for layer in _layers(slide) for element in _painted(layer)] if bare else []
    taken = []
    for run in runs:
        if why := _why_hidden(run, painted if bare else None):
            taken.append(Part("paragraph", run.findtext(f"{_A}t"), page=page, hidden=why))
            run.getparent().remove(run)
    for picture in list(slide.element.iter(f"{_P}pic")):
        picture.getparent().remove(picture)
    return taken


def diagrams(slide: Any, page: int) -> list[Part]:
    """What stands in the slide's SmartArt, a list for each: docling does not look there."""
    from pptx.oxml import parse_xml

    parts = []
    for ids in slide.element.iter(f"{_DGM}relIds"):
        related = slide.part.rels.get(ids.get(f"{_R}dm", ""))
        if related is None or related.is_external:
            continue
        root = parse_xml(related.target_part.blob)
        lines = ["".join(t.text or "" for t in p.iter(f"{_A}t")).strip() for p in root.iter(f"{_A}p")]
        parts.append(Part("list", "\n".join(f"- {line}" for line in lines if line), page=page))
    return parts


def _why_hidden(run: Any, painted: Sequence[_Edges | None] | None) -> str:
    """`painted`: what is painted on a white slide; None for a slide of another colour."""
    properties = run.find(f"{_A}rPr")
    if properties is None:
        return ""
    size = properties.get("sz", "")
    if size.isdigit() and int(size) <= _TINY_HUNDREDTHS:
        return "zero size"
    fill = properties.find(f"{_A}solidFill")
    shape = next(run.iterancestors(f"{_P}sp"), None)
    if fill is None or not _paints_white(fill) or shape is None:
        return ""
    ground = shape.find(f"{_P}spPr/{_A}solidFill")
    if ground is not None:
        return "white on white" if _paints_white(ground) else ""
    if painted is None or _is_painted(shape):
        return ""
    here = _box(shape)
    return "" if any(_overlap(here, box) for box in painted) else "white on white"


def _layers(slide: Any) -> tuple[Any, ...]:
    """What is painted over each other, from the top."""
    layout = slide.slide_layout
    return slide.element, layout.element, layout.slide_master.element


def _has_white_ground(layer: Any) -> bool:
    """Without a background of its own a layer shows the one below, a master the white of its theme."""
    ground = layer.find(f"{_P}cSld/{_P}bg")
    if ground is None:
        return True
    # `bgRef` names a fill of the theme by index; 1001 is its plain colour.
    plain = (reference for reference in ground.iter(f"{_P}bgRef") if reference.get("idx") == "1001")
    return any(map(_paints_white, (*ground.iter(f"{_A}solidFill"), *plain)))


def _painted(layer: Any) -> Iterator[Any]:
    yield from layer.iter(f"{_P}pic")
    yield from filter(_is_painted, layer.iter(f"{_P}sp"))


def _box(shape: Any) -> _Edges | None:
    """None for a shape whose place the layout says."""
    place, size = (shape.find(f"{_P}spPr/{_A}xfrm/{_A}{tag}") for tag in ("off", "ext"))
    if place is None or size is None or next(shape.iterancestors(f"{_P}grpSp"), None) is not None:
        return None
    x, y = int(place.get("x", 0)), int(place.get("y", 0))
    return x, y, x + int(size.get("cx", 0)), y + int(size.get("cy", 0))


def _overlap(one: _Edges | None, other: _Edges | None) -> bool:
    if one is None or other is None:
        return True
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _is_painted(shape: Any) -> bool:
    properties = shape.find(f"{_P}spPr")
    if properties is None or properties.find(f"{_A}noFill") is not None:
        return False
    fills = ("gradFill", "blipFill", "pattFill", "grpFill")
    if any(properties.find(f"{_A}{fill}") is not None for fill in fills):
        return True
    solid = properties.find(f"{_A}solidFill")
    if solid is not None:
        return not _paints_white(solid)
    styled = shape.find(f"{_P}style/{_A}fillRef")
    return styled is not None and styled.get("idx") != "0"


def _paints_white(fill: Any) -> bool:
    return any(colour.get("val", "") in _WHITE | _WHITE_SCHEME for colour in fill)
