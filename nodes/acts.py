"""The rule-based tracker: from the words of one turn to an Observation, in English and Chinese. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from nodes import cues, topics
from nodes.bilingual import Span, fold, language_of, sentences, terms, words
from nodes.observation import Act, Form, Observation, Question, Spin, Topic

_SPIN: dict[Topic, Spin] = {
    "situation": "situation",
    "pain": "problem",
    "impact": "implication",
    "outcome": "need_payoff",
}
_OF_FORM: tuple[Act, ...] = ("agenda", "confirm", "next_step", "small_talk")
"""A question that does one of these asks for no information."""
_LONG_ENOUGH = 8
"""Words of a statement that can count as a response to an objection."""


def observe(
    text: str,
    *,
    open_objection: bool = False,
    awaiting_date: bool = False,
    needs: Sequence[str] = (),
    competitors: Sequence[str] = (),
) -> Observation:
    """What the rep did in `text`.

    `open_objection` and `awaiting_date` say what the buyer waits for, `needs` are things this buyer has told,
    `competitors` names of other vendors.
    """
    spans = sentences(text)
    asked = [span for span in spans if is_question(span.text)]
    stated = [span for span in spans if span not in asked]
    questions = [_question(span) for span in asked]
    acts: set[Act] = {act for act, cue in cues.ACTS.items() if any(cue.search(s.text) for s in spans)}
    if questions:
        acts.add("question")
    claims = [s.text for s in stated if cues.VALUE.search(s.text)]
    if claims:
        acts.add("value_claim")
    if any(fold(name) in fold(text) for name in competitors):
        acts.add("competitor")
    if not _next_step(spans, awaiting_date):
        acts -= {"next_step", "commitment_request"}
    if open_objection:
        acts |= _handling(questions, stated, acts)
    else:
        acts.discard("confirm")
    step = _next_step(spans, awaiting_date)
    return Observation(
        acts=sorted(acts),
        questions=questions,
        links_value=bool(claims) and _links(text, claims, needs),
        next_step_when=_when(text) if step else "",
        next_step_what=step,
    )


def is_question(sentence: str) -> bool:
    """True for questions and for invitations to tell ("walk me through …")."""
    bare = sentence.rstrip("。.!！;； ")
    if bare.endswith(("?", "？")) or topics.INVITATION.search(bare):
        return True
    if language_of(bare) == "zh":
        return bool(topics.ZH_QUESTION.search(bare)) and len(bare) > 2
    return (
        bool(topics.QUESTION_START.search(bare))
        and len(words(bare)) > 3
        and not sentence.endswith((".", "!"))
    )


def form_of(question: str) -> Form:
    """`open` when the question invites more than a yes, a no or a fact."""
    if topics.INVITATION.search(question):
        return "open"
    cue = topics.ZH_OPEN if language_of(question) == "zh" else topics.EN_OPEN
    return "open" if cue.search(question) else "closed"


def topic_of(question: str) -> Topic:
    """The first topic whose words occur, in the order of `topics.TOPICS`; `other` for a question of form."""
    if any(cues.ACTS[act].search(question) for act in _OF_FORM):
        return "other"
    return next((topic for topic, cue in topics.TOPICS.items() if cue.search(question)), "other")


def _question(span: Span) -> Question:
    topic = topic_of(span.text)
    return Question(quote=span.text, form=form_of(span.text), spin=_SPIN.get(topic, "none"), topic=topic)


def _handling(questions: list[Question], stated: list[Span], acts: set[Act]) -> set[Act]:
    steps: set[Act] = set()
    if any(not cues.ACTS["confirm"].search(q.quote) for q in questions):
        steps.add("clarify")
    answered = [s for s in stated if not cues.ACTS["acknowledge"].search(s.text) or len(words(s.text)) > 16]
    if acts & {"value_claim", "proof"} or any(len(words(s.text)) >= _LONG_ENOUGH for s in answered):
        steps.add("respond")
    return steps


def _links(text: str, claims: list[str], needs: Sequence[str]) -> bool:
    told = set().union(*(terms(need) for need in needs)) if needs else set()
    shared = set().union(*(terms(claim) for claim in claims)) & told
    return len(shared) >= 2 or bool(told and cues.BACK_REFERENCE.search(text) and terms(text) & told)


def _next_step(spans: list[Span], awaiting_date: bool) -> str:
    cue = [cues.ACTS["next_step"], cues.ACTS["commitment_request"], *([cues.WHEN] if awaiting_date else [])]
    # An agenda that ends with "and then see whether a next step makes sense" proposes none yet.
    proposals = (span.text for span in spans if not cues.ACTS["agenda"].search(span.text))
    return next((text for text in proposals if any(c.search(text) for c in cue)), "")


def _when(text: str) -> str:
    return max((m.group().strip() for m in cues.WHEN.finditer(text)), key=len, default="")
