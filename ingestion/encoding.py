"""The text of a text file whose encoding nobody states."""

from __future__ import annotations

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # Before UTF-16: its little-endian mark begins the same way.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 65_536
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd\ufffe\uffff]")
_COMMON_HAN = re.compile(r"[\u4e00-\u9fa5\u3000-\u303f\uff00-\uffef]")
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{2,30})", re.IGNORECASE)


def decode(data: bytes) -> str | None:
    """The text of `data`, None when it is binary.

    Tried in this order: a byte order mark; UTF-16 without one (a zero in every second byte); UTF-8; what an
    HTML `meta` states; UTF-8 with a few broken bytes, which become U+FFFD; GB18030, when what it yields is
    Chinese; Windows-1252, the Latin default of HTML.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _as_text(data, encoding)
    if wide := _utf16_without_mark(data):
        return _as_text(data, wide)
    text = _as_text(data, "utf-8")
    if text is None and (stated := _META_CHARSET.search(data[:2048])):
        text = _as_text(data, stated.group(1).decode("ascii"))
    if text is None:
        text = _mostly_utf8(data)
    if text is None:
        chinese = _as_text(data, "gb18030")
        text = chinese if chinese is not None and _reads_chinese(chinese) else _as_text(data, "cp1252")
    return text


def _as_text(data: bytes, encoding: str) -> str | None:
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None
    return None if _is_binary(text) else text


def _is_binary(text: str) -> bool:
    # A form feed or a stray control character stands in honest text files; one in a hundred does not.
    return len(_BINARY.findall(text)) * 100 > len(text)


def _mostly_utf8(data: bytes) -> str | None:
    text = data.decode("utf-8", "replace")
    wide = sum(c > "\x7f" for c in text)
    return text if text.count("\ufffd") * 20 <= wide and not _is_binary(text) else None


def _utf16_without_mark(data: bytes) -> str | None:
    sample = data[:_SAMPLE_BYTES]
    half = len(sample) // 2
    if half < 2:
        return None
    even, odd = sample[0::2].count(0) / half, sample[1::2].count(0) / half
    if odd > 0.2 and even < 0.02:
        return "utf-16-le"
    return "utf-16-be" if even > 0.2 and odd < 0.02 else None


def _reads_chinese(text: str) -> bool:
    """Latin-1 letters also decode as GB18030, but to rare characters between ASCII ones."""
    wide = [c for c in text if ord(c) > 127]
    common = len(_COMMON_HAN.findall("".join(wide)))
    return common >= 0.9 * len(wide) and common * 3 >= len(text.split())
