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


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("价格表：团队版三十九美元", "gbk"),
        ("價格表：團隊版三十九美元", "big5"),
        ("折扣審批：銷售代表可以批准百分之五，組長可以批准百分之十。", "gb18030"),
        ("折扣審批：銷售代表可以批准百分之五，組長可以批准百分之十。", "utf-16-le"),
        ("企业版：六十九美元", "utf-16-be"),
        ("見積書の有効期限は三十日です。お気軽にお問い合わせください。", "shift_jis"),
        ("見積書の有効期限は三十日です。お気軽にお問い合わせください。", "euc-jp"),
        ("견적서의 유효기간은 30일입니다. 언제든지 문의해 주십시오.", "euc-kr"),
        ("Коммерческое предложение действительно в течение тридцати дней.", "cp1251"),
        ("Größe und Höhe der Rabatte für München: 5 % — über 10 €.", "cp1252"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy.", "cp1250"),
    ],
)
def test_encodings_of_other_places(text: str, encoding: str) -> None:
    """A customer's file comes as his editor wrote it, be it short."""
    assert decode(text.encode(encoding)) == text
    assert decode((text + "\n").encode(encoding) * 3_000) == (text + "\n") * 3_000
