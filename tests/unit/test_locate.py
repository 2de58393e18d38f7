"""Which documents a path, a glob or a URL stands for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from ingestion.sources.locate import Rules, locate
from ingestion.sources.source import distinct_names
from runtime.errors import (
    DocumentEmpty,
    DocumentMissing,
    DocumentTooLarge,
    SourceRefused,
    SourceUnavailable,
)

pytestmark = pytest.mark.anyio
MEMORY = Rules(schemes=frozenset({"memory"}))


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


async def within(folder: Path, *named: str | Path) -> list[str]:
    sources = await locate(named)
    paths = [source.path for source in sources]
    return [str(path.relative_to(folder.resolve())) for path in paths if path is not None]


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    """fsspec's store in this process."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    yield files
    files.store.clear()


async def test_folders_are_searched_in_order(tmp_path: Path) -> None:
    """Hidden files and Office's lock files are no documents; each file comes once."""
    write(tmp_path, "b.md", "a/z.txt", "a/y.txt", ".git/config", "a/.hidden", "~$open.docx")
    assert await within(tmp_path, tmp_path, tmp_path / "b.md") == ["a/y.txt", "a/z.txt", "b.md"]
    assert await within(tmp_path, tmp_path / "b.md", str(tmp_path)) == ["b.md", "a/y.txt", "a/z.txt"]


async def test_a_missing_path_is_named(tmp_path: Path) -> None:
    """A mistyped path must not look like an empty folder."""
    for name in (
        tmp_path / "nowhere.pdf",
        tmp_path / "no" / "where.pdf",
        "/dev/null/x",
        "a\0b",
        tmp_path / "*.pdf",
    ):
        with pytest.raises(DocumentMissing):
            await locate([name])
    with pytest.raises(DocumentMissing, match=r"nowhere\.pdf"):
        await locate([tmp_path / "nowhere.pdf"])


async def test_a_folder_without_documents(tmp_path: Path) -> None:
    """An empty folder is a mistake worth a message."""
    write(tmp_path, ".hidden")
    with pytest.raises(DocumentEmpty, match="holds no documents"):
        await locate([tmp_path])


async def test_equal_names_get_their_folders(tmp_path: Path) -> None:
    """Two README files of one command must not replace each other in the index."""
    write(tmp_path, "a/readme.md", "b/readme.md", "c.md")
    sources = await locate([tmp_path])
    assert [source.name for source in sources] == ["a/readme.md", "b/readme.md", "c.md"]
    assert distinct_names([("a", "b"), ("b",)]) == ["a/b", "b"]


async def test_what_is_known_of_a_file(tmp_path: Path) -> None:
    """Size and time spare reading what did not change; the root says which argument named it."""
    write(tmp_path, "a b%20ü.md")
    (source,) = await locate([str(tmp_path)])
    assert source.path == tmp_path.resolve() / "a b%20ü.md"
    assert source.uri.endswith("/a%20b%2520%C3%BC.md")
    assert (source.size, source.root, source.name) == (1, str(tmp_path), "a b%20ü.md")
    assert source.modified == source.path.stat().st_mtime


async def test_a_file_url(tmp_path: Path) -> None:
    """It is the path it names, wherever that is written on this machine only."""
    write(tmp_path, "a b.md")
    (source,) = await locate([(tmp_path / "a b.md").as_uri()])
    assert source.path == tmp_path.resolve() / "a b.md"
    with pytest.raises(SourceRefused, match="another machine"):
        await locate(["file://server/share/a.md"])


