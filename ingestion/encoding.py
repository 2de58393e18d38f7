"""The text of a text file whose encoding nobody states."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from charset_normalizer import from_bytes

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # Before UTF-16: its little-endian mark begins the same way.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 65_536
_SAMPLE_CHARS = 2_000
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd\ufffe\uffff]")
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{2,30})", re.IGNORECASE)
_GUESSED = ["gb18030", "big5", "shift_jis", "euc_jp", "euc_kr", "cp1251", "cp1252", "cp1250"]
_PLAIN = re.compile(r"[\t\n\r -~\u00a0-\u00ff\u0400-\u045f\u2010-\u2026\u3000-\u30ff\uff00-\uff9f]")
_PUNCTUATION = re.compile(r"[\u3000-\u303f\uff00-\uff60\u2014\u2018-\u201d\u2026\u00b7\uffe5]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_WESTERN = frozenset(
    "àáâãäåæçèéêëìíîïñòóôõöøùúûüÿœßÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜŒ«»‹›„“”‚‘’–—…°·¡¿ºª€§®©™²½×\xa0"
)
_MOSTLY = 0.9
_KOREAN_BYTES = 30


def decode(data: bytes) -> str | None:
    """The text of `data`, None when it is binary.

    Tried in this order: a byte order mark; UTF-16 without one; UTF-8; what an HTML `meta` states; UTF-8 with
    a few broken bytes, which become U+FFFD; GB18030, when what it yields is common Chinese; what
    charset-normalizer takes it for, of eight encodings; Windows-1252, the Latin default of HTML.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _as_text(data, encoding)
    text = _as_text(data, "utf-8")
    if text is None and (wide := _utf16_without_mark(data)):
        return _as_text(data, wide)
    if text is None and (stated := _META_CHARSET.search(data[:2048])):
        text = _as_text(data, stated.group(1).decode("ascii"))
    if text is None:
        text = _mostly_utf8(data)
    if text is None:
        text = _as_text(data, _guess(data))
    return text if text is not None else _as_text(data, "cp1252")


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
    """Latin text shows by a zero in every second byte, Chinese by its common characters."""
    sample = data[:_SAMPLE_BYTES]
    half = len(sample) // 2
    if half < 2 or len(data) % 2:
        return None
    even, odd = sample[0::2].count(0) / half, sample[1::2].count(0) / half
    if odd > 0.2 and even < 0.02:
        return "utf-16-le"
    if even > 0.2 and odd < 0.02:
        return "utf-16-be"
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = sample[: 2 * _SAMPLE_CHARS].decode(encoding)
        except UnicodeDecodeError:
            continue
        if sum(map(_is_common, text)) >= _MOSTLY * len(text):
            return encoding
    return None


def _guess(data: bytes) -> str:
    """The encoding of a text that is neither Unicode nor states its own."""
    sample = _whole_lines(data)
    if _reads(sample, "gb18030") >= _MOSTLY:
        # Korean text reads as common Chinese too; the reverse happens to a word or two.
        korean = len(sample) >= _KOREAN_BYTES and _reads(sample, "euc_kr", _is_hangul) >= _MOSTLY
        return "euc_kr" if korean else "gb18030"
    best = from_bytes(sample, cp_isolation=_GUESSED).best()
    if best is None:
        return "cp1252"
    if best.encoding == "cp1250" and _reads(sample, "cp1252", _WESTERN.__contains__) == 1:
        # Czech and Polish take the same bytes for letters that no French or Spanish text has.
        return "cp1252"
    return best.encoding


def _whole_lines(data: bytes) -> bytes:
    """Enough to judge by; a line break is no part of a character in any of the encodings guessed."""
    if len(data) <= _SAMPLE_BYTES:
        return data
    return data[: data.rfind(b"\n", 0, _SAMPLE_BYTES) + 1] or data[:_SAMPLE_BYTES]


def _reads(data: bytes, encoding: str, fits: Callable[[str], bool] | None = None) -> float:
    """The share of the characters beyond ASCII that are common Han, or fit; 0 where it does not decode."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return 0
    wide = [c for c in text if c > "\x7f"][:_SAMPLE_CHARS]
    return sum(map(fits or _is_common_han, wide)) / max(len(wide), 1)


def _is_hangul(char: str) -> bool:
    return bool(_HANGUL.match(char))


def _is_common(char: str) -> bool:
    return bool(_PLAIN.match(char)) or _is_common_han(char)


def _is_common_han(char: str) -> bool:
    """In the first level of GB 2312 or Big5, which hold the most used characters; or Chinese punctuation."""
    if not "\u4e00" <= char <= "\u9fff":
        return bool(_PUNCTUATION.match(char))
    simplified, traditional = char.encode("gb2312", "ignore"), char.encode("big5", "ignore")
    return b"\xb0" <= simplified[:1] <= b"\xd7" or b"\xa4" <= traditional[:1] <= b"\xc6"
