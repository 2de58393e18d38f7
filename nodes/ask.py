"""Ask a model for a structure: repaired once, never streamed to the client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.constants import TAG_NOSTREAM
from pydantic import BaseModel

from runtime.errors import ModelOutputInvalid

Schema = TypeVar("Schema", bound=BaseModel)

_REPAIR = "Your answer did not fit the schema: {faults}. Answer again with the JSON object only."


async def ask(model: BaseChatModel, schema: type[Schema], messages: Sequence[BaseMessage]) -> Schema:
    """The model's answer as a `schema`; raises ModelOutputInvalid when the second try does not fit either."""
    structured = model.with_structured_output(schema, method="json_schema").with_config(tags=[TAG_NOSTREAM])
    try:
        answer = await structured.ainvoke(list(messages))
    except ModelOutputInvalid as exc:
        faults = "; ".join(exc.details.get("faults", ())) or str(exc)
        answer = await structured.ainvoke([*messages, HumanMessage(_REPAIR.format(faults=faults))])
    if not isinstance(answer, schema):
        raise ModelOutputInvalid(f"expected {schema.__name__}, got {type(answer).__name__}")
    return answer
