"""The peer "raw": sockets without a library, against both programs."""
import raw_client
import raw_deflate
import raw_deflate_sent
import raw_server


def run(arguments, report):
    raw_server.run(arguments, report)
    raw_client.run(arguments, report)
    raw_deflate.run(arguments, report)
    raw_deflate_sent.run(arguments, report)
