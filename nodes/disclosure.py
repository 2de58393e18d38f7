"""Which facts a turn of the rep earns. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from nodes.call import Disclosure
from nodes.observation import Observation, Question
from nodes.packs import Fact, HiddenFact, Persona

MAX_TOLD = 2
"""Facts in one reply; people do not recite."""


class Answers(NamedTuple):
    """What the buyer may say to the rep's questions."""

    tell: list[str]
    told_before: list[str]
    withhold: list[str]
    unknown: list[str]
    earned: list[Disclosure]
    answered: set[str]
    """Topics that get an answer now or got one before."""


def answers(seen: Observation, persona: Persona, told: Collection[str], trust: float, turn: int) -> Answers:
    """For each question: a hidden fact if it is earned, else an open one, else nothing or a refusal."""
    result = Answers([], [], [], [], [], set())
    for question in seen.questions:
        if question.topic != "other":
            _answer(question, persona, told, trust, turn, result)
    return result


def _answer(
    question: Question, persona: Persona, told: Collection[str], trust: float, turn: int, result: Answers
) -> None:
    topic = question.topic
    hidden = [f for f in persona.hidden_facts if f.topic == topic and f.id not in told]
    earned = [(f, kind) for f in hidden if trust >= f.min_trust and (kind := _released_by(f, question))]
    plain = [f for f in persona.facts if f.topic == topic and f.id not in told]
    # One hidden fact a question: what is earned twice is worth asking for twice.
    fresh: list[Fact] = [f for f in [*plain, *(fact for fact, _ in earned[:1])] if f.id not in result.tell]
    chosen = fresh[: max(0, MAX_TOLD - len(result.tell))]
    result.tell.extend(f.id for f in chosen)
    result.earned.extend(
        {"fact": f.id, "topic": topic, "turn": turn, "released_by": kind} for f, kind in earned if f in chosen
    )
    known = [f.id for f in (*persona.facts, *persona.hidden_facts) if f.topic == topic and f.id in told]
    if chosen or known:
        result.answered.add(topic)
    if not chosen:
        _say_no(topic, hidden, known, result)


def _say_no(topic: str, hidden: list[HiddenFact], known: list[str], result: Answers) -> None:
    if hidden:
        result.withhold.append(topic)
    elif known:
        result.told_before.extend(known[-1:])
    else:
        result.unknown.append(topic)


def _released_by(fact: HiddenFact, question: Question) -> str:
    if question.spin in fact.released_by:
        return f"{question.spin.replace('_', '-')} question"
    return f"{question.form} question" if question.form in fact.released_by else ""
