"""Jobs for the Python library websockets: the lines and answers that jobs.c describes, but without a
checksum. No sockets: its extension and its connection without I/O alone."""
import struct
import sys
import time

from websockets import frames
from websockets.connection import SERVER, Connection
from websockets.extensions.permessage_deflate import PerMessageDeflate

READ = 65536
OPCODES = {"text": frames.OP_TEXT, "binary": frames.OP_BINARY}


class How:
    def __init__(self, kind, *numbers):
        self.kind = kind
        self.window, self.level, self.memory, self.takeover = map(int, numbers)


def read_messages(path):
    with open(path, "rb") as file:
        data = file.read()
    messages, at = [], 0
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        messages.append(data[at + 4:at + 4 + length])
        at += 4 + length
    return messages


def write_messages(path, messages):
    with open(path, "wb") as file:
        for message in messages:
            file.write(struct.pack("<I", len(message)) + message)


def extension(how):
    alone = not how.takeover
    return PerMessageDeflate(alone, alone, how.window, how.window,
                             {"level": how.level, "memLevel": how.memory})


def connection(how):
    made = Connection(SERVER, max_size=None)
    made.extensions = [extension(how)]
    return made


def compress(how, messages):
    encode, opcode = extension(how).encode, OPCODES[how.kind]
    return [encode(frames.Frame(opcode, message)).data for message in messages]


def decompress(how, messages):
    decode, opcode = extension(how).decode, OPCODES[how.kind]
    return [decode(frames.Frame(opcode, message, rsv1=True)).data for message in messages]


def send(how, messages):
    made, out = connection(how), []
    write = made.send_text if how.kind == "text" else made.send_binary
    for message in messages:
        write(message)
        out += made.data_to_send()
    return [b"".join(out)]


def receive(how, messages):
    """Text is decoded, as it is for every program that uses the library."""
    (wire,), made, out = messages, connection(how), []
    for at in range(0, len(wire), READ):
        made.receive_data(wire[at:at + READ])
        for frame in made.events_received():
            if frame.opcode is frames.OP_TEXT:
                frame.data.decode()
            out.append(frame.data)
    return out


VERBS = {"compress": compress, "decompress": decompress, "send": send, "receive": receive}


def main():
    for line in sys.stdin:
        verb, path, kind, window, level, memory, takeover, _, result = line.split()
        how = How(kind, window, level, memory, takeover)
        messages = read_messages(path)
        start = time.process_time_ns()
        made = VERBS[verb](how, messages)
        took = time.process_time_ns() - start
        if result != "-":
            write_messages(result, made)
        print(took, sum(map(len, made)), "-", flush=True)


main()
