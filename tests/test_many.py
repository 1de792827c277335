"""hawser-echo with 10,000 connections at once, all of them real and on the loopback interface.

    python3 test_many.py BIN_DIR [COUNT [OPTION...]]

Prints what it measured; the options are hawser-echo's. Ends with 0 when all were served, and with 77
when the system allows too few open files: as many as connections, here and in the server. Without
COUNT it holds as many as that allows, 10,000 at most."""
import resource
import signal
import struct
import subprocess
import sys
import time

from programs import (CLOSE, PING, PONG, TEXT, WAIT, Echo, Failed, connect, contains, equal, frame,
                      read_frame, read_head, request, resident, upgrade)

BATCH = 250         # connections that are opened together: fewer than a listener may queue
OTHER_FILES = 100   # of either process
LIMIT = 8192        # bytes of memory for a connection that is open and silent


def raise_limit(count):
    """Whether so many connections can be held."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + OTHER_FILES
    if most != resource.RLIM_INFINITY and most < wanted:
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    return True


def default_count():
    """10,000 connections, or what the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 10000 if most == resource.RLIM_INFINITY else min(10000, most - OTHER_FILES)


def open_batch(server, count):
    streams = [connect(server) for _ in range(count)]
    for stream in streams:
        stream.sendall(request(server))
    for stream in streams:
        contains(read_head(stream), " 101 ", "answer")
    return streams


def ask_all(streams, opcode, wanted):
    """Each sends a frame of its own, and gets its own answer. Returns the seconds that it took."""
    begin = time.monotonic()
    for number, stream in enumerate(streams):
        stream.sendall(frame(opcode, b"%d" % number, mask=True))
    for number, stream in enumerate(streams):
        equal(read_frame(stream)[:3], (1, wanted, b"%d" % number), "answer")
    return time.monotonic() - begin


def end_all(server, streams):
    """SIGTERM: all get 1001 and answer it. Returns the seconds until the server has ended."""
    begin = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    for stream in streams:
        _, kind, content, _ = read_frame(stream)
        equal((kind, struct.unpack("!H", content[:2])[0]), (CLOSE, 1001), "last frame")
        stream.sendall(frame(CLOSE, content, mask=True))
        equal(stream.recv(1), b"", "end of the stream")
        stream.close()
    equal(server.process.wait(WAIT), 0, "status")
    return time.monotonic() - begin


def hold(count, options):
    streams = []
    most = 2 * count  # several threads do not share them evenly
    with Echo("--max-connections", str(most), "--ping", "0", "--drain", str(WAIT), *options) as server:
        upgrade(server)[0].close()  # what is needed once is there
        before = resident(server)
        begin = time.monotonic()
        while len(streams) < count:
            streams += open_batch(server, min(BATCH, count - len(streams)))
        print(f"{count} connections opened in {time.monotonic() - begin:.2f} s")
        each = (resident(server) - before) / count
        print(f"{each:.0f} bytes of memory for each, open and silent")
        print(f"Ping and Pong of each: {ask_all(streams, PING, PONG):.2f} s for all")
        print(f"message and echo of each: {ask_all(streams, TEXT, TEXT):.2f} s for all")
        later = (resident(server) - before) / count
        print(f"{later:.0f} bytes of memory for each, after that")
        print(f"SIGTERM, closing handshakes, end: {end_all(server, streams):.2f} s")
    if max(each, later) > LIMIT:
        raise Failed(f"that is more than {LIMIT} bytes for a connection")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else default_count()
    if not sys.platform.startswith("linux"):
        print("skipped: only Linux tells about the memory of others in this way")
        sys.exit(77)
    if not raise_limit(count):
        print("skipped: the system allows too few open files (ulimit -Hn)")
        sys.exit(77)
    try:
        hold(count, sys.argv[3:])
    except (Failed, OSError, subprocess.TimeoutExpired) as error:
        sys.exit(f"FAIL  {error}")
    print("ok    all were served")


if __name__ == "__main__":
    main()
