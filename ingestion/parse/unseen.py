"""What a browser would not show of a page, by attributes, inline styles and the page's plain style rules."""

from __future__ import annotations

import re
from typing import Any

from ingestion.document import Part

_AT_RULE = re.compile(r"@[^{;]*(\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}|;)")
"""What holds only for print or a narrow window."""
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_SIMPLE = re.compile(r"[\w-]*([.#][\w-]+)$")
_HIDING = (
    (re.compile(r"(?:^|;)display:none"), "display: none"),
    (re.compile(r"(?:^|;)visibility:(?:hidden|collapse)"), "visibility: hidden"),
    (re.compile(r"(?:^|;)font-size:0(?:\.0*)?(?:px|pt|em|rem|%)?(?:;|!|$)"), "zero size"),
    (re.compile(r"(?:^|;)opacity:0(?:\.0*)?%?(?:;|!|$)"), "opacity: 0"),
    (re.compile(r"(?:^|;)(?:text-indent|left|top|margin-left):-\d{4,}"), "off the page"),
)
_WHITE_TEXT = re.compile(r"(?:^|;)color:(?:#fff(?:fff)?|white|rgb\(255,255,255\))(?:;|!|$)")
_BACKGROUND = re.compile(r"(?:^|;)background(?:-color|-image)?:([^;]+)")
_NEVER_SHOWN = frozenset({"head", "script", "style", "template", "noscript"})
_WHITE = re.compile(r"(?:#fff(?:fff)?|white|rgb\(255,255,255\)|none|transparent)(?:!important)?$")


def take_hidden(soup: Any) -> list[Part]:
    """Removes the elements that a reader of the page does not see from the soup; they come back as hidden."""
    rules = _hiding_rules(soup)
    taken = []
    waiting = [soup]
    while waiting:
        for element in [child for child in waiting.pop().children if child.name]:
            why = "" if element.name in _NEVER_SHOWN else _why_hidden(element, rules)
            if not why:
                waiting.append(element)
            elif text := element.extract().get_text(" ", strip=True):
                taken.append(Part("paragraph", text, hidden=why))
    return taken


def _why_hidden(element: Any, rules: dict[str, str]) -> str:
    if not element.attrs:
        return ""
    if "hidden" in element.attrs:
        return "hidden"
    if str(element.get("aria-hidden", "")).strip().lower() == "true":
        return "aria-hidden"
    names = (*(f".{name}" for name in _classes(element)), f"#{element.get('id')}") if rules else ()
    if why := next((rules[name] for name in names if name in rules), ""):
        return why
    style = _style(element)
    for sign, why in _HIDING if style else ():
        if sign.search(style):
            return why
    return "white on white" if style and _WHITE_TEXT.search(style) and _stands_on_white(element) else ""


def _stands_on_white(element: Any) -> bool:
    """The nearest background decides; a class may paint one that only the style sheets know."""
    for outer in (element, *element.parents):
        if outer.name == "[document]":
            break
        background = _BACKGROUND.search(_style(outer))
        painted = background[1] if background else str(outer.get("bgcolor", "")).lower()
        if painted:
            return bool(_WHITE.match(painted))
        if outer.name not in ("html", "body") and (_classes(outer) or outer.get("id")):
            return False
    return True


def _hiding_rules(soup: Any) -> dict[str, str]:
    """Reasons by `.class` and `#id`."""
    rules = {}
    for sheet in soup.find_all("style"):
        for selectors, body in _RULE.findall(_AT_RULE.sub("", sheet.get_text())):
            style = _plain(body)
            why = next((why for sign, why in _HIDING if sign.search(style)), "")
            for selector in selectors.split(",") if why else ():
                if simple := _SIMPLE.match(selector.strip()):
                    rules[simple[1]] = why
    return rules


def _classes(element: Any) -> list[str]:
    classes = element.get("class") or []
    return classes.split() if isinstance(classes, str) else list(classes)


def _style(element: Any) -> str:
    return _plain(str(element.get("style") or ""))


def _plain(style: str) -> str:
    return re.sub(r"\s+|/\*.*?\*/", "", style.lower())
