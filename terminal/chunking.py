"""`cornerman chunks`: how a document would be cut, strategies side by side, and which one suits it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from compose import open_reading, setup_of
from ingestion.artifacts import Artifacts
from ingestion.budget import ByteBudget
from ingestion.chunking import strategy_of
from ingestion.document import Document
from ingestion.preview import Preview, PreviewCache, compare
from ingestion.recommend import recommend
from ingestion.sources.fetch import fetched
from ingestion.sources.locate import locate
from runtime.errors import InvalidInput
from runtime.settings import Settings

_SHOWN = 12
_WORDS = 70
_NUMBER = re.compile("-?[0-9]{1,18}")
"""Bounded, as `int` refuses thousands of digits."""


def parse_strategy(settings: Settings, text: str) -> Mapping[str, Any]:
    """`sentence:tokens=200,overlap=10` as `strategy_of` takes it.

    What is not said of the configured strategy is as configured. Raises InvalidInput.
    """
    configured = setup_of(settings).strategy
    name, _, rest = text.partition(":")
    parameters = dict(configured["parameters"]) if name == configured["name"] else {}
    for pair in filter(None, rest.split(",")):
        key, _, value = pair.partition("=")
        if not _NUMBER.fullmatch(value.strip()):
            raise InvalidInput(f"{pair!r} is not PARAMETER=NUMBER with a whole number, as tokens=200 is")
        parameters[key.strip()] = int(value)
    asked = {"name": name, "parameters": parameters}
    strategy_of(asked)
    return asked


async def show_chunks(
    settings: Settings, path: Path, strategies: Sequence[str], as_json: bool, console: Console
) -> None:
    """Prints a preview of one strategy, or a comparison of two to six, and the recommendation.

    Without a strategy it is the configured one. Raises InvalidInput for a strategy, or where `path` stands
    for more than one document, DocumentError for the file.
    """
    asked = [parse_strategy(settings, text) for text in strategies] or [setup_of(settings).strategy]
    built = [strategy_of(one, settings.tokens) for one in asked]
    document = await _read(settings, path)
    cache = PreviewCache()
    previews = compare(document, built, cache).previews if len(built) > 1 else cache.get(document, built)
    advice = recommend(document)
    if as_json:
        rows = [_json(preview) for preview in previews]
        console.print_json(data={"document": path.name, "previews": rows, "recommended": asdict(advice)})
        return
    console.print(_side_by_side(previews))
    if len(previews) == 1:
        console.print(_listed(document, previews[0]))
    parameters = ",".join(f"{key}={value}" for key, value in advice.parameters.items())
    console.print(Text(f"Recommended: {advice.strategy}" + (f":{parameters}" if parameters else ""), "bold"))
    for reason in advice.reasons:
        console.print(Text(f"  {reason}"))


async def _read(settings: Settings, path: Path) -> Document:
    """The file as ingestion would read it, with nothing written to the index."""
    sources = await locate([path])
    if len(sources) != 1:
        raise InvalidInput(f"{str(path)!r} stands for {len(sources)} documents; `chunks` takes one document")
    source = sources[0]
    with TemporaryDirectory() as folder:
        artifacts = Artifacts(Path(folder))
        async with open_reading(settings) as reader:
            limits = reader.options.limits
            async with fetched(source, limits, ByteBudget(limits.bytes)) as file:
                await reader.read(file.path, source.name, artifacts, lambda done, total: None)
        document = artifacts.document()
    assert document is not None  # The reader has left it there.
    return document


def _json(preview: Preview) -> Mapping[str, Any]:
    strategy = {"name": preview.strategy.name, "parameters": preview.strategy.parameters.model_dump()}
    figures = {key: getattr(preview, key) for key in ("parents", "overlap", "boundary_quality")}
    sizes = {key: getattr(preview, key)._asdict() for key in ("sizes", "parent_sizes", "cost")}
    return {**strategy, **figures, **sizes, "chunks": [chunk._asdict() for chunk in preview.chunks]}


def _side_by_side(previews: Sequence[Preview]) -> Table:
    columns = ("chunks", "parents", "p10", "p50", "p90", "most", "overlap", "good cuts", "embedded")
    table = Table(
        "strategy", *(Column(name, justify="right") for name in columns), title="Chunks (sizes in tokens)"
    )
    for one in previews:
        sizes = one.sizes
        table.add_row(
            one.strategy.name,
            str(len(one.chunks)),
            str(one.parents),
            *map(str, (sizes.p10, sizes.p50, sizes.p90, sizes.largest)),
            f"{one.overlap:.0%}",
            f"{one.boundary_quality:.0%}",
            str(one.cost.embedded),
        )
    return table


def _listed(document: Document, preview: Preview) -> Table:
    """The first chunks, each by its first words."""
    table = Table("", "tokens", "page", "section", "text", title=f"The first {_SHOWN}")
    for number, chunk in enumerate(preview.chunks[:_SHOWN], 1):
        text = " ".join(document.text[chunk.start : chunk.end].split())
        text = text if len(text) <= _WORDS else text[:_WORDS] + "…"
        page = str(chunk.page or "–")
        table.add_row(str(number), str(chunk.tokens), page, Text(chunk.section[:40]), Text(text))
    return table
