"""Talks to the bot of `docs/porting.md`, and prints what it hears; its argument is the URL.

It knows neither Pipecat nor wsframes: only websockets.
"""

import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

RATE = 16000
PIECE = 2 * RATE // 50  # 20 ms


async def talk(url: str) -> list[str]:
    """Say a second of something and a few words, then bye; what came back, line by line."""
    spoken = b"".join((n * 251 % 65521).to_bytes(2, "little") for n in range(1, RATE + 1))
    heard, lines = bytearray(), []
    async with connect(url) as websocket:

        async def listen() -> None:
            try:
                while True:
                    message = await websocket.recv()
                    if isinstance(message, bytes):
                        heard.extend(message)
                    else:
                        lines.append(f"text: {message}")
            except ConnectionClosed:
                lines.append(f"closed: {websocket.close_code}")

        listening = asyncio.create_task(listen())
        for at in range(0, len(spoken), PIECE):
            await websocket.send(spoken[at : at + PIECE])
            await asyncio.sleep(0.02)
        await websocket.send(json.dumps({"say": "how are you"}))
        for _ in range(500):
            if len(heard) >= len(spoken) and len(lines) == 2:
                break
            await asyncio.sleep(0.01)
        lines.append(f"audio: {len(heard) / 2 / RATE} s, as it was spoken: {heard == spoken}")
        await websocket.send(json.dumps({"say": "bye"}))
        await listening
    return lines


if __name__ == "__main__":
    print("\n".join(asyncio.run(talk(sys.argv[1]))))
