"""A file within a file: what it yields takes its place under a heading with its name."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from io import BytesIO
from typing import NamedTuple

from ingestion.document import Part
from ingestion.limits import Limits
from ingestion.options import ReadOptions
from ingestion.parsed import LEVELS, Level, Parsed, Route, Scan
from runtime.errors import DocumentError, DocumentTooLarge

_DEEPEST = 6


class Member(NamedTuple):
    """An archive's member, or a mail's attachment."""

    name: str
    content: Callable[[], bytes]
    """Raises a DocumentError for what cannot be taken out."""


class Members(NamedTuple):
    """What all members yielded together."""

    items: tuple[Part | Scan, ...]
    level: Level
    reasons: tuple[str, ...]
    notes: tuple[str, ...]


def check_depth(name: str, options: ReadOptions, depth: int) -> None:
    """Raises DocumentTooLarge for an archive or mail in `depth` others, where no more are opened."""
    limit = options.limits.depth
    if depth >= limit:
        raise DocumentTooLarge(
            f"{name!r} lies in {depth} archives or mails; opened are {limit} within each other",
            document=name,
            limit=limit,
        )


def read_members(members: Iterable[Member], options: ReadOptions, depth: int) -> Members:
    """Each member under a heading of level 1, its own headings one deeper.

    One that cannot be read is left out, and a note says why. What a member may unpack to, and how many
    members it may have, is what those before it left of the limits.
    """
    from ingestion.read import read_bytes

    items: list[Part | Scan] = []
    levels: list[Level] = []
    reasons: list[str] = []
    notes: list[str] = []
    limits = options.limits
    for member in members:
        try:
            data = member.content()
            limits = _spend(limits, len(data), 1)
            parsed = read_bytes(data, member.name, replace(options, limits=limits), depth + 1)
        except DocumentError as exc:
            notes.append(f"left out: {member.name!r}: {exc.code}: {exc}")
            continue
        limits = _spend(limits, *_unpacked(data))
        items.append(Part("heading", member.name, level=1))
        items.extend(_below(member.name, parsed))
        levels.append(parsed.route.level)
        reasons.append(f"{member.name!r}: {parsed.route.format}, {parsed.route.level}")
        notes.extend(f"{member.name}: {note}" for note in parsed.notes)
    level: Level = max(levels, key=LEVELS.index, default="LOW")
    return Members(tuple(items), level, tuple(reasons), tuple(notes))


def route_of(format_: str, found: Members) -> Route:
    """As hard as the hardest member."""
    return Route(format_, found.level, format_, found.reasons)


def _spend(limits: Limits, unpacked_bytes: int, members: int) -> Limits:
    return replace(
        limits,
        unpacked_bytes=max(limits.unpacked_bytes - unpacked_bytes, 0),
        members=max(limits.members - members, 0),
    )


def _unpacked(data: bytes) -> tuple[int, int]:
    """Bytes and members in a member that is an archive itself."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return sum(info.file_size for info in archive.infolist()), len(archive.infolist())
    except zipfile.BadZipFile:
        return 0, 0


def _below(name: str, parsed: Parsed) -> Iterator[Part | Scan]:
    for item in parsed.items:
        if isinstance(item, Scan):
            parts = tuple(_deeper(name, part) for part in item.parts)
            yield replace(item, members=(name, *item.members), parts=parts)
        else:
            yield _deeper(name, item)


def _deeper(name: str, part: Part) -> Part:
    level = min(part.level + 1, _DEEPEST) if part.kind == "heading" else part.level
    section = part.section
    if section is not None:
        section = f"{name} > {section}" if section else name
    return replace(part, level=level, section=section)
