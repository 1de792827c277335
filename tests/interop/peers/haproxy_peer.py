"""The peer "haproxy": as a reverse proxy in front of hawser-echo."""
import proxy_cases
from proxies import Haproxy


def run(arguments, report):
    proxy_cases.run(Haproxy, arguments, report)
