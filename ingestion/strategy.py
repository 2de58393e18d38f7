"""The chunking strategies by name: their parameters, and what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ingestion.chunk import Draft, Family, families
from ingestion.document import Document
from ingestion.ruler import Ruler
from ingestion.strategies import fixed, markdown, parent_child, recursive, semantic, sentence, table
from ingestion.strategies.semantic import Embed
from ingestion.tokens import Count, count
from runtime.errors import InvalidInput

DEFAULT = "parent_child"


class Entry(NamedTuple):
    """A strategy as it is known by its name."""

    parameters: type[BaseModel]
    cut: Callable[..., Iterator[Draft]]
    """Takes a Ruler and the parameters, and `embed` where the strategy embeds."""
    embeds: bool = False


STRATEGIES = {
    "parent_child": Entry(parent_child.Parameters, parent_child.cut),
    "recursive": Entry(recursive.Parameters, recursive.cut),
    "sentence": Entry(sentence.Parameters, sentence.cut),
    "markdown": Entry(markdown.Parameters, markdown.cut),
    "table": Entry(table.Parameters, table.cut),
    "semantic": Entry(semantic.Parameters, semantic.cut, embeds=True),
    "fixed": Entry(fixed.Parameters, fixed.cut),
}


@dataclass(frozen=True)
class Strategy:
    """A way to chunk, with its parameters. Made by `build`; equal ones make the same chunks."""

    name: str
    parameters: BaseModel
    rule: Count
    embed: Embed | None

    def __call__(self, document: Document, document_id: str) -> list[Family]:
        """The chunks, in the document's order: every child in a parent, [] for a document without blocks."""
        if not document.blocks:
            return []
        ruler = Ruler(document, self.rule)
        return families(ruler, document_id, self._cut(ruler, self.parameters))

    @property
    def _cut(self) -> Callable[..., Iterator[Draft]]:
        cut = STRATEGIES[self.name].cut
        return partial(cut, embed=self.embed) if self.embed else cut


def build(
    name: str, parameters: Mapping[str, Any] = {}, *, rule: Count = count, embed: Embed | None = None
) -> Strategy:
    """The strategy of that name. `embed` is for `semantic` alone, which needs it.

    Raises InvalidInput for an unknown name or parameter, or a value that is not allowed, and says what is.
    """
    entry = _entry(name)
    if entry.embeds and embed is None:
        raise InvalidInput(f"{name!r} needs an embedder, and none is configured")
    try:
        checked = entry.parameters.model_validate(dict(parameters))
    except ValidationError as exc:
        raise InvalidInput("; ".join(_said(name, error) for error in exc.errors())) from exc
    return Strategy(name, checked, rule, embed if entry.embeds else None)


def schema(name: str) -> dict[str, Any]:
    """JSON schema of the strategy's parameters, for a form. Raises InvalidInput for an unknown name."""
    return _entry(name).parameters.model_json_schema()


def _entry(name: str) -> Entry:
    if name not in STRATEGIES:
        raise InvalidInput(f"there is no chunking strategy {name!r}; there are {', '.join(STRATEGIES)}")
    return STRATEGIES[name]


def _said(name: str, error: ErrorDetails) -> str:
    properties = schema(name)["properties"]
    if not error["loc"]:
        return f"{name}: {error['msg'].removeprefix('Value error, ')}"
    field = str(error["loc"][0])
    if field not in properties:
        return f"{name} has no parameter {field!r}; it has {', '.join(properties)}"
    least, most = properties[field]["minimum"], properties[field]["maximum"]
    return f"{name}: {field} is {error['input']!r}; allowed is a whole number from {least} to {most}"
