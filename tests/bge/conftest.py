"""The tiny model, written once, and embedders of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.embedders.bge_m3 import BgeM3
from tests.bge.tiny_model import write


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model in BGE-M3's layout."""
    return write(tmp_path_factory.mktemp("bge-m3"))


@pytest.fixture(scope="session")
def embedder(folder: Path) -> BgeM3:
    """With ColBERT, three texts in a batch; its model is loaded by the first test that embeds."""
    return BgeM3(folder, timeout_s=60, colbert=True, device="cpu", batch=3)
