"""The programs with permessage-deflate. See programs.py."""
import os
import socket
import tempfile
import threading
import zlib

from programs import (BINARY, CAT, ECHO, TEXT, WAIT, Echo, Failed, Peer, case, cat, cat_prints,
                      contains, equal, field, finish, frame, main, read_frame, read_message,
                      refuses, run, switching, upgrade)

EXTENSIONS = "Sec-WebSocket-Extensions"
PLAIN_OFFER = "permessage-deflate; client_max_window_bits"


def deflate_case(name):
    """A case for a build with zlib; another one only has to say that it has none."""
    def add(function):
        def run_case():
            status, _, err = run(ECHO, "--deflate", "--help")
            return "not tried: this build has no zlib" if status == 2 and "zlib" in err \
                else function()
        return case(name)(run_case)
    return add


def deflated(payload):
    """A message by itself (RFC 7692 7.2.1)."""
    state = zlib.compressobj(wbits=-15)
    return (state.compress(payload) + state.flush(zlib.Z_SYNC_FLUSH))[:-4]


class Inflater:
    """Messages of a peer that takes over its context."""

    def __init__(self):
        self.state = zlib.decompressobj(wbits=-15)

    def read(self, stream):
        """Whether the next message is compressed, its type, and its content."""
        rsv1 = stream.recv(1, socket.MSG_PEEK)[0] >> 6 & 1
        kind, content = read_message(stream)
        return rsv1, kind, self.state.decompress(content + b"\0\0\xff\xff") if rsv1 else content


def deflate_upgrade(server, offer="permessage-deflate"):
    """A socket, and what hawser-echo agreed to."""
    stream, head = upgrade(server, f"{EXTENSIONS}: {offer}")
    contains(head, "HTTP/1.1 101 ", "status line")
    return stream, field(head, EXTENSIONS)


@case("--deflate needs zlib, and good options")
def deflate_usage():
    status, _, err = run(ECHO, "--deflate", "--help")
    if status == 2:
        for program in (ECHO, CAT):
            status, out, err = run(program, "--deflate")
            name = os.path.basename(program)
            equal((status, out, err),
                  (2, "", f"{name}: --deflate needs zlib, and this build has none.\n"), "answer")
        return "this build has no zlib"
    bad = ["nonsense", "small,best", "level=3,best", "level", "level=", "level=0", "level=10",
           "level=+1", "level=1x", "memory=0", "memory=10", "window=8", "window=16",
           "threshold", "threshold=", "threshold=x", "threshold=-1", "small=1", "best,", ",best",
           "best,,level=1", "server_max_window_bits", "server_max_window_bits=7",
           "server_max_window_bits=16", "client_max_window_bits=7", "client_max_window_bits=16",
           "client_max_window_bits=257", "server_no_context_takeover=1", "Level=1", "level=1" * 200]
    for options in bad:
        refuses(ECHO, "--deflate=" + options)
        refuses(CAT, "--deflate=" + options, "ws://127.0.0.1:9/")
    refuses(ECHO, "--deflate=client_max_window_bits=0")
    refuses(CAT, "--deflate=require_client_max_window_bits", "ws://127.0.0.1:9/")
    refuses(ECHO, "--deflate", "best")  # a value stands behind "="
    for program in (ECHO, CAT):
        _, out, _ = run(program, "--help")
        for word in ("--deflate[=OPTIONS]", "threshold=BYTES", "client_no_context_takeover"):
            contains(out, word, "help")
    return None


@deflate_case("hawser-echo compresses from the threshold on, and only when it was asked to")
def deflate_threshold():
    long, short = b"hawser " * 20, b"hawser!"
    with Echo("--deflate=best,threshold=100") as server:
        stream, agreed = deflate_upgrade(server)
        contains(agreed or "", "permessage-deflate", "answer")
        inflater = Inflater()
        with stream:
            for rsv1, content in ((1, long), (0, short), (1, long), (0, b"")):
                sent = bytearray(frame(TEXT, deflated(content), mask=True))
                sent[0] |= 0x40
                stream.sendall(sent)
                equal(inflater.read(stream), (rsv1, TEXT, content), "echo")
                stream.sendall(frame(BINARY, content, mask=True))
                equal(inflater.read(stream), (rsv1, BINARY, content), "echo of a plain message")
        stream, head = upgrade(server)
        equal(field(head, EXTENSIONS), None, "answer to a client that offers nothing")
        with stream:
            stream.sendall(frame(TEXT, long, mask=True))
            equal(Inflater().read(stream), (0, TEXT, long), "echo")
    with Echo() as server:
        stream, agreed = deflate_upgrade(server)
        stream.close()
        equal(agreed, None, "answer without --deflate")


@deflate_case("hawser-echo sends long compressed messages back in parts that fit")
def deflate_long():
    content = bytes(range(251)) * 80000 + os.urandom(1 << 20)
    with Echo("--deflate", "--max-message=unlimited") as server:
        stream, _ = deflate_upgrade(server)
        with stream:
            sent = bytearray(frame(BINARY, deflated(content), mask=True))
            sent[0] |= 0x40
            sender = threading.Thread(target=stream.sendall, args=(bytes(sent),), daemon=True)
            sender.start()
            rsv1, kind, back = Inflater().read(stream)
            sender.join(WAIT)
            equal((rsv1, kind, len(back)), (1, BINARY, len(content)), "echo")
            if back != content:
                raise Failed("the content has changed")


