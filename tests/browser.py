"""A real browser without a window, driven through its own debugging protocol."""

import asyncio
import json
import shutil
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

from tornado.websocket import websocket_connect

PROGRAM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--remote-debugging-port=0",
]


class Page:
    """One tab."""

    def __init__(self, socket):
        self.socket, self.count = socket, 0

    async def send(self, method, **parameters):
        self.count += 1
        await self.socket.write_message(
            json.dumps({"id": self.count, "method": method, "params": parameters})
        )
        while True:
            told = json.loads(await self.socket.read_message())
            if told.get("id") == self.count:
                assert "error" not in told, told
                return told["result"]

    async def open(self, address):
        await self.send("Page.navigate", url=address)
        await self.until("document.readyState === 'complete'")

    async def ask(self, expression):
        """The value of a JavaScript expression."""
        found = await self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, expression, *, seconds=20.0):
        """Wait until an expression is true."""
        for _ in range(int(seconds / 0.05)):
            if await self.ask(expression):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(
            f"not true after {seconds} s: {expression}; {await self.ask('document.body.innerText')}"
        )

    async def press(self, key):
        """A key, as a person's finger presses it."""
        codes = {
            "Enter": 13,
            "Tab": 9,
            "ArrowLeft": 37,
            "ArrowUp": 38,
            "ArrowRight": 39,
            "ArrowDown": 40,
        }
        code = codes.get(key, ord(key[0]))
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        details = {"key": key, "windowsVirtualKeyCode": code}
        await self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **details)
        await self.send("Input.dispatchKeyEvent", type="keyUp", **details)

    async def write(self, text):
        for letter in text:
            await self.press(letter)


class Browser:
    """A running browser with its own empty profile."""

    def __init__(self, port, path):
        self.port, self.path, self.sockets = port, path, []

    async def _connect(self, path):
        self.sockets.append(await websocket_connect(f"ws://127.0.0.1:{self.port}{path}"))
        return Page(self.sockets[-1])

    async def close(self):
        """End the connections before the browser does."""
        for socket in self.sockets:
            socket.close()
        for socket in self.sockets:
            while await socket.read_message() is not None:
                pass

    async def tab(self):
        """A new tab."""
        control = await self._connect(self.path)
        made = await control.send("Target.createTarget", url="about:blank")
        return await self._connect(f"/devtools/page/{made['targetId']}")


@asynccontextmanager
async def browser(folder: Path):
    """Start a browser, and kill it."""
    running = subprocess.Popen([PROGRAM, *QUIET, f"--user-data-dir={folder}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        told = folder / "DevToolsActivePort"
        for _ in range(600):
            if told.exists() and len(told.read_text().splitlines()) == 2:
                break
            await asyncio.sleep(0.05)
        port, path = told.read_text().splitlines()
        running_browser = Browser(int(port), path)
        yield running_browser
        await running_browser.close()
    finally:
        running.kill()
        running.wait()
