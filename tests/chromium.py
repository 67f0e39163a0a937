"""A real browser without a screen: Chromium, driven by its DevTools protocol over a websocket."""

from __future__ import annotations

import functools
import http.server
import itertools
import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect


def require_chromium() -> str:
    """Where Chromium is; skips the test where it is not."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no Chromium: apt-get install chromium")
    return found


_WATCH = """
window.errorsSeen = [];
const seen = (what) => window.errorsSeen.push(String(what));
addEventListener("error", (event) => seen(event.message), true);
addEventListener("unhandledrejection", (event) => seen(event.reason));
document.addEventListener("securitypolicyviolation", (event) => seen(event.violatedDirective));
console.error = (...what) => seen(what.join(" "));
"""


class Page:
    """One page of a running browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is waited for."""
        answer = self._call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True,
            userGesture=True,
        )  # fmt: skip
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def open(self, url: str) -> None:
        """Load a page and wait until it is there."""
        self._call("Page.navigate", url=url)
        self.wait_for(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    def watch_errors(self) -> None:
        """Collect what goes wrong in pages that are opened from now on: see :attr:`errors`."""
        self._call("Page.enable")
        self._call("Page.addScriptToEvaluateOnNewDocument", source=_WATCH)

    @property
    def errors(self) -> list[str]:
        """Errors, rejected promises, refused loads and what was written as an error."""
        found: list[str] = self.evaluate("window.errorsSeen")
        return found

    def allow_downloads(self, folder: Path) -> None:
        """Save what a page offers into a folder, without asking."""
        self._call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def press(self, key: str) -> None:
        """Press and let go a key that writes one character."""
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, key=key, text=key)

    def wait_for(self, expression: str, timeout_s: float = 30.0) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + timeout_s
        while not self.evaluate(expression):
            if time.monotonic() > deadline:
                # A page that is still loading has no body yet.
                raise AssertionError(
                    f"not {expression} in: {self.evaluate('document.body?.innerText')}"
                )
            time.sleep(0.1)

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=60))
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result


@contextmanager
def browser(profile: Path, microphone: Path = Path(os.devnull)) -> Iterator[Page]:
    """A page of a new browser whose microphone plays a wav file once.

    Parameters
    ----------
    profile
        An empty folder.
    """
    process = subprocess.Popen(
        [require_chromium(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-sync",
         "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage",
         "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
         f"--use-file-for-fake-audio-capture={microphone}%noloop",
         "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        port = _debugging_port(process, profile)
        with connect(_page_url(port), max_size=2**24, proxy=None) as socket:
            yield Page(socket)
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """Serves the files of a folder; gives the origin."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(10)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


def _debugging_port(process: subprocess.Popen[bytes], profile: Path) -> int:
    told = profile / "DevToolsActivePort"
    deadline = time.monotonic() + 60
    while not (told.is_file() and (found := re.match(r"(\d+)\n", told.read_text("utf-8")))):
        assert process.poll() is None and time.monotonic() < deadline, "Chromium does not start"
        time.sleep(0.1)
    return int(found[1])


def _page_url(port: int) -> str:
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=20) as answer:
        pages = json.load(answer)
    return next(p["webSocketDebuggerUrl"] for p in pages if p["type"] == "page")
