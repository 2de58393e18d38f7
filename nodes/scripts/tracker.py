"""Script for `track`: the rule-based tracker."""

from __future__ import annotations

from nodes.acts import observe
from runtime.scripted import Line, Scene


def track(scene: Scene) -> Line:
    facts = scene.brief.facts if scene.brief else {}
    seen = observe(
        facts["rep_text"],
        open_objection=facts["open_objection"] is not None,
        awaiting_date=facts["awaiting_date"],
        needs=facts["needs"],
        competitors=facts["competitors"],
    )
    return Line(structured=seen.model_dump(mode="json"))
