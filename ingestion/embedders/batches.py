"""Texts or points in batches that are taken at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def batches(items: Iterable[T], count: int, most: int, size: Callable[[Any], int] = len) -> Iterator[list[T]]:
    """In their order, each of at most `count` items and `most` in size; a larger one is one alone.

    `size` is of one item: the characters of a text, where it is not given.
    """
    batch: list[T] = []
    total = 0
    for item in items:
        if batch and (len(batch) == count or total + size(item) > most):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += size(item)
    if batch:
        yield batch
