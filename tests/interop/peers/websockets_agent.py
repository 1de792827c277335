"""An agent (see programs.py) with the Python library websockets."""
import asyncio
import socket
import ssl
import struct
import sys

import websockets
from agent_io import emit, offers, parameters
from websockets.exceptions import ConnectionClosed, InvalidStatusCode
from websockets.extensions.permessage_deflate import (ClientPerMessageDeflateFactory,
                                                      ServerPerMessageDeflateFactory)

OPCODES = {"first-text": 1, "first-binary": 2, "more": 0, "last": 0}
LIMITS = {"max_size": None, "ping_interval": None, "close_timeout": 10}


class Agent:
    def __init__(self):
        self.ws = None
        self.accepted = [ServerPerMessageDeflateFactory()]  # The server looks at it each time.

    async def pump(self, ws):
        """Reports what comes on one connection, until its end."""
        self.ws = ws
        head = ws.response_headers if ws.is_client else ws.request_headers
        emit("open", ws.subprotocol or "-", head.get("Sec-WebSocket-Extensions", ""))
        try:
            async for message in ws:
                emit("text" if isinstance(message, str) else "binary", "-", message)
        except ConnectionClosed:
            pass
        await ws.wait_closed()
        self.ws = None
        emit("close", ws.close_code, ws.close_reason)

    async def connect(self, data):
        offer = offers(data)
        extensions = []
        if "deflate" in offer:
            asked = {"client_max_window_bits": None, **parameters(offer["deflate"])}
            extensions.append(ClientPerMessageDeflateFactory(**asked))
        trust = ssl.create_default_context(cafile=offer["ca"]) if "ca" in offer else None
        try:
            ws = await websockets.connect(
                offer["url"], ssl=trust, origin=offer.get("origin"),
                subprotocols=offer["subprotocol"].split(",") if "subprotocol" in offer else None,
                compression=None, extensions=extensions or None, **LIMITS)
        except InvalidStatusCode as refusal:
            emit("refused", refusal.status_code)
            return
        asyncio.ensure_future(self.pump(ws))
        await asyncio.sleep(0)

    async def pong(self, waiter, data):
        await waiter
        emit("pong", "-", data)

    async def do(self, verb, arg, data):
        ws = self.ws
        if verb == "connect":
            await self.connect(data)
        elif verb == "accept":
            self.accepted[:] = [ServerPerMessageDeflateFactory(**parameters(data.decode()))]
            emit("ready")
        elif ws is None:
            pass  # The event "close" tells of it.
        elif verb == "text":
            await ws.send(data.decode())
        elif verb == "binary":
            await ws.send(data)
        elif verb in OPCODES:
            await ws.write_frame(verb == "last", OPCODES[verb], data)
        elif verb == "ping":
            asyncio.ensure_future(self.pong(await ws.ping(data), data))
        elif verb == "close":
            asyncio.ensure_future(ws.close(int(arg), data.decode()))
        elif verb == "eof":
            ws.transport.close()
        elif verb == "reset":
            linger = struct.pack("ii", 1, 0)
            ws.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, linger)
            ws.transport.abort()

    async def commands(self):
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            verb, arg, length = line.decode().split()
            data = await reader.readexactly(int(length))
            try:
                await self.do(verb, arg, data)
            except ConnectionClosed:
                pass  # The event "close" tells of it.

    async def main(self):
        if sys.argv[1] == "client":
            await self.commands()
            return
        context = None
        if sys.argv[2:]:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*sys.argv[2:])
        server = await websockets.serve(self.pump, "127.0.0.1", 0, ssl=context,
                                        subprotocols=["chat"], compression=None,
                                        extensions=self.accepted, **LIMITS)
        emit("listen", server.sockets[0].getsockname()[1])
        await self.commands()


asyncio.run(Agent().main())
