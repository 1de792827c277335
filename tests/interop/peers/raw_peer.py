"""The peer "raw": sockets without a library, against both programs."""
import raw_client
import raw_server


def run(arguments, report):
    raw_server.run(arguments, report)
    raw_client.run(arguments, report)
