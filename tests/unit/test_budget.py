"""The byte budget: what is held comes back, whatever happens to the holder."""

from __future__ import annotations

import gc
import random

import anyio
import anyio.lowlevel
import pytest

from ingestion.budget import ByteBudget
from runtime.errors import DocumentTooLarge

pytestmark = pytest.mark.anyio


def at_rest(budget: ByteBudget) -> bool:
    return (budget.held_bytes, budget.active_buffers, budget.waiting, budget.leak_count) == (0, 0, 0, 0)


async def test_what_is_held_is_visible() -> None:
    """The figures are those of this moment, and zero at rest."""
    budget = ByteBudget(100)
    async with budget.hold(60, "a.pdf"), budget.hold(40, "b.pdf"):
        assert (budget.held_bytes, budget.active_buffers, budget.waiting) == (100, 2, 0)
    assert at_rest(budget)


async def test_more_than_all_is_refused() -> None:
    """It would wait for ever."""
    budget = ByteBudget(100)
    with pytest.raises(
        DocumentTooLarge, match=r"'big\.pdf' needs 101 bytes at once, more than the 100"
    ) as raised:
        budget.hold(101, "big.pdf")
    assert raised.value.details == {"document": "big.pdf", "bytes": 101, "limit": 100}
    async with budget.hold(100, "fits.pdf"):
        pass
    with pytest.raises(ValueError, match="-1 bytes"):
        budget.hold(-1, "odd.pdf")


async def test_a_hundred_exceptions() -> None:
    """Every failure of a parser passes through a hold; none may keep its bytes."""
    budget = ByteBudget(1000)

    async def fail(number: int) -> None:
        with pytest.raises(ZeroDivisionError):
            async with budget.hold(300 + number, str(number)):
                await anyio.lowlevel.checkpoint()
                raise ZeroDivisionError

    async with anyio.create_task_group() as group:
        for number in range(100):
            group.start_soon(fail, number)
    assert at_rest(budget)


async def test_a_hundred_cancellations() -> None:
    """Cancelled while waiting, while holding, or in the very step that grants it: all comes back."""
    budget = ByteBudget(1000)
    scopes: list[anyio.CancelScope] = []

    async def hold(size: int) -> None:
        with anyio.CancelScope() as scope:
            scopes.append(scope)
            async with budget.hold(size, "x"):
                await anyio.sleep_forever()

    chance = random.Random(5)
    async with anyio.create_task_group() as group:
        for _ in range(100):
            group.start_soon(hold, chance.randrange(1, 900))
        await anyio.wait_all_tasks_blocked()
        assert budget.waiting > 0
        chance.shuffle(scopes)
        for scope in scopes:
            scope.cancel()
            if chance.random() < 0.5:
                await anyio.lowlevel.checkpoint()
    assert at_rest(budget)


async def test_first_come_first_served() -> None:
    """A large document is not starved by the small ones that would fit before it."""
    budget = ByteBudget(100)
    order: list[int] = []

    async def hold(size: int) -> None:
        async with budget.hold(size, "x"):
            order.append(size)
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        async with budget.hold(50, "first"):
            for size in (90, 10, 20, 95, 5):
                group.start_soon(hold, size)
            await anyio.wait_all_tasks_blocked()
            assert (budget.waiting, order) == (5, [])
    assert order == [90, 10, 20, 95, 5]
    assert at_rest(budget)


async def test_a_cancelled_giant_lets_the_others_pass() -> None:
    """Those that waited behind it only may go on at once."""
    budget = ByteBudget(100)
    passed: list[str] = []

    async def hold(size: int, name: str) -> None:
        async with budget.hold(size, name):
            passed.append(name)

    async with budget.hold(50, "first"), anyio.create_task_group() as group:
        async with anyio.create_task_group() as giants:
            giants.start_soon(hold, 100, "giant")
            await anyio.wait_all_tasks_blocked()
            group.start_soon(hold, 10, "small")
            await anyio.wait_all_tasks_blocked()
            assert passed == []
            giants.cancel_scope.cancel()
    assert passed == ["small"]


async def test_shrinking_gives_the_rest_back() -> None:
    """A download of unknown size holds the most it may be, until its size is known."""
    budget = ByteBudget(100)
    async with budget.hold(100, "unknown.pdf") as hold:
        hold.shrink(30)
        assert budget.held_bytes == 30
        hold.shrink(50)
        async with budget.hold(70, "next.pdf"):
            assert budget.held_bytes == 100
    assert at_rest(budget)


async def test_a_lost_hold_counts_as_a_leak() -> None:
    """The mistake is seen, and the others do not wait for ever for its bytes."""
    budget = ByteBudget(100)
    await budget.hold(80, "lost.pdf").__aenter__()
    gc.collect()
    assert (budget.leak_count, budget.held_bytes, budget.active_buffers) == (1, 0, 0)
    async with budget.hold(100, "next.pdf"):
        pass


async def test_a_waiter_finds_what_was_lost() -> None:
    """The finalizer runs in whatever thread; whoever waits sees its bytes nevertheless."""
    budget = ByteBudget(100)
    lost = budget.hold(80, "lost.pdf")
    await lost.__aenter__()
    async with anyio.create_task_group() as group:

        async def wait() -> None:
            async with budget.hold(100, "next.pdf"):
                pass

        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        del lost
        gc.collect()
    assert (budget.leak_count, budget.held_bytes, budget.waiting) == (1, 0, 0)
