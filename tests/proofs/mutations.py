"""Files broken at random: what mutation fuzzing feeds to the parsers."""

from __future__ import annotations

import random
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from io import BytesIO

_ZIP, _PNG = b"PK\x03\x04", b"\x89PNG\r\n\x1a\n"
_MAX_BYTES = 20_000_000
_NUMBER = re.compile(rb"\d{1,10}")
_EXTREMES = (b"0", b"-1", b"1", b"65536", b"2147483648", b"99999999999", b"1e309", b"")
_SIZES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_TAG = re.compile(rb"<([A-Za-z][\w:.-]*)(?:\s[^<>]*)?(?<!/)>")
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)

Mutation = Callable[[random.Random, bytes, bytes], bytes]
"""Takes chance, a file, and another file of its kind; not for empty files."""


def mutated(chance: random.Random, data: bytes, other: bytes) -> tuple[str, bytes]:
    """One to three mutations, one after the other: their names, and the file, of 20 MB at most.

    The same chance makes the same file. An archive is broken as a whole or in a member, a PDF in a stream, a
    PNG in a chunk; the rest stays sound, so that the parsers behind the container are reached.
    """
    names = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        within, inner = _container(chance, data)
        markup = data.startswith(_ZIP) or data[:100].lstrip().startswith(b"<")
        name = "element" if markup and chance.random() < 0.4 else chance.choice(list(_MUTATIONS))
        mutation = _MUTATIONS[name]
        data = (inner(mutation, other) if inner else mutation(chance, data, other))[:_MAX_BYTES]
        names.append(f"{name}{within}")
        if not data:
            break
    return " + ".join(names), data


def _container(chance: random.Random, data: bytes) -> tuple[str, Callable[[Mutation, bytes], bytes] | None]:
    """Where to mutate: " in a member" and how, or "" and None for the file as a whole."""
    if chance.random() < 0.4:
        return "", None
    if data.startswith(_ZIP):
        return " in a member", lambda mutation, other: _in_member(chance, data, mutation)
    if b"%PDF-" in data[:1024]:
        return " in a stream", lambda mutation, other: _in_stream(chance, data, mutation)
    if data.startswith(_PNG):
        return " in a chunk", lambda mutation, other: _in_chunk(chance, data, mutation)
    return "", None


def _in_member(chance: random.Random, data: bytes, mutation: Mutation) -> bytes:
    """Packed anew, so that sizes and checksums are right; as it is where it cannot be unpacked."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()[:500]}
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError):
        return data
    filled = [name for name, content in members.items() if content]
    if not filled:
        return data
    name, other = chance.choice(filled), chance.choice(filled)
    members[name] = mutation(chance, members[name], members[other])
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(zipfile.ZipInfo(member), content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _in_stream(chance: random.Random, data: bytes, mutation: Mutation) -> bytes:
    """Unpacks a Flate stream, mutates and packs it; the file's offsets shift, which MuPDF repairs."""
    streams = list(_STREAM.finditer(data))
    if not streams:
        return data
    at = chance.choice(streams)
    packed = at[1]
    try:
        content = zlib.decompressobj().decompress(packed, _MAX_BYTES)
        made = zlib.compress(mutation(chance, content or b" ", content or b" "), 1)
    except zlib.error:
        made = mutation(chance, packed or b" ", packed or b" ")
    return data[: at.start(1)] + made + data[at.end(1) :]


def _in_chunk(chance: random.Random, data: bytes, mutation: Mutation) -> bytes:
    """With the chunk's length and checksum made right again: Pillow reads no other."""
    chunks, at = [], len(_PNG)
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        chunks.append((at, min(at + 12 + size, len(data))))
        at += 12 + size
    if not chunks:
        return data
    start, end = chance.choice(chunks)
    kind, content = data[start + 4 : start + 8], data[start + 8 : max(start + 8, end - 4)]
    made = mutation(chance, content or b" ", content or b" ")
    sum_ = zlib.crc32(kind + made).to_bytes(4, "big")
    return data[:start] + len(made).to_bytes(4, "big") + kind + made + sum_ + data[end:]


