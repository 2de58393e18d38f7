"""Previews, comparisons and what is kept of them."""

from __future__ import annotations

import pytest

from ingestion.document import Document, Part, assemble
from ingestion.preview import PreviewCache, compare, preview, sizes_of
from ingestion.strategy import build
from runtime.errors import InvalidInput

TEXT = " ".join(f"This is sentence number {i}." for i in range(100))


def document(text: str = TEXT, kind: str = "paragraph") -> Document:
    """Some headings and sentences."""
    return assemble("d", [Part("heading", "Head", 1, 1), Part(kind, text, page=2)])  # type: ignore[arg-type]


def test_a_preview_shows_the_chunks() -> None:
    """Its offsets, sizes and cost are those of the chunks that would be indexed."""
    made = preview(document(), build("parent_child", {"child_tokens": 32, "parent_tokens": 128}))
    families = made.strategy(document(), "id")
    children = [child for family in families for child in family.children]
    assert [(c.start, c.end, c.tokens, c.page) for c in made.chunks] == [
        (c.start, c.end, c.tokens, c.page) for c in children
    ]
    assert made.parents == len(families) and made.chunks[-1].parent == made.parents - 1
    assert made.sizes.largest == max(child.tokens for child in children) <= 32
    tokens = sum(child.tokens for child in children)
    assert made.cost.stored == tokens + sum(family.parent.tokens for family in families)
    assert made.cost.embedded == tokens + len(children)  # The section "Head" is one token.


def test_boundary_quality() -> None:
    """Sentence ends are good places to cut; a window's are not."""
    assert preview(document(), build("sentence", {"tokens": 64})).boundary_quality == 1
    assert preview(document(), build("fixed", {"tokens": 64})).boundary_quality < 0.5
    assert preview(document("One."), build("fixed")).boundary_quality == 1


def test_overlap_is_measured() -> None:
    """What is repeated is paid for twice."""
    made = preview(document(), build("fixed", {"tokens": 100, "overlap": 20}))
    assert [chunk.overlap for chunk in made.chunks] == [0, *[20] * (len(made.chunks) - 1)]
    assert 0.15 < made.overlap < 0.2
    assert preview(document(), build("sentence")).overlap == 0


def test_sizes() -> None:
    """A percentile is the size of some chunk."""
    assert sizes_of(range(1, 102)) == (1, 11, 51, 91, 101)
    assert sizes_of([]) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("number", [0, 1, 7])
def test_two_to_six_are_compared(number: int) -> None:
    """More do not fit a page; one has nothing to be compared with."""
    with pytest.raises(InvalidInput, match=f"{number} strategies cannot be compared; allowed are 2 to 6"):
        compare(document(), [build("fixed", {"tokens": 64 + i}) for i in range(number)])


def test_a_comparison_keeps_the_order() -> None:
    """The page shows them as they were asked for."""
    asked = [build("sentence"), build("fixed"), build("markdown")]
    assert [made.strategy for made in compare(document(), asked).previews] == asked


def test_a_kept_preview_is_the_same_object() -> None:
    """It is not made twice, unless the document or the strategy is another."""
    cache = PreviewCache()
    [first] = cache.get(document(), [build("fixed", {"tokens": 64})])
    assert (
        compare(document(), [build("fixed", {"tokens": 64}), build("sentence")], cache).previews[0] is first
    )
    assert cache.get(document(), [build("fixed", {"tokens": 65})]) != [first]
    assert cache.get(document(TEXT + "!"), [build("fixed", {"tokens": 64})])[0] is not first
    assert cache.get(document(kind="list"), [build("fixed", {"tokens": 64})])[0] is not first


def test_the_cache_is_bounded() -> None:
    """Those asked for longest ago go first."""
    cache = PreviewCache(max_chunks=40)
    strategies = [build("fixed", {"tokens": 64 + i}) for i in range(10)]
    made = [cache.get(document(), [strategy])[0] for strategy in strategies]
    assert cache.chunks <= 40
    assert cache.get(document(), strategies[-1:])[0] is made[-1]
    assert cache.get(document(), strategies[:1])[0] is not made[0]
