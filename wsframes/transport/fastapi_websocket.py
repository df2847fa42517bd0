"""Pipecat's names for the classes of this transport, so that a port is a change of imports."""

from wsframes.transport.client import WebsocketClient as FastAPIWebsocketClient
from wsframes.transport.input import WebsocketInputTransport as FastAPIWebsocketInputTransport
from wsframes.transport.output import WebsocketOutputTransport as FastAPIWebsocketOutputTransport
from wsframes.transport.params import WebsocketCallbacks as FastAPIWebsocketCallbacks
from wsframes.transport.params import WebsocketParams as FastAPIWebsocketParams
from wsframes.transport.websocket import WebsocketTransport as FastAPIWebsocketTransport

__all__ = [
    "FastAPIWebsocketCallbacks",
    "FastAPIWebsocketClient",
    "FastAPIWebsocketInputTransport",
    "FastAPIWebsocketOutputTransport",
    "FastAPIWebsocketParams",
    "FastAPIWebsocketTransport",
]
