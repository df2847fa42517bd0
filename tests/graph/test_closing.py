"""How long the last steps of a run may take."""

import anyio

from wsframes.graph.closing import Patience, Step


async def took_s(patience: Patience, share: float, seconds: float) -> float:
    begun_s = anyio.current_time()
    with patience.step(share, seconds):
        await anyio.sleep_forever()
    return anyio.current_time() - begun_s


async def test_a_step_has_its_own_time_while_nobody_is_in_a_hurry() -> None:
    patience = Patience(1.0)
    assert await took_s(patience, Step.HANDLERS, 10.0) == 10.0
    assert await took_s(patience, Step.CLEAN_UP, 5.0) == 5.0


async def test_in_a_hurry_all_of_them_share_the_cancel_timeout() -> None:
    patience = Patience(100.0)
    patience.hurry()
    begun_s = anyio.current_time()
    times_s = [
        await took_s(patience, share, 1000.0)
        for share in (Step.CANCEL_HOOKS, Step.HANDLERS, Step.CLEAN_UP, Step.LAST_HANDLERS)
    ]
    assert all(time_s > 0 for time_s in times_s)
    assert anyio.current_time() - begun_s == 100.0


async def test_the_step_at_work_is_cut_short() -> None:
    patience = Patience(100.0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(took_s, patience, Step.HANDLERS, 1000.0)
        await anyio.sleep(10.0)
        begun_s = anyio.current_time()
        patience.hurry()
        await anyio.sleep(1.0)
        patience.hurry()  # the first time counts
    assert anyio.current_time() - begun_s == 100.0 * Step.HANDLERS
