"""By which URI a document is known."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from ingestion.sources.place import place_of
from ingestion.sources.source import local_path, place_shown
from ingestion.sources.stores import Store
from runtime.errors import SourceRefused


def test_a_path_however_it_is_written(tmp_path: Path) -> None:
    """Relative, with dots or through a link, by URI, and when it is gone: its place is the same."""
    path = tmp_path / "a b" / "preisübersicht.md"
    path.parent.mkdir()
    path.touch()
    (tmp_path / "link").symlink_to(path.parent)
    ways = [
        str(path),
        os.path.relpath(path),
        f"{tmp_path}/a b/../a b//preisübersicht.md",
        f"{tmp_path}/link/preisübersicht.md",
        path.as_uri(),
        path.as_uri().replace("file://", "FILE://localhost"),
    ]
    assert {place_of(way) for way in ways} == {path.resolve().as_uri()}
    path.unlink()
    assert {place_of(way) for way in ways} == {path.parent.resolve().joinpath(path.name).as_uri()}
    assert local_path(place_of(str(path))) == path.resolve() and place_shown(path.as_uri()) == str(path)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("HTTP://Example.COM:80/a.pdf#page=2", "http://example.com/a.pdf"),
        ("https://example.com", "https://example.com/"),
        ("https://example.com:8443/a/../b%20c?x=1", "https://example.com:8443/b%20c?x=1"),
        ("https://münchen.example/ö", "https://xn--mnchen-3ya.example/%C3%B6"),
        ("https://example.com/A", "https://example.com/A"),
        ("http://exa\nmple.com/", "http://exa\nmple.com/"),
        ("s3://bucket/a.pdf", "s3://bucket/a.pdf"),
    ],
)
def test_a_url_however_it_is_written(url: str, place: str) -> None:
    """What a server takes for the same is the same; a path's letters are not."""
    assert place_of(url) == place and place_of(place) == place and place_shown(place) == place


def test_what_is_no_place_of_ours(tmp_path: Path) -> None:
    """A file of another machine is refused; a name that no file can have is nobody's place."""
    with pytest.raises(SourceRefused, match="another machine"):
        place_of("file://elsewhere/a.md")
    with pytest.raises(SourceRefused, match="is not a URL"):
        place_of("file://[x")
    assert place_of("a\0b") == "a\0b"
    undecodable = Path(os.fsdecode(bytes(tmp_path) + b"/\xff.md"))
    assert place_shown(place_of(str(undecodable))).endswith("\ufffd.md")


@pytest.mark.parametrize(
    ("url", "path", "uri"),
    [
        ("sftp://host:2222/kb", "/kb/a.md", "sftp://host:2222/kb/a.md"),
        ("ftp://other/kb", "/kb/a.md", "ftp://other/kb/a.md"),
        ("memory://kb", "/kb/a.md", "memory:///kb/a.md"),
    ],
)
def test_a_file_of_a_store(url: str, path: str, uri: str) -> None:
    """Two hosts' files of one path are two documents, and can be fetched: fsspec leaves the host out."""
    files = SimpleNamespace(unstrip_protocol=lambda path: f"memory://{path}")
    store = cast(Store, SimpleNamespace(url=url, _files=files))
    assert Store.uri(store, path) == uri