async def test_globs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any depth with `**`; relative ones too; hidden names never, and a real name is no glob."""
    write(tmp_path, "a.pdf", "b.txt", "x/c.pdf", "x/y/d.pdf", ".h/e.pdf", "x/.f.pdf", "[1].pdf", "1.pdf")
    assert await within(tmp_path, f"{tmp_path}/*.pdf") == ["1.pdf", "[1].pdf", "a.pdf"]
    assert await within(tmp_path, f"{tmp_path}/x/**/*.pdf") == ["x/c.pdf", "x/y/d.pdf"]
    assert await within(tmp_path, f"{tmp_path}/**") == [
        "1.pdf",
        "[1].pdf",
        "a.pdf",
        "b.txt",
        "x/c.pdf",
        "x/y/d.pdf",
    ]
    assert await within(tmp_path, f"{tmp_path}/?.[!p]*") == ["b.txt"]
    assert await within(tmp_path, f"{tmp_path}/[1].pdf") == ["[1].pdf"]
    monkeypatch.chdir(tmp_path)
    assert await within(tmp_path, "x/*/*.pdf") == ["x/y/d.pdf"]
    with pytest.raises(SourceRefused, match="stands alone"):
        await locate([f"{tmp_path}/**.pdf"])


async def test_links_out_of_a_folder(tmp_path: Path) -> None:
    """A link in a shared folder must not bring in what lies elsewhere; one named by hand is meant."""
    write(tmp_path, "in/a.md", "out/secret.md")
    (tmp_path / "in" / "again.md").symlink_to("a.md")
    (tmp_path / "in" / "link.md").symlink_to(tmp_path / "out" / "secret.md")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "broken.md").symlink_to("nothing")
    (tmp_path / "in" / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "in" / "pipe")
    assert await within(tmp_path, tmp_path / "in") == ["in/a.md"]
    assert await within(tmp_path, f"{tmp_path}/in/**") == ["in/a.md"]
    assert await within(tmp_path, tmp_path / "in" / "link.md") == ["out/secret.md"]
    for name in ("pipe", "loop"):
        with pytest.raises(SourceRefused):
            await locate([tmp_path / "in" / name])


async def test_roots(tmp_path: Path) -> None:
    """Who names paths over the network reads the shared folders only, and cannot learn what else exists."""
    write(tmp_path, "in/a.md", "out/secret.md")
    (tmp_path / "in" / "link.md").symlink_to(tmp_path / "out" / "secret.md")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "out")
    roots = [tmp_path / "in"]
    assert len(await locate([tmp_path / "in", f"{tmp_path}/in/*.md"], Rules(roots))) == 1
    outside = [
        f"{tmp_path}/out/secret.md",
        f"{tmp_path}/out",
        f"{tmp_path}/out/nothing",
        f"{tmp_path}/in/../out/secret.md",
        f"{tmp_path}/in/link.md",
        f"{tmp_path}/in/folder/secret.md",
        f"{tmp_path}/in/../out/*",
        f"{tmp_path}/*/a.md",
        (tmp_path / "out" / "secret.md").as_uri(),
        f"file://{tmp_path}/in/%2e%2e/out/secret.md",
        f"{tmp_path}/inner",
        "/etc/passwd",
    ]
    for name in outside:
        with pytest.raises(SourceRefused, match="outside of the folders that may be read"):
            await locate([name], Rules(roots))
    with pytest.raises(SourceRefused, match="may be read: none"):
        await locate([tmp_path / "in"], Rules([]))


async def test_a_listing_is_bounded(tmp_path: Path, memory: fsspec.AbstractFileSystem) -> None:
    """`cornerman ingest /` is a mistake that must end soon."""
    write(tmp_path, "a.md", "b.md", "c.md")
    memory.pipe({f"/docs/{number}.md": b"x" for number in range(3)})
    for name in (str(tmp_path), "memory://docs"):
        with pytest.raises(DocumentTooLarge, match="more than 2 files"):
            await locate([name], Rules(schemes=MEMORY.schemes, max_files=2))


async def test_urls_of_the_web() -> None:
    """They are taken as they are, each once, and told apart by what differs."""
    sources = await locate(
        [
            "https://a.example/x/Preise%20%C3%BC.pdf#page=2",
            "https://a.example/x/Preise%20%C3%BC.pdf",
            "https://a.example/get?id=1",
            "https://a.example/get?id=2",
            "https://b.example/get?id=2",
            "http://b.example/get?id=2",
            "https://c.example",
        ]
    )
    assert [source.name for source in sources] == [
        "Preise ü.pdf",
        "get?id=1",
        "a.example/get?id=2",
        "https:/b.example/get?id=2",
        "http:/b.example/get?id=2",
        "index",
    ]
    assert {source.path for source in sources} == {None}
    with pytest.raises(SourceRefused):
        await locate(["https://user:secret@a.example/"])


async def test_stores(memory: fsspec.AbstractFileSystem) -> None:
    """An object, a folder and a glob of any store that fsspec reads, with what it tells of them."""
    memory.pipe({"/docs/a.md": b"abc", "/docs/x/b.pdf": b"b", "/docs/.h/c.md": b"c", "/other/d.md": b"d"})
    (source,) = await locate(["memory://docs/a.md"], MEMORY)
    assert (source.uri, source.size, source.name) == ("memory:///docs/a.md", 3, "a.md")
    assert source.modified is not None
    found = await locate(["memory://docs"], MEMORY)
    assert [source.name for source in found] == ["a.md", "b.pdf"]
    found = await locate(["memory://docs/**/*.pdf", "memory:///docs/*.md"], MEMORY)
    assert [source.name for source in found] == ["b.pdf", "a.md"]
    with pytest.raises(DocumentMissing, match="nothing at"):
        await locate(["memory://docs/nothing.md"], MEMORY)
    with pytest.raises(DocumentEmpty):
        await locate(["memory://docs/*.xlsx"], MEMORY)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("gopher://a.example/x", r"gopher://; allowed are file, http, https, abfs, .*, s3"),
        ("memory://docs/a.md", "memory://"),
        ("sftp://host/a.md", "sftp://"),
        ("local:///etc/passwd", "local://"),
        ("data://x", "data://"),
        ("simplecache::file:///etc/passwd", None),
        ("s3://bucket/a.zip::file:///etc/passwd", "chained"),
        ("s3://key:secret@bucket/a.md", "password"),
    ],
)
async def test_schemes_that_are_refused(name: str, why: str | None) -> None:
    """fsspec reads this machine's files and inner hosts under many names: only listed stores are asked."""
    error = SourceRefused if why else DocumentMissing
    with pytest.raises(error, match=why) as raised:
        await locate([name])
    assert "secret" not in str(raised.value)


async def test_a_store_whose_package_is_missing() -> None:
    """The message says what to install."""
    with pytest.raises(SourceUnavailable, match="Install s3fs to access S3"):
        await locate(["s3://bucket/a.md"])
