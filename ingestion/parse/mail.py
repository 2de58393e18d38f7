"""Mails (EML, MHTML): who wrote what to whom and when, the text, then the attachments as files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from email import policy
from email.message import EmailMessage, Message, MIMEPart
from email.parser import BytesParser
from functools import partial
from typing import cast

from ingestion.document import Part
from ingestion.encoding import decode
from ingestion.limits import Limits
from ingestion.options import ReadOptions
from ingestion.parse.members import Member, check_depth, read_members, route_of
from ingestion.parsed import Parsed
from runtime.errors import DocumentCorrupt, DocumentMissing, DocumentTooLarge

_SHOWN = ("Subject", "From", "To", "Cc", "Date")
_EXTENSIONS = {
    "message/rfc822": ".eml",
    "text/plain": ".txt",
    "text/html": ".html",
    "application/pdf": ".pdf",
}
_TABLE = re.compile(r"<th[\s>]|<table[^>]*\bborder\s*=\s*[\"']?[1-9]", re.IGNORECASE)
_MBOX_LINE = re.compile(rb"From [^\r\n]*\r?\n")


def parse(data: bytes, name: str, options: ReadOptions, depth: int = 0) -> Parsed:
    """Subject, sender, recipients and date as first block, then the text, then each attachment under a
    heading; an attachment that cannot be read is left out with a note.

    The text is the plain one, or the HTML one where that is all there is or where it holds a table.
    Raises DocumentTooLarge (members, depth). `depth` counts the archives and mails around this one.
    """
    check_depth(name, options, depth)
    mail = _mail(data)
    head = "\n".join(f"{field}: {_flat(mail, field)}" for field in _SHOWN if _flat(mail, field))
    body, notes = _body(mail, options)
    found = read_members(_attachments(mail, name, options.limits), options, depth)
    route = route_of("eml", found)
    route = replace(route, reasons=(f"a mail with {len(found.reasons)} attachments read", *route.reasons))
    return Parsed((Part("paragraph", head), *body, *found.items), route, notes=(*notes, *found.notes))


def open_member(data: bytes, member: str, limits: Limits) -> bytes:
    """The attachment that `parse` calls by this name. Raises DocumentMissing, DocumentTooLarge."""
    for attachment in _attachments(_mail(data), member, limits):
        if attachment.name == member:
            return attachment.content()
    raise DocumentMissing(f"the mail holds no {member!r}", document=member)


def _mail(data: bytes) -> EmailMessage:
    data = _MBOX_LINE.sub(b"", data, count=1) if data.startswith(b"From ") else data
    return BytesParser(policy=policy.default).parsebytes(data)


def _flat(mail: Message, field: str) -> str:
    """The field's value in one line; one that breaks the rules as it stands."""
    try:
        return " ".join(str(mail.get(field, "")).split())
    except (ValueError, IndexError, AttributeError, TypeError):
        # The parser of addresses and dates fails on some that no RFC allows.
        raw = dict(mail.raw_items()).get(field, "")
        return " ".join(str(raw).split())


def _body(mail: EmailMessage, options: ReadOptions) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    from ingestion.parse import html, plain

    written = {kind: mail.get_body((kind,)) for kind in ("plain", "html")}
    texts = {kind: _text(part) for kind, part in written.items() if part is not None}
    text, page = texts.get("plain", ""), texts.get("html", "")
    if page.strip() and (not text.strip() or _TABLE.search(page)):
        parsed = html.parse(page.encode("utf-8-sig"), "body.html", options)
    elif text.strip():
        parsed = plain.parse(text.encode("utf-8-sig"), "body.txt", options)
    else:
        return (), ()
    return tuple(item for item in parsed.items if isinstance(item, Part)), parsed.notes


def _text(part: MIMEPart) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    stated = part.get_content_charset()
    if stated:
        try:
            return data.decode(stated)
        except (LookupError, UnicodeDecodeError):
            pass  # a false statement is worth as much as none
    return decode(data) or ""


def _attachments(mail: EmailMessage, name: str, limits: Limits) -> Iterator[Member]:
    bodies = [mail.get_body((kind,)) for kind in ("plain", "html")]
    seen: dict[str, int] = {}
    for count, part in enumerate(_leaves(mail), start=1):
        if count > limits.members:
            raise DocumentTooLarge(
                f"{name!r} has more than {limits.members} parts", document=name, limit=limits.members
            )
        if any(part is body for body in bodies) or _is_decoration(part):
            continue
        yield Member(_unique(_file_name(part), seen), partial(_content, part))


def _leaves(mail: EmailMessage) -> Iterator[EmailMessage]:
    """All parts but containers; a mail within the mail is one part."""
    if not mail.is_multipart() or mail.get_content_type() == "message/rfc822":
        yield mail
        return
    for part in mail.iter_parts():
        yield from _leaves(cast(EmailMessage, part))


def _is_decoration(part: EmailMessage) -> bool:
    """A picture that stands in the text, a logo mostly; a style sheet; a second form of the text."""
    if part.get_content_disposition() == "attachment":
        return False
    inline_picture = part.get_content_maintype() == "image" and part.get("Content-ID") is not None
    return inline_picture or (part.get_filename() is None and part.get_content_maintype() == "text")


def _content(part: EmailMessage) -> bytes:
    if inner := _inner(part):
        try:
            return inner.as_bytes()
        except (ValueError, LookupError, TypeError, AttributeError) as exc:
            # The generator fails on headers and encodings that the parser let pass.
            raise DocumentCorrupt(f"the mail within cannot be taken out: {exc}") from exc
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _inner(part: EmailMessage) -> Message | None:
    payload = part.get_payload() if part.get_content_type() == "message/rfc822" else None
    first = payload[0] if isinstance(payload, list) and payload else None
    return first if isinstance(first, Message) else None


def _file_name(part: EmailMessage) -> str:
    """The last part of the stated name; for a nested mail its subject."""
    stated = part.get_filename()
    if stated:
        return " ".join(stated.replace("\\", "/").rsplit("/", 1)[-1].split()) or "attachment"
    if inner := _inner(part):
        return f"{_flat(inner, 'Subject') or 'mail'}.eml"
    return "attachment" + _EXTENSIONS.get(part.get_content_type(), "")


def _unique(name: str, seen: dict[str, int]) -> str:
    seen[name] = seen.get(name, 0) + 1
    if seen[name] == 1:
        return name
    stem, dot, suffix = name.rpartition(".")
    return f"{stem} ({seen[name]}).{suffix}" if dot else f"{name} ({seen[name]})"
