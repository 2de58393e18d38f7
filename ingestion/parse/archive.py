"""ZIP archives: the files in them, read one after the other and never written to a disk."""

from __future__ import annotations

import stat
import zipfile
import zlib
from functools import partial
from io import BytesIO

from ingestion.encoding import decode
from ingestion.limits import Limits
from ingestion.options import ReadOptions
from ingestion.parse.members import Member, check_depth, read_members, route_of
from ingestion.parse.package import check_sizes
from ingestion.parsed import Parsed
from runtime.errors import DocumentCorrupt, DocumentMissing, DocumentTooLarge

_UTF8_NAME = 0x800
_SYSTEM_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
_UNIX = 3
# zipfile raises all of these for damaged members; NotImplementedError for a compression it does not know.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, NotImplementedError)


def parse(data: bytes, name: str, options: ReadOptions, depth: int = 0) -> Parsed:
    """The members in the order of their names, each under a heading; what cannot be read is left out with a
    note.

    The whole archive is refused for a member that is encrypted (DOCUMENT_ENCRYPTED), is a link or would
    leave the folder it is unpacked to (DOCUMENT_CORRUPT), and past any limit (DOCUMENT_TOO_LARGE).
    `depth` counts the archives and mails around this one.
    """
    check_depth(name, options, depth)
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = _members(archive, name, options.limits)
            taken = (Member(n, partial(_content, archive, info, n)) for n, info in sorted(members.items()))
            found = read_members(taken, options, depth)
    except zipfile.BadZipFile as exc:
        raise DocumentCorrupt(f"{name!r} is a damaged or cut-off archive: {exc}", document=name) from exc
    return Parsed(found.items, route_of("zip", found), notes=found.notes)


def open_member(data: bytes, member: str, limits: Limits) -> bytes:
    """The content of the member that `parse` calls by this name.

    Raises as `parse` does, and DocumentMissing.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            info = _members(archive, member, limits).get(member)
            if info is None:
                raise DocumentMissing(f"the archive holds no {member!r}", document=member)
            return _content(archive, info, member)
    except zipfile.BadZipFile as exc:
        raise DocumentCorrupt(f"{member!r} is in a damaged archive: {exc}", document=member) from exc


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, member: str) -> bytes:
    try:
        return archive.read(info)
    except _DAMAGED as exc:
        raise DocumentCorrupt(f"{member!r} is damaged: {exc}", document=member) from exc


def _members(archive: zipfile.ZipFile, name: str, limits: Limits) -> dict[str, zipfile.ZipInfo]:
    """Files by name, without the operating systems' own ones."""
    infos = archive.infolist()
    if len(infos) > limits.members:
        raise DocumentTooLarge(
            f"{name!r} has {len(infos)} members; the limit is {limits.members}",
            document=name,
            limit=limits.members,
        )
    check_sizes(archive, name, limits)
    members = {}
    for info in infos:
        member = _name(info)
        _refuse_hostile(info, member, name)
        if not info.is_dir() and not _is_system_file(member):
            members[member] = info
    return members


def _name(info: zipfile.ZipInfo) -> str:
    """Names without the UTF-8 flag are in the code page of whoever packed them, GBK for one."""
    if info.flag_bits & _UTF8_NAME:
        return info.filename
    return decode(info.filename.encode("cp437", "replace")) or info.filename


def _refuse_hostile(info: zipfile.ZipInfo, member: str, name: str) -> None:
    plain = member.replace("\\", "/")
    leaves = plain.startswith("/") or plain[1:2] == ":" or ".." in plain.split("/")
    # zipfile cuts a name at its first NUL.
    if leaves or "\0" in info.orig_filename:
        raise DocumentCorrupt(f"{name!r} holds {info.orig_filename!r}, which leads out of it", document=name)
    if info.create_system == _UNIX and stat.S_ISLNK(info.external_attr >> 16):
        raise DocumentCorrupt(f"{name!r} holds {member!r}, which is a link", document=name)


def _is_system_file(member: str) -> bool:
    *folders, base = member.replace("\\", "/").split("/")
    return "__MACOSX" in folders or base.startswith("._") or base.lower() in _SYSTEM_FILES
