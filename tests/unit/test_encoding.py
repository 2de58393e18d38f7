"""Encodings that no text file states."""

from __future__ import annotations

import pytest

from ingestion.encoding import decode

CHINESE = "折扣审批：销售代表可以批准百分之五，组长可以批准百分之十。\n" * 3
FRENCH = "Le devis est valable trente jours après réception. Où êtes-vous allé cet été ?\n" * 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_chinese_in_any_encoding(encoding: str) -> None:
    """A price list from an older Windows must not turn into question marks."""
    mixed = CHINESE + "Loomdesk Business plan, 69 USD per seat and month, for teams of fifteen and more.\n"
    assert decode(mixed.encode(encoding)) == mixed


def test_western_text_is_not_taken_for_chinese() -> None:
    """Latin-1 bytes decode as GB18030 too, to nonsense."""
    assert decode(FRENCH.encode("cp1252")) == FRENCH


def test_a_broken_byte_does_not_spoil_the_file() -> None:
    """One damaged character must not turn a whole Chinese file into Latin letters."""
    data = bytearray((CHINESE * 5).encode())
    data[100] = 0xFF
    text = decode(bytes(data))
    assert text is not None and text.count("\ufffd") <= 3
    assert text.endswith(CHINESE)


def test_an_html_page_states_its_charset() -> None:
    """Only a page's own statement tells Shift-JIS from GB18030."""
    page = '<html><head><meta charset="shift_jis"></head><body>見積書の有効期限は三十日です</body></html>'
    assert decode(page.encode("shift_jis")) == page


@pytest.mark.parametrize("data", [bytes(range(256)) * 8, b"\x89PNG\r\n\x1a\n" + bytes(64), b"\xff\xfe\x00"])
def test_binary_is_no_text(data: bytes) -> None:
    """Binary data must not reach the index as letters."""
    assert decode(data) is None
