"""Language detection: English, Chinese, neither."""

from __future__ import annotations

import pytest

from ingestion.language import language_of

GERMAN = (
    "Der Vertrag läuft zwölf Monate und verlängert sich dann jedes Mal um ein weiteres Jahr, wenn keine Seite"
    * 2
)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How much does the Business plan cost?", "en"),
        ("Harborline 的单点登录要买哪个版本？", "zh"),
        ("Loomdesk Enterprise 企业版每席位每月 99 美元", "zh"),
        ("これは日本語の文章です。漢字も入っています。", "und"),
        ("Сколько стоит лицензия?", "und"),
        (GERMAN, "und"),
        ("39 | 69 | 99", "und"),
        ("", "und"),
    ],
)
def test_language_of(text: str, language: str) -> None:
    """An embedder that does not speak a query's language is left out, so the label must be right."""
    assert language_of(text) == language
