"""The chunking that a run or the settings ask for by name and parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from qdrant_edge import Bm25

from ingestion.embedders.bm25 import bm25
from ingestion.strategies.semantic import Vector
from ingestion.strategy import DEFAULT, Strategy, build
from ingestion.tokens import counter
from runtime.errors import InvalidInput


class Asked(BaseModel):
    """What JSON may say. How tokens are counted is for the settings alone: it may name a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = DEFAULT
    parameters: Mapping[str, Any] = {}


def strategy_of(asked: Mapping[str, Any], tokens: str = "rule") -> Strategy:
    """The strategy that is asked for. `tokens`: how they are counted, as `ingestion.tokens.counter` names it.

    Raises InvalidInput, which names what is allowed, and SettingsInvalid without the vocabulary.
    """
    try:
        given = Asked.model_validate(asked)
    except ValidationError as exc:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors())
        raise InvalidInput(f"the strategy is not valid: {faults}; known are {[*Asked.model_fields]}") from exc
    return build(given.name, given.parameters, rule=counter(tokens), embed=_weights)


def _weights(texts: Sequence[str]) -> Sequence[Vector]:
    """By words, whatever the index holds: where this runs is neither a model nor a network."""
    vectors = (_model().embed_document(text) for text in texts)
    return [dict(zip(vector.indices, vector.values, strict=True)) for vector in vectors]


@cache
def _model() -> Bm25:
    return bm25()