def _flip_bits(chance: random.Random, data: bytes, _: bytes) -> bytes:
    flipped = bytearray(data)
    for _n in range(chance.choice((1, 1, 4, 32, max(1, len(data) // 1000)))):
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def _cut_off(chance: random.Random, data: bytes, _: bytes) -> bytes:
    return data[: chance.randrange(len(data))]


def _delete(chance: random.Random, data: bytes, _: bytes) -> bytes:
    start, end = _chunk(chance, data)
    return data[:start] + data[end:]


def _repeat(chance: random.Random, data: bytes, _: bytes) -> bytes:
    """Once, or so often that elements nest or pile up."""
    start, end = _chunk(chance, data)
    times = min(chance.choice((1, 1, 8, 500, 20_000)), 2_000_000 // max(1, end - start) + 1)
    return data[:end] + data[start:end] * times + data[end:]


def _move(chance: random.Random, data: bytes, _: bytes) -> bytes:
    start, end = _chunk(chance, data)
    rest = data[:start] + data[end:]
    at = chance.randrange(len(rest) + 1)
    return rest[:at] + data[start:end] + rest[at:]


def _splice(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """The beginning of one file and the end of another."""
    return data[: chance.randrange(len(data))] + other[chance.randrange(len(other) + 1) :]


def _insert(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """A piece of another file."""
    start, end = _chunk(chance, other) if other else (0, 0)
    at = chance.randrange(len(data) + 1)
    return data[:at] + other[start:end] + data[at:]


def _set_size(chance: random.Random, data: bytes, _: bytes) -> bytes:
    """A field of one to eight bytes, which may be a length, at its bounds."""
    width = chance.choice((1, 2, 4, 8))
    value = chance.choice(_SIZES) & (1 << 8 * width) - 1
    field = value.to_bytes(width, "little")
    at = chance.randrange(len(data))
    return data[:at] + (field if chance.random() < 0.5 else field[::-1]) + data[at + width :]


def _set_number(chance: random.Random, data: bytes, _: bytes) -> bytes:
    """A decimal number, which may be a length or a count, at its bounds; a few of them."""
    numbers = list(_NUMBER.finditer(data[:2_000_000]))
    chosen = chance.sample(numbers, min(len(numbers), chance.choice((1, 1, 3, 20))))
    # From the end on, so that what is still to be replaced stays where it was found.
    for found in sorted(chosen, key=lambda found: found.start(), reverse=True):
        data = data[: found.start()] + chance.choice(_EXTREMES) + data[found.end() :]
    return data


def _scramble(chance: random.Random, data: bytes, _: bytes) -> bytes:
    """A piece becomes noise."""
    start, end = _chunk(chance, data)
    return data[:start] + chance.randbytes(end - start) + data[end:]


def _element(chance: random.Random, data: bytes, _: bytes) -> bytes:
    """An element of XML or HTML is repeated, put into itself, or taken out: the rest stays well formed."""
    tags = list(_TAG.finditer(data[:2_000_000]))
    if not tags:
        return data
    tag = chance.choice(tags)
    close = b"</" + tag[1] + b">"
    end = data.find(close, tag.end())
    inner = data[tag.end() : end]
    # Of the same name within it, the end that was found is theirs.
    if end < 0 or b"<" + tag[1] in inner:
        return data[: tag.start()] + data[tag.start() : tag.end()] * 2 + data[tag.end() :]
    whole = data[tag.start() : end + len(close)]
    times = min(chance.choice((2, 10, 400, 20_000)), 2_000_000 // len(whole) + 1)
    made = chance.choice((whole * times, tag[0] * times + inner + close * times, b"", inner))
    return data[: tag.start()] + made + data[end + len(close) :]


def _chunk(chance: random.Random, data: bytes) -> tuple[int, int]:
    """Begin and end of a piece, most of them short."""
    start = chance.randrange(len(data))
    return start, min(len(data), start + int(2 ** chance.uniform(0, 14)))


_MUTATIONS: dict[str, Mutation] = {
    "bits flipped": _flip_bits,
    "cut off": _cut_off,
    "deleted": _delete,
    "repeated": _repeat,
    "moved": _move,
    "spliced": _splice,
    "inserted": _insert,
    "size set": _set_size,
    "number set": _set_number,
    "scrambled": _scramble,
    "element": _element,
}


def kinds(names: Sequence[str]) -> dict[str, list[str]]:
    """The names by the kind that their ending says; `.jpeg` is `.jpg`."""
    found: dict[str, list[str]] = {}
    for name in names:
        kind = name.rpartition(".")[2].lower()
        found.setdefault("jpg" if kind == "jpeg" else kind, []).append(name)
    return found
