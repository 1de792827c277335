"""An agent (see programs.py) with libcurl's WebSocket client, by way of curl_cffi."""
import io
import os
import select
import socket
import struct

from agent_io import Commands, emit, offers
from curl_cffi import Curl, CurlError, CurlInfo, CurlOpt, CurlWsFlag
from curl_cffi.const import CurlECode

TEXT, BINARY = CurlWsFlag.TEXT, CurlWsFlag.BINARY
WHOLE = {"text": TEXT, "binary": BINARY, "ping": CurlWsFlag.PING}


class Connection:
    def __init__(self, data):
        offer = offers(data)
        self.curl = Curl()
        self.parts, self.kind = [], TEXT
        self.code, self.reason = 1006, b""
        self.done = False
        head = io.BytesIO()
        fields = []
        if "origin" in offer:
            fields.append(b"Origin: " + offer["origin"].encode())
        if "subprotocol" in offer:
            fields.append(b"Sec-WebSocket-Protocol: " + offer["subprotocol"].encode())
        self.curl.setopt(CurlOpt.URL, offer["url"].encode())
        self.curl.setopt(CurlOpt.CONNECT_ONLY, 2)
        self.curl.setopt(CurlOpt.HTTPHEADER, fields)
        self.curl.setopt(CurlOpt.HEADERDATA, head)
        self.curl.setopt(CurlOpt.WRITEDATA, io.BytesIO())
        try:
            self.curl.perform()
        except CurlError:
            self.done = True
            emit("refused", self.curl.getinfo(CurlInfo.RESPONSE_CODE))
            return
        self.fd = self.curl.getinfo(CurlInfo.ACTIVESOCKET)
        answer = dict(line.lower().split(": ", 1) for line in head.getvalue().decode().splitlines()
                      if ": " in line)
        emit("open", answer.get("sec-websocket-protocol", "-"),
             answer.get("sec-websocket-extensions", ""))

    def receive(self):
        """Takes all that is there."""
        while not self.done:
            try:
                chunk, frame = self.curl.ws_recv()
            except CurlError as problem:
                if problem.code != CurlECode.AGAIN:
                    self.finish()
                return
            self.take(bytes(chunk), frame.flags, frame.bytesleft)

    def take(self, chunk, flags, left):
        if flags & CurlWsFlag.PONG:
            emit("pong", "-", chunk)
        elif flags & CurlWsFlag.CLOSE:
            self.code = int.from_bytes(chunk[:2], "big") if chunk else 1005
            self.reason = chunk[2:]
        elif not flags & CurlWsFlag.PING:
            self.parts.append(chunk)
            if left == 0 and not flags & CurlWsFlag.CONT:
                emit("text" if flags & TEXT else "binary", "-", b"".join(self.parts))
                self.parts = []

    def finish(self):
        self.done = True
        self.curl.close()
        emit("close", self.code, self.reason)

    def send(self, data, flags):
        while True:
            try:
                sent = self.curl.ws_send(data, flags)
            except CurlError as problem:
                if problem.code != CurlECode.AGAIN:
                    return  # What came before that can still be read.
                sent = 0
            data = data[sent:]
            if not data:
                return
            select.select([], [self.fd], [], 5)

    def do(self, verb, arg, data):
        if verb in WHOLE:
            self.send(data, WHOLE[verb])
        elif verb == "close":
            code = b"" if arg == "-" else struct.pack("!H", int(arg))
            self.send(code + data, CurlWsFlag.CLOSE)
        elif verb in ("eof", "reset"):
            with socket.socket(fileno=os.dup(self.fd)) as sock:
                if verb == "eof":
                    sock.shutdown(socket.SHUT_WR)
                    return
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.finish()
        else:
            if verb.startswith("first-"):
                self.kind = WHOLE[verb[len("first-"):]]
            self.send(data, self.kind | (0 if verb == "last" else CurlWsFlag.CONT))


def main():
    commands, connection = Commands(), None
    while not commands.ended:
        busy = connection is not None and not connection.done
        readable, _, _ = select.select([0, connection.fd] if busy else [0], [], [])
        if busy:
            connection.receive()
        if 0 in readable:
            commands.read()
        while command := commands.next():
            if command[0] == "connect":
                connection = Connection(command[2])
            elif not connection.done:
                connection.do(*command)


main()
