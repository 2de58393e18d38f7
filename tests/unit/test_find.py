"""Which files a path stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.find import document_names, find_documents
from runtime.errors import DocumentEmpty, DocumentMissing


def test_folders_are_searched_in_order(tmp_path: Path) -> None:
    """Hidden files and Office's lock files are no documents; each file comes once."""
    for name in ["b.md", "a/z.txt", "a/y.txt", ".git/config", "a/.hidden", "~$open.docx"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    found = find_documents([tmp_path, tmp_path / "b.md"])
    assert [str(path.relative_to(tmp_path)) for path in found] == ["a/y.txt", "a/z.txt", "b.md"]


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    """A mistyped path must not look like an empty folder."""
    with pytest.raises(DocumentMissing, match=r"nowhere\.pdf"):
        find_documents([tmp_path / "nowhere.pdf"])


def test_a_folder_without_documents(tmp_path: Path) -> None:
    """An empty folder is a mistake worth a message."""
    (tmp_path / ".hidden").write_text("x")
    with pytest.raises(DocumentEmpty, match="holds no documents"):
        find_documents([tmp_path])


def test_equal_names_get_their_folders(tmp_path: Path) -> None:
    """Two README files of one command must not replace each other in the index."""
    paths = [tmp_path / "a" / "readme.md", tmp_path / "b" / "readme.md", tmp_path / "c.md"]
    assert document_names(paths) == ["a/readme.md", "b/readme.md", "c.md"]
