"""The smallest honest websocket server around pymicro-wakeword: one instance a client.

    python benchmarks/traffic/microserver.py --port 8766

It speaks the part of our protocol that the benchmark needs. Inference runs in as many threads as
there are processors, since the library lets go of Python's lock meanwhile. A word is told once
in two seconds, as the Home Assistant satellites do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

RATE = 16_000
REFRACTORY_SAMPLES = 2 * RATE
WORD = "alexa"


class Listener:
    """One client's features and network."""

    def __init__(self) -> None:
        self._features = MicroWakeWordFeatures()
        self._word = MicroWakeWord.from_builtin(Model.ALEXA)
        self._last = -REFRACTORY_SAMPLES
        self.samples = 0

    def accept(self, audio: bytes) -> int | None:
        """Hear s16le ``audio``; the number of samples so far if the word was heard in it."""
        self.samples += len(audio) // 2
        heard = False
        for features in self._features.process_streaming(audio):
            heard |= bool(self._word.process_streaming(features))
        if not heard or self.samples - self._last < REFRACTORY_SAMPLES:
            return None
        self._last = self.samples
        return self.samples


async def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description="A websocket server around pymicro-wakeword.")
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    pool = ThreadPoolExecutor(os.cpu_count() or 1)

    async def client(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await hear(connection, pool)

    async with serve(client, "127.0.0.1", port, compression=None) as server:
        await server.serve_forever()


async def hear(connection: ServerConnection, pool: ThreadPoolExecutor) -> None:
    """One client, from ``start`` to ``end``."""
    await connection.recv()
    listener = await _in(pool, Listener)
    await connection.send('{"type": "ready"}')
    async for message in connection:
        if isinstance(message, str):
            break
        heard_at = await _in(pool, listener.accept, message)
        if heard_at is not None:
            said = {"type": "detection", "keyword": WORD, "end_sample": heard_at}
            await connection.send(json.dumps(said))
    await connection.send(json.dumps({"type": "summary", "samples": listener.samples}))


async def _in(pool: ThreadPoolExecutor, function: Any, *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(pool, function, *arguments)


if __name__ == "__main__":
    asyncio.run(main())
