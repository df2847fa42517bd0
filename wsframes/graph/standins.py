"""What stands where a node would, or a lane."""

from typing import Any

import anyio.lowlevel

from wsframes.frames import Frame, FrameDirection
from wsframes.graph.dispatcher import Receive, Target

__all__ = ["GONE", "REFUSAL", "Via"]


class Via:
    """A receiver between two nodes. What it cannot deal with is reported by its owner."""

    __slots__ = ("fail", "receive", "returned", "taken")

    call = put = None

    def __init__(self, receive: Receive, owner: Target) -> None:
        self.receive = receive
        self.fail = owner.fail
        self.returned = owner.returned
        self.taken = 0


class _Gone:
    """Stands for the neighbours of a node that has let go."""

    call = put = None
    taken = 0

    def receive(self, frame: Frame, direction: FrameDirection) -> None: ...

    def returned(self, result: Any) -> None: ...

    def fail(self, frame: Frame, direction: FrameDirection, exc: BaseException) -> None: ...


GONE = _Gone()


class _Refusal:
    """Stands among the full lanes for a frame that nobody took."""

    async def wait_for_room(self) -> None:
        await anyio.lowlevel.checkpoint()


REFUSAL = _Refusal()
