"""HTML through docling-slim, and what of it nobody sees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingestion.limits import Limits
from ingestion.parse import html
from ingestion.table import Cell
from runtime.errors import DocumentCorrupt, DocumentTooLarge
from tests.unit.seen import OPTIONS, seen


def read(body: str, head: str = "") -> tuple[str, set[tuple[str, str]]]:
    """The text of a page, and its hidden texts with their reasons."""
    page = f"<html><head>{head}</head><body>{body}</body></html>"
    document = seen(html.parse(page.encode(), "g.html", OPTIONS))
    return document.text, {(h.text, h.why) for h in document.hidden}


def test_blocks() -> None:
    """Scripts and styles are no text; nested lists and tables are."""
    page = """<html><head><title>T</title><style>p{}</style></head><body><script>evil()</script>
    <h1>Guide</h1><h2>Price</h2><p>Say <b>why</b>, then wait.</p><ul><li>One<ul><li>Deep</li></ul></li></ul>
    <table><tr><th>Plan</th><th>USD</th></tr><tr><td>Team</td><td>39</td></tr></table></body></html>"""
    document = seen(html.parse(page.encode(), "g.html", OPTIONS))
    assert [(b.kind, b.section) for b in document.blocks] == [
        ("heading", "Guide"),
        ("heading", "Guide > Price"),
        ("paragraph", "Guide > Price"),
        ("list", "Guide > Price"),
        ("table", "Guide > Price"),
    ]
    assert "Say why, then wait." in document.text and "- One\n  - Deep" in document.text
    assert "evil" not in document.text and "p{}" not in document.text


def test_spans_and_figures() -> None:
    """Cells keep rows and columns they cover; a picture's caption is a figure."""
    page = """<html><body><h1>G</h1><table><tr><th colspan=2>Price</th></tr>
    <tr><td rowspan=2>Team</td><td>39</td></tr><tr><td>36</td></tr></table>
    <figure><img src="http://x.invalid/a.png"><figcaption>Growth by year</figcaption></figure></body>"""
    document = seen(html.parse(page.encode(), "g.html", OPTIONS))
    assert document.blocks[1].cells == (
        Cell(0, 0, "Price", 1, 2, True),
        Cell(1, 0, "Team", 2, 1),
        Cell(1, 1, "39"),
        Cell(2, 1, "36"),
    )
    assert ("figure", "Growth by year") in [(b.kind, b.text) for b in document.blocks]


def test_what_stands_above_the_first_heading() -> None:
    """An introduction is content, a menu is not."""
    text, _ = read(
        "<nav><a>Home</a></nav><p>Introduction.</p><h1>Guide</h1><p>One.</p><footer>Imprint</footer>"
    )
    assert "Introduction." in text and "Home" not in text and "Imprint" not in text


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('<p hidden="">secret</p>', "hidden"),
        ('<div aria-hidden="true"><p>secret</p></div>', "aria-hidden"),
        ('<p style="display: none">secret</p>', "display: none"),
        ('<p style="Visibility:Hidden;">secret</p>', "visibility: hidden"),
        ('<span style="font-size:0px">secret</span>', "zero size"),
        ('<span style="opacity: 0">secret</span>', "opacity: 0"),
        ('<p style="position:absolute;left:-9999px">secret</p>', "off the page"),
        ('<p style="color:#FFF">secret</p>', "white on white"),
        ('<p style="color:white;background:#ffffff">secret</p>', "white on white"),
        ('<p class="x ghost">secret</p>', "display: none"),
    ],
)
def test_text_that_nobody_sees_is_kept_apart(body: str, why: str) -> None:
    """Instructions to the model arrive in text that people do not see."""
    text, hidden = read(f"<h1>Guide</h1>{body}<p>One.</p>", "<style>.ghost, #z {display:none}</style>")
    assert text == "Guide\n\nOne." and hidden == {("secret", why)}


@pytest.mark.parametrize(
    "body",
    [
        '<div style="background:#123456"><p style="color:white">design</p></div>',
        '<div class="hero"><p style="color:#fff">design</p></div>',
        '<td bgcolor="navy"><font style="color:white">design</font></td>',
        '<p class="noprint">design</p>',
        '<p style="opacity:0.9; font-size:0.8em">design</p>',
    ],
)
def test_designs_are_no_tricks(body: str) -> None:
    """White on a colour, or hidden in print alone, is seen."""
    text, hidden = read(f"<h1>G</h1>{body}", "<style>@media print {.noprint {display:none}}</style>")
    assert "design" in text and not hidden


def test_deep_nesting_is_refused_at_once() -> None:
    """Twenty kilobytes of open tags would keep the backend busy for half a minute."""
    with pytest.raises(DocumentTooLarge, match="more than 300 deep"):
        html.parse(b"<html><body>" + b"<div>" * 5_000, "deep.html", OPTIONS)
    closed = b"<html><body>" + b"<div><br><script>if (a<b) {</script><p>One.</div>" * 500
    assert seen(html.parse(closed, "wide.html", OPTIONS)).text.count("One.") == 500
    with pytest.raises(DocumentTooLarge, match="more than 3 deep"):
        html.parse(b"<html><body><div><p>x", "d.html", replace(OPTIONS, limits=Limits(nesting=3)))


def test_gb18030() -> None:
    """The page's bytes are decoded here, so its own charset must not be applied a second time."""
    page = (
        '<html><head><meta charset="gb2312"></head><body><h1>价格</h1><p>团队版三十九美元</p></body></html>'
    )
    assert "团队版三十九美元" in seen(html.parse(page.encode("gb18030"), "g.html", OPTIONS)).text


def test_levels() -> None:
    """Tables make a page hard; without, its structure says little."""
    table = "<table><tr><td>1</td><td>2</td></tr></table>"
    assert (
        html.parse(f"<html><p>x</p>{table}{table}</html>".encode(), "a.html", OPTIONS).route.level == "HIGH"
    )
    assert html.parse(b"<html><p>Some text.</p></html>", "a.html", OPTIONS).route.level == "MEDIUM"


def test_binary_is_refused() -> None:
    """Called by itself, the parser must not make letters of an image."""
    with pytest.raises(DocumentCorrupt, match=r"'x\.html'"):
        html.parse(b"\x89PNG\r\n\x1a\n" + bytes(64), "x.html", OPTIONS)
