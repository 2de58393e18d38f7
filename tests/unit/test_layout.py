"""The house: names, layers and registrations."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import pytest

from graphs import GRAPHS

ROOT = Path(__file__).parents[2]
OURS = {
    *("graphs", "nodes", "tools", "runtime", "ingestion", "terminal"),
    *("server", "cli", "compose", "examples", "benchmarks"),
}


def test_no_installed_distribution_claims_our_names() -> None:
    """They are generic import names, and an application may use them only while nobody else does."""
    claimed = importlib.metadata.packages_distributions()
    others = {name: set(claimed.get(name, ())) - {"cornerman"} for name in OURS}
    assert {name: owners for name, owners in others.items() if owners} == {}


def test_langgraphs_own_tools_find_the_same_graphs() -> None:
    """`langgraph dev` and Studio serve what we serve."""
    config = json.loads((ROOT / "langgraph.json").read_text())
    assert config["graphs"].keys() == GRAPHS.keys()
    for name, place in config["graphs"].items():
        path, _, attribute = place.partition(":")
        assert (ROOT / path).is_file()
        assert attribute == "build" and path == f"./graphs/{name}.py"


def test_every_graph_compiles_and_draws() -> None:
    """`build()` does no I/O, so a drawing needs nothing."""
    for build in GRAPHS.values():
        assert build().compile().get_graph().nodes


def test_packages_are_empty_doors() -> None:
    """Import from where a thing is defined; only `graphs` lists."""
    for package in ("nodes", "tools", "runtime", "ingestion", "terminal"):
        assert (ROOT / package / "__init__.py").read_text() == ""


@pytest.mark.parametrize("word", ["sales", "buyer", "rep ", "coach", "persona", "objection", "playbook"])
def test_the_runtime_knows_no_selling(word: str) -> None:
    """It could carry any graphs; the domain lives in nodes, tools and graphs."""
    for file in sorted((ROOT / "runtime").rglob("*.py")):
        if file.name != "settings.py":  # It holds the defaults of the whole program.
            assert word not in file.read_text().lower(), file.name


def test_dependencies_are_locked_without_an_index() -> None:
    """The lock holds for whoever installs, from whatever index."""
    lock = (ROOT / "requirements.lock").read_text()
    assert "--hash=sha256:" in lock
    assert "://" not in lock and "torch==" not in lock
