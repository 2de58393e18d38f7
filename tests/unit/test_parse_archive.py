"""ZIP archives, in memory and within limits."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from ingestion.limits import Limits
from ingestion.options import ReadOptions
from ingestion.parse import archive
from ingestion.parsed import Scan
from runtime.errors import (
    DocumentCorrupt,
    DocumentEncrypted,
    DocumentError,
    DocumentMissing,
    DocumentTooLarge,
)
from tests.unit.seen import OPTIONS, seen


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A ZIP of these members."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return buffer.getvalue()


def picture() -> bytes:
    """A small PNG."""
    buffer = BytesIO()
    Image.new("RGB", (40, 30)).save(buffer, "PNG")
    return buffer.getvalue()


def limited(**limits: int) -> ReadOptions:
    """Options with these limits."""
    return replace(OPTIONS, limits=replace(Limits(), **limits))


def test_members_in_order_of_names() -> None:
    """Each stands under its name, its own headings one level deeper, its cell ranges with the name."""
    data = zipped(
        {
            "b/prices.csv": b"Plan,USD\nTeam,39\n",
            "a.md": b"# Guide\n\n## Price\n\nOne.",
            "__MACOSX/._a.md": b"\x00\x05\x16",
            ".DS_Store": b"\x00",
        }
    )
    parsed = archive.parse(data, "all.zip", OPTIONS)
    document = seen(parsed)
    assert [(b.kind, b.level, b.section) for b in document.blocks] == [
        ("heading", 1, "a.md"),
        ("heading", 2, "a.md > Guide"),
        ("heading", 3, "a.md > Guide > Price"),
        ("paragraph", 0, "a.md > Guide > Price"),
        ("heading", 1, "b/prices.csv"),
        ("table", 0, "b/prices.csv > A1:B2"),
    ]
    assert parsed.route.reasons == ("'a.md': markdown, LOW", "'b/prices.csv': csv, LOW") and not parsed.notes


def test_what_cannot_be_read_is_left_out_with_a_note() -> None:
    """One bad file never stops the others."""
    members = {"a.txt": b"Good.", "b.gif": b"GIF89a", "c.docx": b"PK\x03\x04cut off", "d.pdf": b""}
    parsed = archive.parse(zipped(members), "all.zip", OPTIONS)
    assert seen(parsed).text == "a.txt\n\nGood."
    codes = [note.split(": ")[2] for note in parsed.notes]
    assert codes == ["FORMAT_UNSUPPORTED", "DOCUMENT_CORRUPT", "DOCUMENT_EMPTY"]
    assert parsed.notes[0].startswith("left out: 'b.gif'")


def test_a_damaged_member_is_left_out() -> None:
    """The others' bytes are whole."""
    data = bytearray(zipped({"a.txt": b"Good.", "b.txt": b"Damaged text " * 50}))
    at = data.index(b"b.txt") + 5
    data[at : at + 10] = bytes(10)
    parsed = archive.parse(bytes(data), "all.zip", OPTIONS)
    assert seen(parsed).text == "a.txt\n\nGood." and "'b.txt'" in parsed.notes[0]


def test_scans_name_their_way() -> None:
    """A page is rendered later, when only the outer file is at hand."""
    inner = zipped({"scan.png": picture()})
    parsed = archive.parse(zipped({"in/inner.zip": inner}), "all.zip", OPTIONS)
    scan = parsed.items[-1]
    assert isinstance(scan, Scan) and scan.members == ("in/inner.zip", "scan.png")
    opened = archive.open_member(zipped({"in/inner.zip": inner}), "in/inner.zip", Limits())
    assert archive.open_member(opened, "scan.png", Limits()) == picture()
    assert parsed.route.level == "EXTREME"
    with pytest.raises(DocumentMissing):
        archive.open_member(inner, "other.png", Limits())


def test_chinese_names_of_an_old_packer() -> None:
    """Without a flag for UTF-8 a name is in the packer's code page, here GBK."""
    data = zipped({"xx/xxxx.txt": b"39"}).replace(b"xx/xxxx", "价/格表".encode("gbk").ljust(7, b"1"))
    parsed = archive.parse(data, "z.zip", OPTIONS)
    name = seen(parsed).blocks[0].text
    assert name.startswith("价/格表")
    assert archive.open_member(data, name, Limits()) == b"39"


@pytest.mark.parametrize(
    "name", ["../evil.txt", "a/../../evil.txt", "/etc/evil", "C:\\evil.txt", "a\\..\\evil"]
)
def test_ways_out_are_refused(name: str) -> None:
    """Nothing is written to a disk, but whoever packs such a name means harm."""
    with pytest.raises(DocumentCorrupt, match="leads out"):
        archive.parse(zipped({"good.txt": b"x", name: b"y"}), "all.zip", OPTIONS)


def test_links_are_refused() -> None:
    """A link's content is a path on this machine."""
    link = zipfile.ZipInfo("link.txt")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr(link, b"/etc/passwd")
    with pytest.raises(DocumentCorrupt, match="a link"):
        archive.parse(buffer.getvalue(), "all.zip", OPTIONS)


def test_encrypted_members_are_refused() -> None:
    """The user learns that a password is the reason."""
    data = bytearray(zipped({"a.txt": b"x"}))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(DocumentEncrypted, match=r"'a\.txt' encrypted"):
        archive.parse(bytes(data), "all.zip", OPTIONS)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (limited(members=2), "3 members; the limit is 2"),
        (limited(unpacked_bytes=2_000_000, ratio=10_000), "limit is 2000000"),
        (limited(ratio=100), "limit is 100"),
    ],
)
def test_bombs_are_refused(options: ReadOptions, found: str) -> None:
    """By what the directory says, before anything is unpacked."""
    data = zipped({"a.txt": b"x", "b.txt": b" " * 3_000_000, "c.txt": b"y"})
    with pytest.raises(DocumentTooLarge, match=found):
        archive.parse(data, "bomb.zip", options)


def test_archives_within_archives_end() -> None:
    """A zip that holds itself would never end; and each level takes from one budget."""
    data = zipped({"deep.txt": b"deepest"})
    for _ in range(3):
        data = zipped({"inner.zip": data, "here.txt": b"level"})
    parsed = archive.parse(data, "outer.zip", OPTIONS)
    text = seen(parsed).text
    assert text.count("level") == 2 and "deepest" not in text
    assert "DOCUMENT_TOO_LARGE" in parsed.notes[0] and "2 within each other" in parsed.notes[0]
    twice = zipped({"a.zip": zipped({"a.txt": b"a" * 900}), "b.zip": zipped({"b.txt": b"b" * 900})})
    spent = archive.parse(twice, "outer.zip", limited(unpacked_bytes=1_500))
    assert "aaa" in seen(spent).text and "bbb" not in seen(spent).text


@pytest.mark.parametrize("data", [b"PK\x05\x06" + bytes(18), b"PK\x03\x04 not a zip"])
def test_empty_and_broken_archives(data: bytes) -> None:
    """An empty archive has nothing to tell; a broken one is named so."""
    try:
        assert archive.parse(data, "a.zip", OPTIONS).items == ()
    except DocumentError as exc:
        assert exc.code == "DOCUMENT_CORRUPT"
