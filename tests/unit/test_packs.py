"""Persona and scenario packs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from nodes.packs import Occasion, Pack, known_packs, load_pack, parse_pack
from nodes.scripts.buyer_lines import LINES
from runtime.errors import InvalidInput
from tests.fakes import PACKS

PATHS = sorted(PACKS.glob("*.yaml"))


def broken(**change: Any) -> str:
    data = yaml.safe_load(PATHS[0].read_text("utf-8"))
    for path, value in change.items():
        place = data
        *parents, last = path.split("__")
        for key in parents:
            place = place[int(key) if key.isdigit() else key]
        place[last] = value
    return yaml.safe_dump(data)


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_the_shipped_packs_are_valid_and_winnable(path: Path) -> None:
    """Each fact has words, each voice line an occasion, and nothing hidden stands in the open."""
    pack = parse_pack(path.read_text("utf-8"), path.name)
    persona = pack.persona
    open_words = " ".join(
        [persona.context, persona.manner, pack.scenario.brief, *(f.text for f in persona.facts)]
    )
    assert not any(fact.text in open_words for fact in persona.hidden_facts)
    topics = {fact.topic for fact in (*persona.facts, *persona.hidden_facts)}
    assert {"situation", "pain", "impact", "outcome", "budget", "decision_maker", "timeline"} <= topics


def test_english_and_chinese_have_the_same_lines() -> None:
    """An occasion without a line in one language would end a call with a KeyError."""
    assert LINES["en"].keys() == LINES["zh"].keys() == set(get_args(Occasion))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            broken(difficulty="brutal"),
            r"meridian-coo.yaml: difficulty: .*'easy', 'medium' or 'hard', got 'brutal'",
        ),
        (broken(persona__role="boss"), r"persona.role: .*'economic_buyer'.*'gatekeeper'"),
        (
            broken(persona__hidden_facts__0__released_by=["magic"]),
            r"hidden_facts.0.released_by.0: .*'implication'",
        ),
        (
            broken(persona__dispositions__trust__start=2),
            r"persona.dispositions.trust.start: .*less than or equal to 1",
        ),
        (broken(persona__voice={"yawn": ["Aah."]}), r"persona.voice.yawn.*'greeting'.*'filler'"),
        (broken(colour="red"), r"colour: Extra inputs"),
        (broken(persona__facts__0__id="monday_backlog"), r"occur twice: monday_backlog"),
        (broken(id="other"), r"id: must be the file's name"),
        ("id: [", r"(?s)not valid YAML.*line 2"),
        ("- 1", r"meridian-coo.yaml: pack: .*dictionary"),
    ],
)
def test_a_broken_pack_names_file_field_and_choices(text: str, message: str) -> None:
    """Whoever wrote it can mend it without reading the schema."""
    with pytest.raises(InvalidInput, match=message):
        parse_pack(text, "meridian-coo.yaml")


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["nobody", "../packs/meridian-coo", "", "meridian-coo.yaml"])
async def test_an_unknown_scenario_names_the_known_ones(name: str) -> None:
    """A client's string never leaves the folder."""
    with pytest.raises(InvalidInput, match="known: meridian-coo, yunxiu-owner"):
        await load_pack(name, PACKS)


@pytest.mark.anyio
async def test_packs_are_found_by_their_files(tmp_path: Path) -> None:
    """And an empty folder says so."""
    assert await known_packs(PACKS) == ["meridian-coo", "yunxiu-owner"]
    assert isinstance(await load_pack("yunxiu-owner", PACKS), Pack)
    with pytest.raises(InvalidInput, match="known: none in"):
        await load_pack("meridian-coo", tmp_path)
