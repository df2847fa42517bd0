"""The two ends of a pipeline at one websocket."""

import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import msgspec
from starlette.websockets import WebSocket

from wsframes.exceptions import UsageError
from wsframes.graph.events import EventHandlers
from wsframes.serializers import FrameSerializerType, SerializerSettings
from wsframes.transport.base import BaseTransport
from wsframes.transport.client import ClientStatistics, WebsocketClient
from wsframes.transport.input import InputStatistics, WebsocketInputTransport
from wsframes.transport.lifetime import SessionLifetime
from wsframes.transport.output import WebsocketOutputTransport
from wsframes.transport.params import WebsocketCallbacks, WebsocketParams
from wsframes.transport.playout.media_queue import MediaStatistics
from wsframes.transport.tasks.shortcut import Shortcut
from wsframes.transport.video.slot import VideoStatistics
from wsframes.transport.wire import Wire

__all__ = ["SessionStatistics", "WebsocketTransport"]

H = TypeVar("H", bound=Callable[..., Any])

_EVENTS = frozenset({"on_client_connected", "on_client_disconnected", "on_session_timeout"})


class SessionStatistics(ClientStatistics, frozen=True, kw_only=True):
    """What went over the socket, and what has become of it at both ends.

    Attributes:
        input: of the peer's messages.
        output: of the media for the peer, by destination.
        video: of the images for the peer, by destination.
        output_dropped: frames for the peer that are in no other count, by reason.
    """

    input: InputStatistics
    output: dict[str | None, MediaStatistics]
    video: dict[str | None, VideoStatistics]
    output_dropped: dict[str, int]


class WebsocketTransport(BaseTransport):
    """Carries one session over one websocket.

    Put `input()` first and `output()` last into a pipeline. The connection is accepted when the
    pipeline starts, if nobody has done so before, and closed when the run is over.

    Every way in which a session can end has a deadline. Some servers (hypercorn on trio, anycorn)
    do not let a send be cancelled that waits for a peer to read: there the connection is cut when
    the send should have been over for a second. Where the socket cannot be found for that (see
    `wsframes.transport.cut`), the end is decided and told in time, and `run` returns when the
    server gives the connection up, or the peer reads or leaves.

    Args:
        websocket: a Starlette (or FastAPI) `WebSocket`, or the `(scope, receive, send)` of an ASGI
            websocket connection.
        params: how.
        input_name: name of the input processor.
        output_name: name of the output processor.

    Events, each told as `handler(transport, websocket)`, in order, at most once a session:
        `on_client_connected`: the connection is open.
        `on_client_disconnected`: the peer has closed it or was lost. Not when this side ends the
            session.
        `on_session_timeout`: the session has had its time.

    Raises:
        UsageError: the websocket is none, or is closed already.
    """

    def __init__(
        self,
        websocket: Any,
        params: WebsocketParams,
        input_name: str | None = None,
        output_name: str | None = None,
    ) -> None:
        if not isinstance(params, WebsocketParams):
            raise UsageError(f"params must be WebsocketParams, not {type(params).__name__}")
        self.params = params
        self.wire = Wire(
            params.serializer, SerializerSettings(audio_out_bitrate=params.audio_out_bitrate)
        )
        self.shortcut = Shortcut()
        self._handlers = EventHandlers(type(self).__name__, _EVENTS)
        weak = weakref.ref(self)
        self.client = WebsocketClient(
            websocket,
            params.serializer is not None and params.serializer.type is FrameSerializerType.BINARY,
            WebsocketCallbacks(
                on_client_connected=partial(_tell, weak, "on_client_connected"),
                on_client_disconnected=partial(_tell, weak, "on_client_disconnected"),
                on_session_timeout=partial(_tell, weak, "on_session_timeout"),
            ),
            write_timeout=params.write_timeout,
            close_timeout=params.close_timeout,
        )
        self.lifetime = SessionLifetime(self.client, self.wire, params)
        self._input = WebsocketInputTransport(self, self.client, params, name=input_name)
        self._output = WebsocketOutputTransport(self, self.client, params, name=output_name)

    @property
    def websocket(self) -> WebSocket:
        """The Starlette object, whatever the transport was given."""
        return self.client.websocket

    def input(self) -> WebsocketInputTransport:
        """The processor that frames from the peer come out of; the same one at every call."""
        return self._input

    def output(self) -> WebsocketOutputTransport:
        """The processor that frames for the peer go into; the same one at every call."""
        return self._output

    def event_handler(self, name: str) -> Callable[[H], H]:
        """Decorator: call the function, `def` or `async def`, at the event.

        Raises:
            UsageError: there is no event of that name.
        """
        return self._handlers.handler(name)

    def add_event_handler(self, name: str, handler: Callable[..., Any]) -> None:
        """What `event_handler` does, as a call."""
        self._handlers.add(name, handler)

    def statistics(self) -> SessionStatistics:
        """What went over the socket, and what has become of it."""
        return SessionStatistics(
            **msgspec.structs.asdict(self.client.statistics()),
            input=self._input.statistics(),
            output=self._output.statistics(),
            video=self._output.video_statistics(),
            output_dropped=dict(self._output.dropped),
        )


async def _tell(weak: "weakref.ref[WebsocketTransport]", name: str, websocket: WebSocket) -> None:
    # The client has this, and the transport the client; its ends hold it while they need it.
    transport = weak()
    assert transport is not None, "the transport of this client is gone"
    transport.lifetime.emit(transport._handlers, name, transport, websocket)
