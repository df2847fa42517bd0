"""The task that waits for time."""

import anyio
import pytest

from wsframes.graph.alarm import Alarm
from wsframes.testing import settle


async def test_it_runs_timers_at_their_time_until_it_is_over() -> None:
    alarm = Alarm()
    ran_s: list[float] = []
    begun_s = anyio.current_time()
    for delay_s in (3.0, 1.0, 2.0):
        alarm.call_at(begun_s + delay_s, lambda: ran_s.append(anyio.current_time() - begun_s))
    await alarm.run(lambda: len(ran_s) == 3)
    assert ran_s == [1.0, 2.0, 3.0]


async def test_an_earlier_timer_that_is_set_while_it_waits_is_in_time() -> None:
    alarm = Alarm()
    ran: list[str] = []
    now_s = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        alarm.call_at(now_s + 100, lambda: ran.append("late"))
        tasks.start_soon(alarm.run, lambda: len(ran) == 2)
        await settle()
        alarm.call_at(now_s + 1, lambda: ran.append("early"))
        await anyio.sleep(2)
        assert ran == ["early"]
    assert ran == ["early", "late"]


async def test_it_stops_when_it_is_told_to_look_up_and_it_is_over() -> None:
    alarm = Alarm()
    over = False
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(alarm.run, lambda: over)
        await settle()
        over = True
        alarm.look_up()
    assert anyio.current_time() < 1


async def test_what_a_timer_raises_comes_out() -> None:
    def fail() -> None:
        raise LookupError

    alarm = Alarm()
    alarm.call_at(anyio.current_time(), fail)
    with pytest.raises(LookupError):
        await alarm.run(lambda: False)


async def test_a_timer_that_is_put_off_wakes_nobody_before_its_time() -> None:
    alarm = Alarm()
    ran_s: list[float] = []
    begun_s = anyio.current_time()
    timer = alarm.call_at(begun_s + 1, lambda: ran_s.append(anyio.current_time() - begun_s))
    alarm.put_off(timer, begun_s + 2)  # nobody waits yet
    asked = 0

    def is_over() -> bool:
        nonlocal asked
        asked += 1
        return bool(ran_s)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(alarm.run, is_over)
        for _ in range(3):
            await anyio.sleep(1.5)
            alarm.put_off(timer, anyio.current_time() + 2)
        alarm.call_at(anyio.current_time() + 3, lambda: None)
        alarm.put_off(timer, timer.due_s)  # no later than it was
    assert ran_s == [6.5]
    assert asked == 2
