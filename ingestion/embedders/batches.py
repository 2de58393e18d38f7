"""Texts in batches that a model or an endpoint takes at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def batches(texts: Sequence[str], count: int, chars: int) -> Iterator[list[str]]:
    """In their order, each of at most `count` texts and `chars` characters; a longer text is one alone."""
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and (len(batch) == count or size + len(text) > chars):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch
