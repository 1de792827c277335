"""The peer "chromium": a browser without a window, driven over WebDriver (a W3C protocol of plain
HTTP and JSON), that opens hawser-echo's page and its own WebSockets to it."""
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

import tap
from deflate_cases import FAR, check_packed
from programs import Failed, Missing, end, free_port

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-default-apps", "--disable-dev-shm-usage", "--no-default-browser-check",
         "--no-proxy-server"]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # The key of an element, by the WebDriver standard.

# A WebSocket of the page's own: sends a message of `size`, and tells whether it came back the same.
ECHO = """
const [url, kind, size, done] = arguments;
const bytes = Uint8Array.from({length: size}, (_, i) => i % 251);
const sent = kind === 'text' ? 'ü'.repeat(size / 2) + 'x'.repeat(size % 2) : bytes;
const ws = new WebSocket(url);
ws.binaryType = 'arraybuffer';
ws.onopen = () => ws.send(sent);
ws.onerror = () => done('an error');
ws.onmessage = ({data}) => {
    const got = kind === 'text' ? data : new Uint8Array(data);
    const same = got.length === sent.length
        && (kind === 'text' ? got === sent : sent.every((byte, i) => got[i] === byte));
    ws.onclose = (event) => done(same && event.wasClean ? 'same' : 'other');
    ws.close();
};
"""
# Messages on one connection, without a wait: such as are much like those before them, then noise of
# each of the sizes, twice, as text and as bytes.
SERIES = """
const [url, sizes, done] = arguments;
let state = 1;
const next = () => (state = state * 1103515245 + 12345 & 0x7fffffff) >> 16 & 127;
const noise = (length) => Uint8Array.from({length}, next);
const text = (bytes) => String.fromCharCode(...bytes);
const base = noise(2000);
const sent = Array.from({length: 50}, (_, i) => text(base.subarray(i)) + i);
sizes.map(noise).forEach((bytes) => sent.push(bytes, bytes, text(bytes), text(bytes)));
const same = (a, b) => typeof b === 'string' ? a === b
    : a.byteLength === b.length && new Uint8Array(a).every((byte, i) => byte === b[i]);
const ws = new WebSocket(url);
ws.binaryType = 'arraybuffer';
let good = 0, all = 0;
ws.onopen = () => sent.forEach((message) => ws.send(message));
ws.onmessage = ({data}) => {
    good += same(data, sent[all++]);
    if (all === sent.length) {
        ws.close();
    }
};
ws.onclose = ({wasClean}) => done(wasClean && good === sent.length ? 'same' : 'other');
"""
DEFLATE_SIZES = (0, 1, 125, 511, 512, 4096, 65535, 65536, 1 << 20)
CLOSE = """
const [url, close, done] = arguments;
const ws = new WebSocket(url);
ws.onopen = () => ws.close(...close);
ws.onclose = (event) => done([event.code, event.wasClean]);
"""
CONNECT = """
const [url, protocols, done] = arguments;
const ws = new WebSocket(url, protocols);
ws.onopen = () => { done(['open', ws.protocol, ws.extensions]); ws.close(); };
ws.onclose = (event) => done(['refused', event.code]);
"""
TOO_BIG = """
const [url, size, done] = arguments;
const ws = new WebSocket(url);
ws.onopen = () => ws.send(new Uint8Array(size));
// Not wasClean: a busy browser may give up its own Close behind 20 MiB. What counts is the code.
ws.onclose = (event) => done(event.code);
"""
LOSE = """
const [url, done] = arguments;
const ws = new WebSocket(url);
ws.onclose = (event) => { window.lost = [event.code, event.wasClean]; };
ws.onopen = () => done('open');
"""