@deflate_case("hawser-echo refuses a message that is too long when it is decompressed")
def deflate_bomb():
    with Echo("--deflate", "--max-message=1000") as server:
        stream, _ = deflate_upgrade(server)
        with stream:
            sent = bytearray(frame(BINARY, deflated(bytes(100000)), mask=True))
            sent[0] |= 0x40
            stream.sendall(sent)
            equal(read_frame(stream)[2][:2], b"\x03\xf1", "code of the Close")


@deflate_case("hawser-echo agrees to what its options say")
def deflate_answers():
    rows = [("best", "permessage-deflate", "permessage-deflate"),
            ("best,server_no_context_takeover,client_no_context_takeover", "permessage-deflate",
             "permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
            ("best,server_max_window_bits=10", "permessage-deflate",
             "permessage-deflate; server_max_window_bits=10"),
            ("best,client_max_window_bits=9", "permessage-deflate; client_max_window_bits",
             "permessage-deflate; client_max_window_bits=9"),
            ("best,client_max_window_bits=9", "permessage-deflate", "permessage-deflate"),
            ("best,client_max_window_bits=9,require_client_max_window_bits", "permessage-deflate",
             None)]
    for options, offer, wanted in rows:
        with Echo("--deflate=" + options) as server:
            stream, agreed = deflate_upgrade(server, offer)
            stream.close()
            equal(agreed, wanted, f"answer of {options} to {offer}")


@deflate_case("hawser-cat offers what its options say, and shows what was agreed")
def deflate_offers():
    rows = [("=best,client_max_window_bits=0", "permessage-deflate"),
            ("=best,client_max_window_bits=0,server_no_context_takeover,server_max_window_bits=9",
             "permessage-deflate; server_no_context_takeover; server_max_window_bits=9"),
            ("=best,client_max_window_bits=10", "permessage-deflate; client_max_window_bits=10"),
            ("=best", PLAIN_OFFER),
            ("", "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12, "
             + PLAIN_OFFER),
            ("=small,level=9", "permessage-deflate; server_no_context_takeover; "
             "client_no_context_takeover; server_max_window_bits=11; client_max_window_bits=11, "
             + PLAIN_OFFER),
            ("=balanced,server_max_window_bits=10",
             "permessage-deflate; server_max_window_bits=10; client_max_window_bits=12")]
    for options, wanted in rows:
        with Peer(finish) as peer:
            cat_prints(["open", "close: 1000"], "--deflate" + options, "--echo", peer.url)
        equal(field(peer.head, EXTENSIONS), wanted, f"offer of {options}")
    with Echo("--deflate=best") as server:
        cat_prints(["open (permessage-deflate)", "close: 1000"], "--deflate=best", server.url)
    agreed = ("permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
              "server_max_window_bits=10; client_max_window_bits=11")
    options = agreed.replace("permessage-deflate; ", "--deflate=best,").replace("; ", ",")
    with Echo(options, "--subprotocol", "chat") as server:
        cat_prints([f"open ({agreed})", "text: x", "close: 1000"], "--deflate=best", "--send", "x",
                   server.url)
        cat_prints([f"open (subprotocol chat, {agreed})", "close: 1000"], "--deflate=best",
                   "--subprotocol", "chat", server.url)
        cat_prints(["open", "close: 1000"], server.url)


@deflate_case("hawser-cat compresses with servers that know no window")
def deflate_windowless():
    agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    for answer, opened in ((agreed, f"open ({agreed})"), ("permessage-deflate", "open")):
        def part(stream, answer=answer):
            stream.sendall(switching(peer.head, f"{EXTENSIONS}: {answer}"))
            sent = bytearray(frame(TEXT, deflated(b"x" * 5000)))
            sent[0] |= 0x40
            stream.sendall(sent)
            finish(stream)

        for preset in ("", "=small", "=best"):
            with Peer(part, handshake=False) as peer:
                status, out, err = cat("--deflate" + preset, "--echo", peer.url)
            equal(out.splitlines()[1:], ["text: " + "x" * 5000, "close: 1000"],
                  f"stdout of {preset} ({status}, {err!r})")
            contains(out.splitlines()[0], opened, f"what {preset} came to")


@deflate_case("hawser-cat sends compressed messages and reads them")
def deflate_cat():
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(range(256)) * 4096)
        file.flush()
        shown = "binary: 1048576 bytes: " + " ".join(f"{byte:02x}" for byte in range(32)) + " …"
        for preset in ("small", "balanced", "best,threshold=0,level=9,memory=9,window=9"):
            with Echo("--deflate=" + preset) as server:
                _, out, err = cat("--deflate=" + preset, "--send", "x" * 5000, "--binary",
                                  file.name, "--send", "", server.url)
                equal(out.splitlines()[1:],
                      ["text: " + "x" * 5000, shown, "text: ", "close: 1000"], f"stdout ({err!r})")


if __name__ == "__main__":
    main(__doc__)
