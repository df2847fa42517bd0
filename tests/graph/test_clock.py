"""`wsframes.graph.clock`."""

import anyio

from wsframes.graph.clock import loop_clock


async def test_it_says_what_anyio_says() -> None:
    clock = loop_clock()
    for _ in range(2):
        assert anyio.current_time() <= clock() <= anyio.current_time()
        await anyio.sleep(10)