class Browser:
    """chromedriver, and one session of Chromium."""

    def __init__(self, scratch, *flags):
        driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
        if not driver or not chromium:
            raise Missing("no chromium or no chromedriver")
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        self.session, self.browser_id = None, None
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.process = subprocess.Popen(
            [driver, f"--port={port}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=dict(os.environ, HOME=scratch))
        try:
            self.wait_ready()
            answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "timeouts": {"script": 20000, "pageLoad": 20000},
                "goog:chromeOptions": {"binary": chromium, "args": [
                    *FLAGS, *flags, f"--user-data-dir={scratch}/chromium"]}}}}, timeout=60)
            self.session = f"/session/{answer['sessionId']}"
            self.browser_id = answer["capabilities"].get("goog:processID")
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            if self.session:
                self.call("DELETE", "")
        except (Failed, OSError):
            if self.browser_id:
                os.kill(self.browser_id, signal.SIGKILL)
        end(self.process)

    def wait_ready(self):
        last = time.monotonic() + 20
        while time.monotonic() < last:
            try:
                if self.call("GET", "/status")["ready"]:
                    return
            except OSError:
                time.sleep(0.1)
        raise Failed("chromedriver does not answer")

    def call(self, method, path, body=None, timeout=30):
        data = None if method != "POST" else json.dumps(body or {}).encode()
        request = urllib.request.Request(self.base + (self.session or "") + path, data,
                                         {"Content-Type": "application/json"}, method=method)
        try:
            with self.opener.open(request, timeout=timeout) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as problem:
            text = json.load(problem)["value"]["message"].splitlines()[0]
            raise Failed(f"WebDriver {path}: {text}") from None

    def load(self, url):
        self.call("POST", "/url", {"url": url})

    def element(self, name):
        found = self.call("POST", "/element", {"using": "css selector", "value": "#" + name})
        return f"/element/{found[ELEMENT]}"

    def click(self, name):
        self.call("POST", self.element(name) + "/click")

    def write(self, text):
        field = self.element("text")
        self.call("POST", field + "/clear")
        self.call("POST", field + "/value", {"text": text})

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script, *arguments):
        return self.call("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def wait_log(self, wanted, timeout=10):
        """Waits until the page's log has a line."""
        last = time.monotonic() + timeout
        while time.monotonic() < last:
            lines = self.run("return document.getElementById('log').textContent").splitlines()
            if wanted.rstrip() in [line.rstrip() for line in lines]:
                return
            time.sleep(0.05)
        raise Failed(f"{wanted!r} is not in the page's log: {[line[:80] for line in lines]}")


def same(got, wanted):
    if got != wanted:
        raise Failed(f"expected {wanted}, got {got}")


def page(browser, echo):
    browser.load("http" + echo.url[len("ws"):])
    browser.wait_log("open")


def page_text(browser, text):
    browser.write(text)
    browser.click("send")
    browser.wait_log(f"text: {text}")


def page_astral(browser, text):
    """WebDriver types nothing above U+FFFF: the field is filled by a script."""
    browser.run("document.getElementById('text').value = arguments[0]", text)
    browser.click("send")
    browser.wait_log(f"text: {text}")


def page_binary(browser, text):
    browser.write(text)
    browser.click("send-binary")
    browser.wait_log("binary: " + text.encode().hex(" "))


def page_too_big(browser, hawser):
    with hawser.echo("--max-message", "100") as echo:
        page(browser, echo)
        page_text(browser, "x" * 100)
        browser.write("x" * 101)
        browser.click("send")
        last = time.monotonic() + 10
        while time.monotonic() < last:
            log = browser.run("return document.getElementById('log').textContent")
            if "close: 1009" in log:
                return
            time.sleep(0.05)
    raise Failed(f"no 'close: 1009' in the page's log: …{log[-80:]!r}")


def lost(browser, hawser):
    """hawser-echo is ended while a connection is open."""
    with hawser.echo("--origin", "any") as other:
        same(browser.run_async(LOSE, other.url), "open")
    last = time.monotonic() + 10
    while browser.run("return window.lost || null") is None and time.monotonic() < last:
        time.sleep(0.05)
    same(browser.run("return window.lost || null"), [1001, True])


def foreign(browser, hawser):
    """The same page, from another port, is another origin."""
    with hawser.echo() as other:
        same(browser.run_async(CONNECT, other.url, []), ["refused", 1006])
    with hawser.echo("--origin", browser.run("return location.origin")) as other:
        same(browser.run_async(CONNECT, other.url, [])[0], "open")


# The browser offers "permessage-deflate; client_max_window_bits". What hawser-echo is told to want,
# and the answer. The browser checks it, shows it, and keeps to it.
DEFLATES = (
    ("7.1.3 nothing", "best", ""),
    ("7.1 its default", "balanced", None),
    ("7.1.1.1 no takeover of hawser", "best,server_no_context_takeover",
     "; server_no_context_takeover"),
    ("7.1.1.2 no takeover of the browser", "best,client_no_context_takeover",
     "; client_no_context_takeover"),
    ("7.1.2.1 9 bits of hawser", "best,server_max_window_bits=9", "; server_max_window_bits=9"),
    ("7.1.2.2 9 bits of the browser", "best,client_max_window_bits=9",
     "; client_max_window_bits=9"),
    ("7.1 all four", "best,server_no_context_takeover,client_no_context_takeover,"
     "server_max_window_bits=10,client_max_window_bits=12",
     "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10"
     "; client_max_window_bits=12"),
)
# Likewise; with these goes one connection only.
WINDOWS = (
    *((f"7.1.2 {server} bits of hawser and {client} of the browser",
       f"best,server_max_window_bits={server},client_max_window_bits={client}",
       f"; server_max_window_bits={server}; client_max_window_bits={client}")
      for server, client in ((8, 11), (10, 14), (11, 13), (12, 12), (13, 10), (14, 8))),
    ("7.1.1 no takeover of either", "best,server_no_context_takeover,client_no_context_takeover",
     "; server_no_context_takeover; client_no_context_takeover"),
)


def agreed(browser, echo, parameters):
    _, _, extensions = browser.run_async(CONNECT, echo.url, [])
    if parameters is None and extensions.startswith("permessage-deflate"):
        return
    same(extensions, f"permessage-deflate{parameters}")


def series(browser, hawser, echo):
    """With a look at what went over the wire, where TLS does not hide it."""
    if hawser.identity:
        same(browser.run_async(SERIES, echo.url, FAR), "same")
        return
    with tap.Tap(echo.address) as seen:
        same(browser.run_async(SERIES, f"ws://127.0.0.1:{seen.port}/", FAR), "same")
        check_packed(seen.take(), tap.SERVER)


def deflate(browser, hawser, row, sizes, report):
    name, options, parameters = row
    with hawser.echo(f"--deflate={options},threshold=0", "--origin", "any") as echo:
        section, _, what = name.partition(" ")
        wish = f"{section} deflate, hawser wants {what}"
        report.run(f"server: {wish}: the browser takes the answer", agreed, browser, echo,
                   parameters)
        for size in sizes:
            for kind in ("text", "binary"):
                report.run(f"server: {wish}: {kind} of {size} bytes comes back", lambda *a: same(
                    browser.run_async(ECHO, *a), "same"), echo.url, kind, size)
        report.run(f"server: {wish}: messages that refer to others come back", series, browser,
                   hawser, echo)


def run(arguments, report):
    options = ("--subprotocol", "superchat", "--subprotocol", "chat")
    hawser = arguments.hawser
    flags = []
    if hawser.identity:
        flags.append(f"--ignore-certificate-errors-spki-list={hawser.identity.pin()}")
    with hawser.echo(*options) as echo, Browser(arguments.scratch, *flags) as browser:
        if not report.run("server: the page opens its WebSocket", page, browser, echo):
            return
        for text in ("hello", "", "zwöi €"):
            report.run(f"server: the page sends text {text!r}", page_text, browser, text)
            report.run(f"server: the page sends {text!r} as binary", page_binary, browser, text)
        report.run("server: the page sends text of four-byte code points", page_astral, browser,
                   "🛳 渡し船 🛳")
        for size in (0, 1, 125, 126, 65535, 65536, 1 << 20):
            for kind in ("text", "binary"):
                report.run(f"server: 5.2 {kind} of {size} bytes comes back", lambda *a: same(
                    browser.run_async(ECHO, *a), "same"), echo.url, kind, size)
        for close, code in (([], 1005), ([1000], 1000), ([3000, "bye"], 3000),
                            ([4999, "é" * 61 + "!"], 4999)):
            report.run(f"server: 7.1.2 the browser closes: {code}", lambda *a: same(
                browser.run_async(CLOSE, echo.url, a[0]), [a[1], True]), close, code)
        report.run("server: 4.2.2 a subprotocol is chosen, no extension is", lambda: same(
            browser.run_async(CONNECT, echo.url, ["other", "chat"]), ["open", "chat", ""]))
        report.run("server: 10.2 a foreign origin is refused", foreign, browser, hawser)
        report.run("server: 7.1.5 a lost connection is seen as one", lost, browser, hawser)
        for size in ((16 << 20) + 1, 20 << 20):
            report.run(f"server: 7.4.1 {size} bytes are refused with 1009", lambda size: same(
                browser.run_async(TOO_BIG, echo.url, size), 1009), size)
        report.run("server: 7.4.1 the page shows 1009", page_too_big, browser, hawser)
        report.run("server: hawser-echo lives on after all that", echo.check_alive)
        for row in DEFLATES:
            deflate(browser, hawser, row, DEFLATE_SIZES, report)
        for row in WINDOWS:
            deflate(browser, hawser, row, (), report)
