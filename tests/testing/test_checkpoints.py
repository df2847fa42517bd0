"""wsframes.testing.checkpoints"""

import asyncio

import anyio
import anyio.lowlevel
import pytest
import sniffio

from wsframes.testing import Checkpoints


async def walk(steps: int) -> None:
    for _ in range(steps):
        await anyio.lowlevel.checkpoint()


async def family(children: int) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(children):
            tasks.start_soon(walk, 3)


async def test_each_checkpoint_counts_once() -> None:
    checkpoints = Checkpoints()
    await checkpoints.run(walk, 5)
    one = Checkpoints()
    await one.run(walk, 1)
    assert checkpoints.passed == 5 * one.passed > 0
    assert not checkpoints.reached


async def test_those_of_tasks_count_and_those_of_others_do_not() -> None:
    async with anyio.create_task_group() as others:
        others.start_soon(walk, 50)
        checkpoints = Checkpoints()
        await checkpoints.run(family, 3)
    alone = Checkpoints()
    await alone.run(walk, 3)
    assert 3 * alone.passed <= checkpoints.passed < 50


async def test_what_is_started_from_outside_counts_too() -> None:
    checkpoints = Checkpoints()
    ready = anyio.Event()

    async def host() -> None:
        async with anyio.create_task_group() as inner:
            spawn.append(inner)
            ready.set()
            await anyio.sleep(1)

    spawn: list[anyio.abc.TaskGroup] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(checkpoints.run, host)
        await ready.wait()
        spawn[0].start_soon(walk, 100)
    assert checkpoints.passed >= 100


async def test_it_is_cancelled_at_every_checkpoint() -> None:
    came_to: list[int] = []

    async def work() -> None:
        for step in range(1, 8):
            await anyio.lowlevel.checkpoint()
            came_to[-1] = step

    reached = True
    while reached:
        came_to.append(0)
        checkpoints = Checkpoints(len(came_to))
        await checkpoints.run(work)
        reached = checkpoints.reached
        assert checkpoints.reached_s == (anyio.current_time() if reached else None)
    assert came_to == sorted(came_to)
    assert set(came_to) == set(range(8))


async def test_what_is_to_be_done_is_done_there() -> None:
    seen: list[int] = []
    checkpoints = Checkpoints(3, lambda: seen.append(checkpoints.passed))
    await checkpoints.run(walk, 10)
    assert seen == [3]
    assert checkpoints.reached


async def test_what_it_raises_is_raised() -> None:
    async def fail() -> None:
        await walk(1)
        raise ValueError("as it was told")

    with pytest.raises(ValueError, match="as it was told"):
        await Checkpoints().run(fail)


async def test_what_pytest_raises_is_raised_as_it_is() -> None:
    async def fail() -> None:
        await walk(1)
        pytest.fail("as it was told")

    with pytest.raises(pytest.fail.Exception, match="as it was told"):
        await Checkpoints().run(fail)


async def test_a_cancellation_from_outside_goes_through() -> None:
    checkpoints = Checkpoints()
    with anyio.move_on_after(1) as scope:
        await checkpoints.run(anyio.sleep, 10)
    assert scope.cancelled_caught


async def test_it_leaves_nothing_behind() -> None:
    if sniffio.current_async_library() == "trio":
        checkpoints = Checkpoints()
        await checkpoints.run(walk, 1)
        passed = checkpoints.passed
        await family(3)
        assert checkpoints.passed == passed
        return
    loop = asyncio.get_running_loop()
    names: list[str | None] = []

    def own(loop: asyncio.AbstractEventLoop, coroutine: object, **options: object) -> object:
        names.append(getattr(coroutine, "__qualname__", None))
        return asyncio.Task(coroutine, loop=loop, **options)  # type: ignore[arg-type]

    loop.set_task_factory(own)  # type: ignore[arg-type]
    try:
        await Checkpoints().run(walk, 1)
        assert loop.get_task_factory() is own
        assert names
    finally:
        loop.set_task_factory(None)


async def test_a_task_that_never_began_is_closed() -> None:
    """anyio asks a coroutine how far it is, and closes one that was cancelled before it began."""

    async def host() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(walk, 100)
            tasks.cancel_scope.cancel()

    checkpoints = Checkpoints()
    await checkpoints.run(host)
    assert checkpoints.passed < 20
