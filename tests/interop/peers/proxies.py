"""nginx and HAProxy in front of a hawser-echo, each one process of ours with its files in a folder.

A proxy has four fronts, which are ports: plain (ws://), secure (wss://, ended by the proxy), short
(ws://, given up after IDLE seconds of silence), and again (ws:// to a hawser-echo that speaks TLS).
"""
import contextlib
import os
import shutil
import socket
import subprocess
import time

from programs import Echo, Failed, Lines, Missing

FRONTS = ("plain", "secure", "short", "again")
IDLE = 3  # Seconds that the front "short" waits.

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
lock_file {folder}/nginx.lock;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_set_header Host $http_host;
    proxy_read_timeout 30s;
    proxy_ssl_trusted_certificate {certificate};
    proxy_ssl_verify on;
    proxy_ssl_name localhost;
    server {{
        listen 127.0.0.1:{plain};
        location / {{ proxy_pass http://127.0.0.1:{backend}; }}
    }}
    server {{
        listen 127.0.0.1:{secure} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        location / {{ proxy_pass http://127.0.0.1:{backend}; }}
    }}
    server {{
        listen 127.0.0.1:{short};
        location / {{ proxy_pass http://127.0.0.1:{backend}; proxy_read_timeout {idle}s; }}
    }}
    server {{
        listen 127.0.0.1:{again};
        location / {{ proxy_pass https://127.0.0.1:{tls_backend}; }}
    }}
}}
"""

HAPROXY = """
global
    maxconn 500
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout tunnel 30s
    retries 0
frontend plain
    bind 127.0.0.1:{plain}
    default_backend echo
frontend secure
    bind 127.0.0.1:{secure} ssl crt {both}
    default_backend echo
frontend short
    bind 127.0.0.1:{short}
    default_backend short
frontend again
    bind 127.0.0.1:{again}
    default_backend again
backend echo
    server echo 127.0.0.1:{backend}
backend short
    timeout tunnel {idle}s
    server echo 127.0.0.1:{backend}
backend again
    server echo 127.0.0.1:{tls_backend} ssl verify required {verify}
"""


def free_ports(count):
    """Ports of the loopback address where nobody listens, all different."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def find(name):
    program = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if not program:
        raise Missing(f"no {name}")
    return program


class Proxy:
    """A running proxy: its fronts' `ports`, and the `identity` that "secure" shows."""

    def __init__(self, folder, identity):
        *fronts, self.backend, self.tls_backend = free_ports(len(FRONTS) + 2)
        self.ports, self.identity = dict(zip(FRONTS, fronts)), identity
        self.lines = Lines(self.command(folder), stdin=subprocess.DEVNULL)
        try:
            self.wait_ready()
        except BaseException:
            self.__exit__()
            raise

    def write(self, folder, name, template):
        """Writes the configuration; returns the name of its file."""
        both = os.path.join(folder, "both.pem")
        verify = f"verifyhost localhost ca-file {self.identity.certificate}"
        text = template.format(folder=folder, idle=IDLE, both=both, backend=self.backend,
                               tls_backend=self.tls_backend, key=self.identity.key, verify=verify,
                               certificate=self.identity.certificate, **self.ports)
        for path, content in ((both, self.identity.both()), (os.path.join(folder, name), text)):
            with open(path, "w", encoding="ascii") as file:
                file.write(content)
        return os.path.join(folder, name)

    def wait_ready(self):
        last = time.monotonic() + 10
        for port in self.ports.values():
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=5).close()
                    break
                except OSError:
                    self.check_alive()
                    if time.monotonic() > last:
                        raise Failed("the proxy does not listen") from None
                    time.sleep(0.05)

    def check_alive(self):
        if self.lines.process.poll() is not None:
            raise Failed(f"the proxy has ended: {self.lines.stderr()[-300:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.__exit__()

    def echo(self, bin_dir, *options):
        """A hawser-echo behind the fronts, except "again"."""
        return Echo(bin_dir, *options, where=("--port", str(self.backend)))

    def tls_echo(self, bin_dir, *options):
        """A hawser-echo behind the front "again"."""
        return Echo(bin_dir, "--tls-cert", self.identity.certificate, "--tls-key",
                    self.identity.key, *options, where=("--port", str(self.tls_backend)))


class Nginx(Proxy):
    name, down = "nginx", 502  # `down`: what it answers for a server that is not there.

    def command(self, folder):
        return [find("nginx"), "-p", folder, "-c", self.write(folder, "nginx.conf", NGINX)]


class Haproxy(Proxy):
    name, down = "haproxy", 503

    def command(self, folder):
        return [find("haproxy"), "-db", "-f", self.write(folder, "haproxy.cfg", HAPROXY)]
