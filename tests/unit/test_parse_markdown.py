"""Markdown: what is left out of it."""

from __future__ import annotations

from ingestion.parse import markdown
from tests.unit.seen import OPTIONS


def test_front_matter_is_noted() -> None:
    """A price may stand there; a rule between paragraphs is none."""
    front = markdown.parse(b"---\ntitle: Guide\nprice: 39\n---\n# Guide\n", "g.md", OPTIONS)
    assert front.notes == ("left out: front matter, 2 lines",)
    assert markdown.parse(b"# Guide\n\n---\n\nText\n\n---\n", "g.md", OPTIONS).notes == ()
