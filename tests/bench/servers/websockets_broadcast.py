"""A server with the Python library websockets that sends each message to all connections, by the
function that it has for that."""
import asyncio

import websockets

connected = set()


async def serve(socket):
    connected.add(socket)
    try:
        async for message in socket:
            websockets.broadcast(connected, message)
    except websockets.ConnectionClosed:
        pass
    finally:
        connected.remove(socket)


async def main():
    server = await websockets.serve(serve, "127.0.0.1", 0, compression=None, ping_interval=None)
    print(f"listens on ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
    await asyncio.Future()


asyncio.run(main())
