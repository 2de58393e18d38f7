"""The registry: what is allowed, and what is said where it is not."""

from __future__ import annotations

import pytest

from ingestion.document import assemble
from ingestion.strategy import DEFAULT, STRATEGIES, build, schema
from runtime.errors import InvalidInput


def embed(texts: object) -> list[list[float]]:
    """Never called."""
    raise AssertionError(texts)


def test_the_default_is_parent_child() -> None:
    """Children of 128 tokens are found, parents of 512 read."""
    assert build(DEFAULT).parameters.model_dump() == {"child_tokens": 128, "parent_tokens": 512}


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_parameter_has_a_default_a_range_and_a_description(name: str) -> None:
    """A page makes its form of the schema alone."""
    properties = schema(name)["properties"]
    assert all({"default", "minimum", "maximum", "description"} <= set(p) for p in properties.values())
    assert schema(name)["additionalProperties"] is False


@pytest.mark.parametrize("name", STRATEGIES)
def test_nothing_comes_of_nothing(name: str) -> None:
    """A document without blocks has no chunks."""
    assert build(name, embed=embed)(assemble("d", []), "id") == []


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("clever", {}, "no chunking strategy 'clever'; there are parent_child, recursive, sentence"),
        ("fixed", {"size": 1}, "fixed has no parameter 'size'; it has tokens, overlap"),
        ("fixed", {"rule": 1}, "fixed has no parameter 'rule'; it has tokens, overlap"),
        ("fixed", {"embed": 1}, "fixed has no parameter 'embed'; it has tokens, overlap"),
        ("fixed", {"name": "x"}, "fixed has no parameter 'name'; it has tokens, overlap"),
        ("fixed", {"tokens": 15}, "tokens is 15; allowed is a whole number from 16 to 8192"),
        ("fixed", {"overlap": 51}, "overlap is 51; allowed is a whole number from 0 to 50"),
        ("sentence", {"tokens": "many"}, "tokens is 'many'; allowed is a whole number"),
        ("markdown", {"level": 7}, "level is 7; allowed is a whole number from 1 to 6"),
        ("parent_child", {"child_tokens": 600}, "child_tokens is 600 and parent_tokens 512"),
        ("semantic", {"tokens": 16}, "min_tokens is 32 and tokens 16"),
    ],
)
def test_what_is_not_allowed_is_refused(name: str, parameters: dict[str, object], said: str) -> None:
    """The message names the value, and what would be allowed."""
    with pytest.raises(InvalidInput, match=said):
        build(name, parameters, embed=embed)


def test_semantic_needs_an_embedder() -> None:
    """Without vectors there are no subjects."""
    with pytest.raises(InvalidInput, match="'semantic' needs an embedder"):
        build("semantic")


def test_equal_strategies_are_one() -> None:
    """Previews are kept by strategy."""
    one, same, other = (build("fixed", {"tokens": tokens}) for tokens in (64, 64, 65))
    assert one == same
    assert len({one, same, other}) == 2
