"""HTML, read by docling-slim; what a browser would not show is kept apart."""

from __future__ import annotations

import re
from typing import Any

from ingestion.encoding import decode
from ingestion.options import ReadOptions
from ingestion.parse.office import office_route, open_backend
from ingestion.parse.tree import Tree
from ingestion.parse.unseen import take_hidden
from ingestion.parsed import Parsed
from runtime.errors import DocumentCorrupt, DocumentTooLarge

_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)[^<>]*>", re.IGNORECASE)
_NEVER_CLOSED = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_RAW = frozenset({"script", "style"})
_PICTURES = frozenset("img picture svg object embed iframe video audio canvas".split())
_HEADING = re.compile("h[1-6]$")


def parse(data: bytes, name: str, options: ReadOptions) -> Parsed:
    """Headings, text, lists and tables; nothing the page refers to is fetched, no script is kept.

    Raises DocumentCorrupt, DocumentTooLarge (tags nested deeper than `limits.nesting`).
    """
    from docling.backend.html_backend import HTMLDocumentBackend
    from docling.datamodel.backend_options import HTMLBackendOptions
    from docling.datamodel.base_models import InputFormat

    text = decode(data)
    if text is None:
        raise DocumentCorrupt(f"{name!r} is not text", document=name)
    limit = options.limits.nesting
    if _nests_deeper(text, limit):
        raise DocumentTooLarge(f"{name!r} nests its tags more than {limit} deep", document=name, limit=limit)
    settings = HTMLBackendOptions(
        fetch_images=False, enable_local_fetch=False, enable_remote_fetch=False, infer_furniture=False
    )
    # With a byte order mark the page's own `charset`, which held for the original bytes, is not believed.
    page = open_backend(text.encode("utf-8-sig"), name, InputFormat.HTML, HTMLDocumentBackend, settings)
    hidden = take_hidden(page.soup)
    _drop_furniture(page.soup)
    parts = [*Tree(page.convert()).parts(), *hidden]
    return Parsed(tuple(parts), office_route("html", parts, easiest="MEDIUM"))


def _drop_furniture(soup: Any) -> None:
    """Pictures; the page's own foot; and the menus above the first heading.

    docling's own guess, to drop all that stands above the first heading, loses many an introduction.
    """
    tags = [tag for tag in soup.descendants if tag.name]
    first = next((place for place, tag in enumerate(tags) if _HEADING.match(tag.name)), len(tags))
    around = {id(outer) for outer in tags[first].parents} if first < len(tags) else set()
    for place, tag in enumerate(tags):
        menu = place < first and id(tag) not in around and _is_menu(tag)
        # Taken out, not destroyed: a destroyed tag's children would stumble.
        if menu or tag.name in _PICTURES or _is_foot(tag):
            tag.extract()


def _is_menu(tag: Any) -> bool:
    return tag.name in ("nav", "header") or tag.get("role") in ("navigation", "search", "banner")


def _is_foot(tag: Any) -> bool:
    return tag.name == "footer" and not tag.find_parent(["main", "article"])


def _nests_deeper(page: str, limit: int) -> bool:
    """Counts as BeautifulSoup nests: an unclosed tag holds what follows, an end tag closes all inside."""
    open_tags: list[str] = []
    for closing, tag in _TAG.findall(page):
        name = tag.lower()
        if open_tags and open_tags[-1] in _RAW and not (closing and name == open_tags[-1]):
            continue
        if not closing and name not in _NEVER_CLOSED:
            open_tags.append(name)
        elif closing and name in open_tags:
            while open_tags.pop() != name:
                pass
        if len(open_tags) > limit:
            return True
    return False
