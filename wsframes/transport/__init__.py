"""The two ends of a pipeline at a websocket, and the ASGI application around them."""

from wsframes.transport.app import WebsocketApp
from wsframes.transport.census import AppStatistics
from wsframes.transport.client import ClientStatistics, WebsocketClient
from wsframes.transport.input import InputStatistics, WebsocketInputTransport
from wsframes.transport.output import WebsocketOutputTransport
from wsframes.transport.pacer import Interrupted
from wsframes.transport.params import TransportParams, WebsocketCallbacks, WebsocketParams
from wsframes.transport.playout.media_queue import MediaStatistics
from wsframes.transport.video.slot import VideoStatistics
from wsframes.transport.websocket import SessionStatistics, WebsocketTransport

__all__ = [
    "AppStatistics",
    "ClientStatistics",
    "InputStatistics",
    "Interrupted",
    "MediaStatistics",
    "SessionStatistics",
    "TransportParams",
    "VideoStatistics",
    "WebsocketApp",
    "WebsocketCallbacks",
    "WebsocketClient",
    "WebsocketInputTransport",
    "WebsocketOutputTransport",
    "WebsocketParams",
    "WebsocketTransport",
]
