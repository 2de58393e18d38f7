"""Structured output: a model's JSON answer, read into the pydantic class that was asked for."""

from __future__ import annotations

from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableLambda
from pydantic import BaseModel, ValidationError

from runtime.errors import ModelOutputInvalid


def pydantic_class(schema: object, include_raw: bool) -> type[BaseModel]:
    """`schema` itself; TypeError for what our models do not give: other kinds of schema, the raw answer."""
    if include_raw or not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        raise TypeError(f"structured output takes a pydantic class, without raw output, not {schema!r}")
    return schema


def read_as(wanted: type[BaseModel]) -> Runnable[AIMessage, BaseModel]:
    """The step after a model's answer; it raises ModelOutputInvalid for an answer that does not fit."""

    def read(answer: AIMessage) -> BaseModel:
        try:
            return wanted.model_validate_json(answer.text)
        except ValidationError as exc:
            raise ModelOutputInvalid(_fault(wanted, answer), faults=_faults(exc)) from exc

    return RunnableLambda(read)


def _fault(wanted: type[BaseModel], answer: AIMessage) -> str:
    model = answer.response_metadata.get("model_name")
    if answer.response_metadata.get("finish_reason") == "length":
        return f"the model {model!r} was cut off at its token limit, before its {wanted.__name__} was whole"
    return f"the answer of the model {model!r} does not fit {wanted.__name__}"


def _faults(exc: ValidationError) -> list[str]:
    """`field: fault`, without the answer's own text, which belongs in no log."""
    return [f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in exc.errors(include_input=False)]
