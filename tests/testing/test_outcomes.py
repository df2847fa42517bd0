"""wsframes.testing.outcomes"""

import anyio
import anyio.lowlevel
import pytest

from wsframes.testing.outcomes import is_outcome


async def cancellation() -> BaseException:
    with anyio.CancelScope() as scope:
        scope.cancel()
        with pytest.raises(anyio.get_cancelled_exc_class()) as raised:
            await anyio.lowlevel.checkpoint()
    return raised.value


async def test_errors_and_what_pytest_raises_are_outcomes() -> None:
    for exc in (ValueError(), pytest.fail.Exception(), KeyboardInterrupt()):
        assert is_outcome(exc)
        assert is_outcome(BaseExceptionGroup("", [exc, ValueError()]))


async def test_a_cancellation_is_none_nor_is_a_group_with_one() -> None:
    for exc in (await cancellation(), GeneratorExit()):
        assert not is_outcome(exc)
        assert not is_outcome(BaseExceptionGroup("", [BaseExceptionGroup("", [exc]), ValueError()]))
