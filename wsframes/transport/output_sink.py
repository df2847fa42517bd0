"""What an output's audio and frames are sent through, and how the pipeline is told of it."""

from collections.abc import Awaitable, Callable

from wsframes.frames import DTMFFrame, Frame, FrameDirection, SystemFrame
from wsframes.graph.processor import FrameProcessor
from wsframes.transport.client import WebsocketClient
from wsframes.transport.outlet import Outlet
from wsframes.transport.params import WebsocketParams
from wsframes.transport.wire import Wire

__all__ = ["OutputSink"]


class OutputSink:
    """The `MediaSink` of all destinations.

    Args:
        output: pushes what is told.
        wire: makes the messages.
        client: sends them.
        params: of the transport.
        play_key: see `Outlet`.
        write_in_turn: see `MediaSink`.

    Attributes:
        outlet: the way to the wire.
        passed: passes on what has been sent.
        write_in_turn: as above.
    """

    __slots__ = ("_output", "outlet", "passed", "write_in_turn")

    def __init__(
        self,
        output: FrameProcessor,
        wire: Wire,
        client: WebsocketClient,
        params: WebsocketParams,
        play_key: Callable[[DTMFFrame], str | None],
        write_in_turn: Callable[[Frame], Awaitable[str | None]],
    ) -> None:
        self._output = output
        self.outlet = Outlet(wire, client, params, play_key, self._cannot_send)
        self.write_in_turn = write_in_turn
        self.passed: Callable[[Frame], None] = _pass_nowhere

    def begin(self, push_out: Callable[[Frame], None]) -> None:
        """Pass frames on in this run."""
        self.passed = push_out

    def let_go(self) -> None:
        """Send on, and tell nobody; see `Node.let_go`."""
        self.outlet.let_go()
        self.passed = _pass_nowhere
        del self._output, self.write_in_turn

    def tell_speech(self, destination: str | None, frame_type: type[SystemFrame]) -> None:
        """Tell the pipeline that the bot starts, goes on or stops."""
        for direction in FrameDirection:
            frame = frame_type(transport_destination=destination)
            self._output.push_frame_nowait(frame, direction)

    def report(self, text: str, exc: Exception | None) -> None:
        """Tell the pipeline what went wrong."""
        self._output.push_error(f"{self._output.name}: {text}", exception=exc)

    def _cannot_send(self, frame: Frame, why: str, exc: Exception) -> None:
        name = self._output.name
        self._output.push_error(f"{name} cannot send {frame.name}: {why}", exception=exc)


def _pass_nowhere(frame: Frame) -> None: ...
