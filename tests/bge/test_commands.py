"""BGE-M3 as its user meets it: the index moves to it and back, and a new one begins with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.bge.tiny_reranker import write as write_cross_encoder
from tests.in_process import call

TEXTS = {
    "prices.md": "# Prices\n\nThe Team plan costs 39 dollars a seat.\n\n# 价格\n\n团队版每席三十九美元。\n",
    "terms.md": "# Terms\n\nInvoices are paid within thirty days.\n",
}


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """A folder of two."""
    folder = tmp_path / "docs"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    return folder


def run(data: Path, settings: dict[str, str], *args: str) -> str:
    done = call(data, *args, settings=settings)
    assert done.returncode == 0, done.stderr
    return done.stdout


def searched(data: Path, settings: dict[str, str], query: str) -> Any:
    return json.loads(run(data, settings, "search", "--json", query))


def first(found: Any) -> Sequence[str]:
    return [reason["passage"]["document"] for reason in found["reasons"]][:1]


def test_there_and_back(tmp_path: Path, documents: Path, folder: Path) -> None:
    """From words to dense, lexical and ColBERT vectors and back again; nothing is embedded twice."""
    data, settings = tmp_path / "data", {"CORNERMAN_BGE_DIR": str(folder), "CORNERMAN_BGE_DEVICE": "cpu"}
    ask = partial(searched, data, settings)
    run(data, settings, "ingest", str(documents))
    assert ask("Team plan 39 dollars")["vectors"] == ["words"]
    assert "3 chunks of 2 versions" in run(data, settings, "index", "migrate", "--to", "bge-m3")
    # By random weights a text is like itself alone: as it was embedded, with its section.
    for text, name in (
        ("Terms\nInvoices are paid within thirty days.", "terms.md"),
        ("Prices\nThe Team plan costs 39 dollars a seat.", "prices.md"),
        ("价格\n团队版每席三十九美元。", "prices.md"),
    ):
        found = ask(text)
        assert found["vectors"] == ["dense", "lexical"] and found["reranker"] == "colbert"
        assert first(found) == [name] and found["reasons"][0]["again"]["rank"] == 1
    stats = json.loads(run(data, settings, "index", "stats", "--json"))
    assert [name.split()[0] for name in stats["vectors"]] == ["dense", "lexical", "colbert"]
    (documents / "terms.md").write_text("# Terms\n\nInvoices are paid within ten days.\n")
    assert "1 ingested" in run(data, settings, "ingest", str(documents))
    assert "1 chunks of 1 versions" in run(data, settings, "index", "rollback")
    found = ask("Invoices within ten days")
    assert found["vectors"] == ["words"] and first(found) == ["terms.md"]
    assert "0 chunks of 0 versions" in run(data, settings, "index", "migrate", "--to", "bge-m3")


def test_an_index_that_begins_with_it(tmp_path: Path, documents: Path, folder: Path) -> None:
    """A new installation embeds by it at once, and a cross-encoder ranks anew what it found."""
    settings = {
        "CORNERMAN_EMBEDDER": "bge-m3",
        "CORNERMAN_BGE_DIR": str(folder),
        "CORNERMAN_BGE_DEVICE": "cpu",
        "CORNERMAN_BGE_COLBERT": "false",
        "CORNERMAN_RERANKER_DIR": str(write_cross_encoder(tmp_path / "cross-encoder")),
    }
    data = tmp_path / "data"
    run(data, settings, "ingest", str(documents))
    found = searched(data, settings, "What does the Team plan cost?")
    assert found["vectors"] == ["dense", "lexical"] and found["reranker"] == "cross-encoder"
    scores = [reason["again"]["score"] for reason in found["reasons"]]
    assert len(scores) == 3 and scores == sorted(scores, reverse=True)
