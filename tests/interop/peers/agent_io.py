"""The agent's end of its talk with the driver, for agents in Python: see programs.py."""
import os
import sys


def emit(verb, arg="-", data=b""):
    """Tells the driver of an event."""
    if isinstance(data, str):
        data = data.encode()
    sys.stdout.buffer.write(f"{verb} {arg} {len(data)}\n".encode())
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def offers(data):
    """The content of a connect command."""
    return dict(line.split("=", 1) for line in data.decode().splitlines())


def parameters(text):
    """Parameters of permessage-deflate: numbers, and True for those without a value."""
    pairs = [item.partition("=") for item in text.replace(" ", "").split(";") if item]
    return {name: int(value) if value else True for name, _, value in pairs}


class Commands:
    """Reads commands from standard input, as far as they have come."""

    def __init__(self):
        self.buffer, self.ended = bytearray(), False

    def read(self):
        chunk = os.read(0, 1 << 20)
        self.buffer += chunk
        self.ended = not chunk

    def next(self):
        """The next command (verb, argument, data), or None as long as it is not complete."""
        line_end = self.buffer.find(b"\n", 0, 200)
        if line_end < 0:
            return None
        verb, arg, length = self.buffer[:line_end].decode().split()
        last = line_end + 1 + int(length)
        if len(self.buffer) < last:
            return None
        data = bytes(self.buffer[line_end + 1:last])
        del self.buffer[:last]
        return verb, arg, data
