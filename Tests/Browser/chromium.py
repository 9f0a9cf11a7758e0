"""Chromium over the DevTools protocol: just what the page checks need.

One WebSocket, one session a page; `websocket-client` is from PyPI (see Scripts/install-packages).
"""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import websocket

# Runs before any script of a page: what a user would notice, counted.
WATCH = """
window.watched = { shift: 0, longest: 0, long: 0, alerts: 0 };
for (const name of ["alert", "confirm", "prompt"]) window[name] = () => { watched.alerts++; };
new PerformanceObserver((list) => { for (const one of list.getEntries()) if (!one.hadRecentInput) watched.shift += one.value; })
  .observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => { for (const one of list.getEntries()) { watched.long++; watched.longest = Math.max(watched.longest, one.duration); } })
  .observe({ type: "longtask", buffered: true });
"""


class ProtocolError(Exception):
    """The browser refused a command, or a script threw."""


def tied_to_parent():
    """For a child process: ends when this program ends, however it ends."""
    import ctypes
    import signal

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Chromium:
    """A headless browser with a profile of its own."""

    def __init__(self, program="chromium"):
        self.profile = tempfile.mkdtemp(prefix="narthex-chromium-")
        arguments = [
            program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
            "--force-color-profile=srgb", "--hide-scrollbars", "--lang=en-US", "--remote-allow-origins=*",
            "--remote-debugging-port=0", f"--user-data-dir={self.profile}", "about:blank",
        ]
        self.process = subprocess.Popen(
            arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=tied_to_parent)
        port_file = pathlib.Path(self.profile, "DevToolsActivePort")
        port, path = wait_for(lambda: port_file.exists() and len(port_file.read_text().split()) == 2, 30) \
            and port_file.read_text().split()
        self.socket = websocket.create_connection(f"ws://127.0.0.1:{port}{path}", max_size=None, timeout=60)
        self.number = 0
        self.pages = {}

    def send(self, method, parameters=None, session=None):
        """Sends a command and gives its result; events on the way are handed to their pages."""
        self.number += 1
        mine = self.number
        message = {"id": mine, "method": method, "params": parameters or {}}
        if session:
            message["sessionId"] = session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == mine:
                if "error" in answer:
                    raise ProtocolError(f"{method}: {answer['error'].get('message')}")
                return answer["result"]
            self.hand_on(answer)

    def hand_on(self, event):
        page = self.pages.get(event.get("sessionId"))
        if page:
            page.saw(event.get("method"), event.get("params", {}))

    def page(self, width=1280, height=900, mobile=False, scripts=True, dark=False):
        """A new page of a size."""
        target = self.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.send("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = Page(self, target, session)
        self.pages[session] = page
        page.prepare(width, height, mobile, scripts, dark)
        return page

    def close(self):
        try:
            self.socket.close()
        finally:
            self.process.kill()
            self.process.wait()
            shutil.rmtree(self.profile, ignore_errors=True)


class Page:
    """One tab."""

    def __init__(self, browser, target, session):
        self.browser, self.target, self.session = browser, target, session
        self.faults = []
        self.loads = 0
        self.received = 0
        self.status = 0

    def send(self, method, **parameters):
        return self.browser.send(method, parameters, self.session)

    def prepare(self, width, height, mobile, scripts, dark):
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.send("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        self.size(width, height, mobile)
        if not scripts:
            self.send("Emulation.setScriptExecutionDisabled", value=True)
        self.send("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def size(self, width, height, mobile=False):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, mobile=mobile,
                  deviceScaleFactor=2 if mobile else 1)

    def saw(self, method, what):
        """Notes what no page of ours may cause: exceptions, console errors, refusals by the content security policy."""
        if method == "Runtime.exceptionThrown":
            details = what["exceptionDetails"]
            self.faults.append(details.get("exception", {}).get("description") or details.get("text"))
        elif method == "Log.entryAdded" and what["entry"]["level"] == "error":
            entry = what["entry"]
            # An answer with an error status is logged by the browser itself; pages show it.
            if entry["source"] != "network":
                self.faults.append(f"{entry['text']} {entry.get('url', '')}")
        elif method == "Runtime.consoleAPICalled" and what["type"] in ("error", "assert"):
            self.faults.append(str([one.get("value", one.get("description")) for one in what["args"]]))
        elif method == "Page.loadEventFired":
            self.loads += 1
        elif method == "Network.loadingFinished":
            self.received += what.get("encodedDataLength", 0)
        elif method == "Network.responseReceived" and what.get("type") == "Document":
            self.status = what["response"]["status"]

    def open(self, address):
        """Goes to an address and waits until it is loaded."""
        loads = self.loads
        self.received = 0
        answer = self.send("Page.navigate", url=address)
        if answer.get("errorText"):
            raise ProtocolError(f"{address}: {answer['errorText']}")
        self.until(lambda: self.loads > loads, f"{address} is loaded")

    def until(self, condition, what, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise ProtocolError(f"waited in vain: {what}")
            # Any command makes events arrive.
            self.send("Runtime.evaluate", expression="0")
            time.sleep(0.01)

    def run(self, script):
        """The value of a script (a promise is waited for)."""
        answer = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True,
                           userGesture=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise ProtocolError(f"{script}: {details.get('exception', {}).get('description', details.get('text'))}")
        return answer["result"].get("value")

    def wait(self, script, seconds=8):
        """Waits until a script's value is there: anything but null, false, 0 and nothing."""
        end = time.monotonic() + seconds
        while not self.run(f"!!({script})"):
            if time.monotonic() > end:
                raise ProtocolError(f"waited in vain: {script}")
            time.sleep(0.02)

    def text(self, selector="main"):
        return self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def click(self, selector):
        """Clicks into the middle of the first element that is found, as a mouse does."""
        box = self.run(f"""(() => {{
            const node = document.querySelector({json.dumps(selector)});
            if (!node) return null;
            node.scrollIntoView({{ block: "nearest" }});
            const box = node.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()""")
        if box is None:
            raise ProtocolError(f"nothing to click at: {selector}")
        self.mouse("mouseMoved", *box)
        self.mouse("mousePressed", *box)
        self.mouse("mouseReleased", *box)

    def mouse(self, kind, x, y):
        held = kind != "mouseReleased"
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="none" if kind == "mouseMoved" else "left",
                  buttons=1 if held and kind == "mousePressed" else 0,
                  clickCount=0 if kind == "mouseMoved" else 1)

    def drag(self, start, end):
        self.mouse("mouseMoved", *start)
        self.mouse("mousePressed", *start)
        for step in range(1, 6):
            share = step / 5
            self.send("Input.dispatchMouseEvent", type="mouseMoved", button="left", buttons=1,
                      x=start[0] + (end[0] - start[0]) * share, y=start[1] + (end[1] - start[1]) * share)
        self.mouse("mouseReleased", *end)

    def type(self, text):
        self.send("Input.insertText", text=text)

    def key(self, name, modifiers=0):
        """Presses a key: "Enter", "Tab", "ArrowDown", "a"."""
        codes = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38, "ArrowLeft": 37,
                 "ArrowRight": 39, "End": 35, "Home": 36, " ": 32, "Backspace": 8}
        text = {"Enter": "\r", " ": " "}.get(name, name if len(name) == 1 else "")
        common = {"key": name, "code": "Space" if name == " " else name, "windowsVirtualKeyCode": codes.get(name, 0),
                  "modifiers": modifiers}
        if text and not modifiers & 2:
            self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        else:
            self.send("Input.dispatchKeyEvent", type="rawKeyDown", **common)
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def picture(self, path, whole=False):
        """Saves what is to be seen (or the whole page) as a PNG."""
        more = {}
        if whole:
            content = self.send("Page.getLayoutMetrics")["cssContentSize"]
            more = {"captureBeyondViewport": True, "clip": {
                "x": 0, "y": 0, "width": content["width"], "height": min(content["height"], 4000), "scale": 1}}
        data = self.send("Page.captureScreenshot", format="png", **more)["data"]
        os.makedirs(os.path.dirname(path), exist_ok=True)
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def front(self):
        """Makes this the tab that is seen; others are hidden and do less."""
        self.send("Page.bringToFront")

    def close(self):
        self.browser.send("Target.closeTarget", {"targetId": self.target})
        self.browser.pages.pop(self.session, None)


def wait_for(condition, seconds):
    """Asks until the answer is true; gives it."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError("waited in vain")
        time.sleep(0.02)
