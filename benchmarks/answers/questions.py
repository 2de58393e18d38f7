"""A question set: what is asked, and which words a cited passage must hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from nodes.bilingual import Language, language_of
from nodes.kinds import kind_of
from runtime.errors import InvalidInput

SAMPLES = Path(__file__).parents[2] / "tests" / "questions" / "samples.yaml"
"""The set over the sample knowledge."""


class Question(BaseModel):
    """One of a set."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    question: str = Field(min_length=1)
    answer: list[list[str]] = []
    """For each part of a compound question strings of which one stands in a cited passage; []: the documents
    do not say, and the question is to be refused."""
    unknown: str = ""
    """Words of the part that the documents do not say."""
    after: list[str] = []
    """What the same person asked before."""
    document: str = ""
    """Where the answer stands; nothing depends on it."""
    kind: str = ""

    @property
    def language(self) -> Language:
        return language_of(self.question)

    @property
    def sort(self) -> str:
        """The set's own word for what kind of question it is, else what its form tells."""
        if self.kind:
            return self.kind
        if self.after:
            return "follow-up"
        return "compound" if len(self.answer) > 1 or self.unknown else kind_of(self.question)


_SET = TypeAdapter(list[Question])


def read_questions(file: Path) -> Sequence[Question]:
    """Raises InvalidInput for a file that is no question set."""
    try:
        return _SET.validate_python(yaml.safe_load(file.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as exc:
        raise InvalidInput(f"{str(file)!r} is no question set: {exc}") from exc
