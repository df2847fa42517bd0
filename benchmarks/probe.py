"""Lets a server be asked what it has used so far, over the port that it serves.

`GET /probe` answers with JSON; the query `collect` collects garbage first, and `sessions` counts
the transports in memory. Everything else goes to the application.
"""

import gc
import json
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

__all__ = ["with_probe"]

ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]


def with_probe(app: ASGIApp) -> ASGIApp:
    async def probed(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        if scope["query_string"] == b"collect":
            gc.collect()
        answer = {
            "cpu_s": time.process_time(),
            "tasks": len(anyio.get_running_tasks()),
            "traced_bytes": tracemalloc.get_traced_memory()[0],
        }
        if scope["query_string"] == b"sessions":
            # By name: where Pipecat serves, there is no wsframes to import.
            names = [type(each).__name__ for each in gc.get_objects()]
            answer["sessions"] = names.count("WebsocketTransport")
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    return probed
