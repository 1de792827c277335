"""An agent (see programs.py) with the sans-I/O Python library wsproto over a raw socket."""
import select
import socket
import struct
import sys
from urllib.parse import urlsplit

from agent_io import Commands, emit, offers, parameters
from wsproto import ConnectionType, WSConnection
from wsproto import events
from wsproto.connection import ConnectionState
from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import RemoteProtocolError


class Connection:
    """One connection and its socket."""

    def __init__(self, sock, role, accepted=None):
        sock.setblocking(False)
        self.sock, self.role = sock, role
        self.ws = WSConnection(role)
        self.out = bytearray()
        self.accepted = accepted or {}
        self.head = b""  # What came until the handshake was over: the library changes what it had.
        self.parts, self.kind = [], None
        self.code, self.reason = 1006, ""
        self.done = False

    def receive(self):
        try:
            data = self.sock.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            self.finish()
            return
        if b"\r\n\r\n" not in self.head:
            self.head += data
        try:
            self.ws.receive_data(data)
            for event in self.ws.events():
                self.handle(event)
        except RemoteProtocolError as fault:
            print(f"protocol error: {fault}", file=sys.stderr)
            self.finish()

    def extensions(self):
        for line in self.head.partition(b"\r\n\r\n")[0].decode().split("\r\n"):
            if line.lower().startswith("sec-websocket-extensions: "):
                return line.partition(": ")[2]
        return ""

    def handle(self, event):
        if isinstance(event, events.Request):
            chosen = "chat" if "chat" in event.subprotocols else None
            self.send(events.AcceptConnection(subprotocol=chosen,
                                              extensions=[PerMessageDeflate(**self.accepted)]))
            emit("open", chosen or "-", self.extensions())
        elif isinstance(event, events.AcceptConnection):
            emit("open", event.subprotocol or "-", self.extensions())
        elif isinstance(event, events.RejectConnection):
            emit("refused", event.status_code)
            self.done = True
            self.sock.close()
        elif isinstance(event, events.Message):
            self.parts.append(event.data)
            if event.message_finished:
                text = isinstance(event, events.TextMessage)
                emit("text" if text else "binary", "-", ("" if text else b"").join(self.parts))
                self.parts = []
        elif isinstance(event, events.Ping):
            self.send(event.response())
        elif isinstance(event, events.Pong):
            emit("pong", "-", bytes(event.payload))
        elif isinstance(event, events.CloseConnection):
            self.code, self.reason = int(event.code), event.reason or ""
            if self.ws.state is ConnectionState.REMOTE_CLOSING:
                self.send(event.response())
            if self.role is ConnectionType.SERVER:
                self.finish()  # RFC 6455 7.1.1: the server closes first; a client waits for that.

    def finish(self, reset=False):
        if self.done:
            return
        self.done = True
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.sock.setblocking(True)
            try:
                self.sock.sendall(self.out)
            except OSError:
                pass
        self.sock.close()
        emit("close", self.code, self.reason)

    def send(self, event):
        self.out += self.ws.send(event)

    def flush(self):
        try:
            del self.out[:self.sock.send(self.out)]
        except BlockingIOError:
            pass
        except ConnectionError:
            self.out.clear()  # What came before it can still be read.

    def message(self, verb, data):
        """Sends a message or a fragment of one."""
        if not verb.startswith(("more", "last")):
            self.kind = verb.rpartition("-")[2]
        final = not verb.startswith(("first", "more"))
        if self.kind == "text":
            self.send(events.TextMessage(data.decode(), message_finished=final))
        else:
            self.send(events.BytesMessage(data, message_finished=final))

    def do(self, verb, arg, data):
        if verb == "ping":
            self.send(events.Ping(data))
        elif verb == "close":
            code = CloseReason.NO_STATUS_RCVD if arg == "-" else int(arg)
            self.send(events.CloseConnection(code, data.decode() or None))
        elif verb == "eof":
            self.flush()
            self.sock.shutdown(socket.SHUT_WR)
        elif verb == "reset":
            self.finish(reset=True)
        else:
            self.message(verb, data)


def connect(data):
    offer = offers(data)
    url = urlsplit(offer["url"])
    connection = Connection(socket.create_connection((url.hostname, url.port)),
                            ConnectionType.CLIENT)
    extensions = []
    if "deflate" in offer:
        extensions.append(PerMessageDeflate(**parameters(offer["deflate"])))
    headers = [(b"Origin", offer["origin"].encode())] if "origin" in offer else []
    connection.send(events.Request(
        url.netloc, url.path or "/", extra_headers=headers,
        subprotocols=offer["subprotocol"].split(",") if "subprotocol" in offer else [],
        extensions=extensions))
    return connection


def main():
    commands, connection, listener, accepted = Commands(), None, None, {}
    if sys.argv[1] == "server":
        listener = socket.create_server(("127.0.0.1", 0))
        emit("listen", listener.getsockname()[1])
    while not commands.ended:
        idle = connection is None or connection.done
        reads = [0] + ([] if idle else [connection.sock])
        if idle and listener:
            reads.append(listener)
        writes = [] if idle or not connection.out else [connection.sock]
        readable, writable, _ = select.select(reads, writes, [])
        if listener in readable:
            connection = Connection(listener.accept()[0], ConnectionType.SERVER, accepted)
        if writable:
            connection.flush()
        if not idle and connection.sock in readable:
            connection.receive()
        if 0 in readable:
            commands.read()
        while command := commands.next():
            if command[0] == "connect":
                connection = connect(command[2])
            elif command[0] == "accept":
                accepted = parameters(command[2].decode())
                emit("ready")
            elif not connection.done:
                connection.do(*command)


main()
