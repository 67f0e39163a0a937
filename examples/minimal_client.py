"""Let a wakeword service hear a wav file. Needs nothing of wakeword, only: pip install websockets

    python3 minimal_client.py recording.wav ws://localhost:8765/v1/stream
"""

import asyncio
import json
import os
import sys
import wave

import websockets


async def stream(path, url):
    with wave.open(path) as sound:
        if sound.getsampwidth() != 2:
            sys.exit(f"{path} has {8 * sound.getsampwidth()} bits, but this example sends 16")
        start = {
            "type": "start",
            "protocol": 1,
            "sample_rate": sound.getframerate(),
            "channels": sound.getnchannels(),
            "encoding": "s16le",
        }
        if "WAKEWORD_KEY" in os.environ:
            start["key"] = os.environ["WAKEWORD_KEY"]
        async with websockets.connect(url, compression=None) as socket:
            await socket.send(json.dumps(start))

            async def send():
                while frames := sound.readframes(8000):
                    await socket.send(frames)  # waits while the service has enough
                await socket.send(json.dumps({"type": "end"}))

            sending = asyncio.create_task(send())
            async for text in socket:
                message = json.loads(text)
                if message["type"] == "detection":
                    print(f"{message['end_s']:8.2f}  {message['keyword']}  {message['score']:.3f}")
                elif message["type"] == "error":
                    sys.exit(f"error: {message['message']}")
            await sending


if __name__ == "__main__":
    url = sys.argv[2] if len(sys.argv) > 2 else "ws://localhost:8765/v1/stream"
    asyncio.run(stream(sys.argv[1], url))
