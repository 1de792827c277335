"""The peer "nginx": as a reverse proxy in front of hawser-echo."""
import proxy_cases
from proxies import Nginx


def run(arguments, report):
    proxy_cases.run(Nginx, arguments, report)
