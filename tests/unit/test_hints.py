"""The coach's choice of hints."""

from __future__ import annotations

from nodes.hint_lines import LINES
from nodes.hints import Candidate, choose, settle_last
from nodes.notices import SLOT_NAMES
from nodes.observation import Observation
from nodes.stages import SLOTS
from tests.unit.test_advance import PACK, after


def test_every_slot_has_a_hint_in_both_languages() -> None:
    """A gap without words would be a KeyError in the middle of a call."""
    slots = {slot for stage in SLOTS.values() for slot in stage}
    for language in ("en", "zh"):
        assert slots == SLOT_NAMES[language].keys()
        assert {f"gap:{slot}" for slot in slots} <= LINES[language].keys()
    assert LINES["en"].keys() == LINES["zh"].keys()


def test_the_surest_hint_wins_and_is_not_repeated() -> None:
    """Pressure outweighs a gap; the second time something else is said, or nothing."""
    state = after("You must decide today, last chance!")
    hint = choose(state, PACK)  # type: ignore[arg-type]  # a dict that holds the state
    assert hint and hint["kind"] == "pressure"
    shown = {**state, "hints": [hint]}
    again = choose(shown, PACK)  # type: ignore[arg-type]
    assert again is None or again["hint_id"] != hint["hint_id"]


def test_the_coach_keeps_quiet_while_the_rep_gets_on() -> None:
    """A turn that covers a slot needs no advice on the next one."""
    state = after("Hello, this is Sam from Brightloom.", "How does your team work today?")
    assert choose(state, PACK) is None  # type: ignore[arg-type]


def test_an_unsure_hint_is_kept_back() -> None:
    """Also when there is nothing better."""
    state = after("Hello, this is Sam from Brightloom.", "How does your team work today?")
    unsure = Candidate("battlecard", "battlecard", "value_claim", 0.5, "X", "words", "somewhere")
    assert choose(state, PACK, unsure) is None  # type: ignore[arg-type]
    sure = unsure._replace(confidence=0.9)
    hint = choose(state, PACK, sure)  # type: ignore[arg-type]
    assert hint and hint["text"] == "On X: words" and hint["source"] == "somewhere"


def test_the_ledger_tells_what_became_of_a_hint() -> None:
    """Word for word, in other words, or not at all; an old verdict stays."""
    state = after("Hello, this is Sam from Brightloom.")
    hint = choose(state, PACK)  # type: ignore[arg-type]
    assert hint and hint["wants"] == "situation"
    for said, outcome in (
        (hint["suggestion"].upper(), "verbatim"),
        ("How does your team work today?", "paraphrased"),
        ("Nice weather.", "ignored"),
    ):
        seen = after(said)["observations"][-1]
        observed = _observation(seen)
        (settled,) = settle_last([hint], observed, said)
        assert settled["outcome"] == outcome
        assert settle_last([settled], observed, "Anything else")[0]["outcome"] == outcome


def _observation(seen: dict[str, object]) -> Observation:
    return Observation.model_validate({key: value for key, value in seen.items() if key != "turn"})
