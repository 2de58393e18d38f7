"""A DOCX as its reader sees it: changes accepted, pictures gone, and what the eye cannot see taken out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ingestion.document import Part

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_NAMES = {
    "w": _W[1:-1],
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
    "c": "http://schemas.openxmlformats.org/drawingml/2006/chart",
    "v": "urn:schemas-microsoft-com:vml",
    "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
    "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
}
_DROPPED = (
    "//w:p//w:del | //w:moveFrom | //w:tr[w:trPr/w:del] | //w:tc[w:tcPr/w:cellDel]"
    # docling would decode the pictures and, for some, start LibreOffice.
    " | //w:drawing[not(.//w:txbxContent) and not(.//c:chart)]"
    " | //w:pict[not(.//w:txbxContent) and not(.//v:textbox)]"
)
_UNWRAPPED = "//w:ins[*] | //w:moveTo | //w:p//w:smartTag | //w:p//w:fldSimple"
_CONTROLS = "//w:p/w:sdt[not(w:sdtPr/w14:checkbox)]/w:sdtContent"
_SUSPECTS = (
    "//w:rPr/w:vanish | //w:rPr/w:sz[@w:val <= 2] | //w:rPr/w:color[@w:val='FFFFFF' or @w:val='ffffff']"
)
_FILLED_SHAPE = (
    "ancestor::wps:wsp[1][wps:spPr/*[self::a:solidFill[not(a:srgbClr/@val='FFFFFF')] or self::a:gradFill"
    " or self::a:blipFill or self::a:pattFill]"
    " or wps:style/a:fillRef[@idx != '0'] and not(wps:spPr/a:noFill)]"
    " | ancestor::v:*[@fillcolor][1]"
)
_TINY_HALF_POINTS = 2
"""A size of one point and less is nothing that anybody reads."""
_OFF = ("0", "false", "off", "none")
_NO_FILL = ("", "auto", "ffffff", "none", "white")


def accept_changes(body: Any) -> None:
    """Takes deletions out and insertions in, and drops pictures.

    In a table's cell python-docx sees only direct runs, and loses what somebody inserted.
    """
    for element in _found(body, _DROPPED):
        _remove(element)
    for element in _found(body, _UNWRAPPED):
        _unwrap(element, element)
    for content in _found(body, _CONTROLS):
        _unwrap(content, content.getparent())


def take_hidden(document: Any) -> list[Part]:
    """Removes the runs that no reader sees from the python-docx document; they come back as hidden parts."""
    body, styles = document.element.body, document.styles.element
    if not _found(body, _SUSPECTS) and not _found(styles, _SUSPECTS):
        return []
    looks = _Looks(styles)
    taken: list[Part] = []
    for paragraph in list(body.iter(f"{_W}p")):
        hidden: dict[str, str] = {}
        for run in _runs(paragraph):
            text = "".join(piece.text or "" for piece in run.findall(f"{_W}t"))
            if why := text.strip() and looks.why_hidden(run, paragraph):
                hidden[why] = hidden.get(why, "") + text
                _remove(run)
        taken.extend(Part("paragraph", text, hidden=why) for why, text in hidden.items())
    return taken


class _Looks:
    """How a run looks, by its own properties and by the styles of its characters and its paragraph."""

    def __init__(self, styles: Any) -> None:
        self._styles = {style.get(f"{_W}styleId"): style for style in styles.iter(f"{_W}style")}
        self._known: dict[str, Mapping[str, str]] = {}

    def why_hidden(self, run: Any, paragraph: Any) -> str:
        """`vanish`, `zero size`, `white on white`; "" for what is seen."""
        own = run.find(f"{_W}rPr")
        look = {
            **self._of_style(_value(paragraph, f"{_W}pPr/{_W}pStyle")),
            **self._of_style(_value(own, f"{_W}rStyle")),
            **_look(own),
        }
        if look.get("vanish", "0") not in _OFF:
            return "vanish"
        size = look.get("sz", "")
        if size.isdigit() and int(size) <= _TINY_HALF_POINTS:
            return "zero size"
        white = look.get("color", "").lower() == "ffffff"
        return "white on white" if white and not self._on_colour(run, paragraph, look) else ""

    def _of_style(self, style_id: str, depth: int = 0) -> Mapping[str, str]:
        """With what the style is based on; `depth` ends a circle."""
        style = self._styles.get(style_id)
        if style is None or depth > 10:
            return {}
        if style_id not in self._known:
            below = self._of_style(_value(style, f"{_W}basedOn"), depth + 1)
            fill = _fill(style.find(f"{_W}pPr"))
            self._known[style_id] = {
                **below,
                **({"shd": fill} if fill else {}),
                **_look(style.find(f"{_W}rPr")),
            }
        return self._known[style_id]

    def _on_colour(self, run: Any, paragraph: Any, look: Mapping[str, str]) -> bool:
        if any(look.get(key, "").lower() not in _NO_FILL for key in ("shd", "highlight")):
            return True
        if _fill(paragraph.find(f"{_W}pPr")) or _found(run, _FILLED_SHAPE):
            return True
        for cell in paragraph.iterancestors(f"{_W}tc"):
            if _fill(cell.find(f"{_W}tcPr")):
                return True
        for table in paragraph.iterancestors(f"{_W}tbl"):
            properties = table.find(f"{_W}tblPr")
            style = self._styles.get(_value(properties, f"{_W}tblStyle"))
            # Which of a table style's fills meets this cell is for Word to work out.
            if _fill(properties) or (style is not None and any(map(_is_fill, style.iter(f"{_W}shd")))):
                return True
        return bool(_found(run, "/w:document/w:background"))


def _found(element: Any, path: str) -> list[Any]:
    from lxml import etree  # type: ignore[import-untyped]  # ships no types

    return list(etree.XPath(path, namespaces=_NAMES)(element))


def _runs(paragraph: Any) -> Iterator[Any]:
    """The paragraph's own runs, not those of a text box in it."""
    for run in list(paragraph.iter(f"{_W}r")):
        if next(run.iterancestors(f"{_W}p"), None) is paragraph:
            yield run


def _look(properties: Any) -> dict[str, str]:
    if properties is None:
        return {}
    look = {}
    for key in ("vanish", "sz", "color", "highlight"):
        if (element := properties.find(f"{_W}{key}")) is not None:
            look[key] = element.get(f"{_W}val", "1")
    if fill := _fill(properties):
        look["shd"] = fill
    return look


def _fill(properties: Any) -> str:
    """The colour behind, "" for none and white."""
    shading = None if properties is None else properties.find(f"{_W}shd")
    return shading.get(f"{_W}fill") if shading is not None and _is_fill(shading) else ""


def _is_fill(shading: Any) -> bool:
    return (shading.get(f"{_W}fill") or "").lower() not in _NO_FILL


def _value(element: Any, path: str) -> str:
    found = None if element is None else element.find(path)
    return "" if found is None else found.get(f"{_W}val", "")


def _remove(element: Any) -> None:
    if (parent := element.getparent()) is not None:
        parent.remove(element)


def _unwrap(content: Any, wrapper: Any) -> None:
    """Puts the children of `content` where `wrapper` stands."""
    parent = wrapper.getparent()
    if parent is None:
        return
    for child in list(content):
        wrapper.addprevious(child)
    parent.remove(wrapper)
