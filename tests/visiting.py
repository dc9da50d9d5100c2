"""Somebody in front of a real browser: writes into fields by their labels, presses what is written on buttons, and
believes only what can be seen.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from absent import missing
from phone.chromium import Chromium

PATIENCE_S = 20.0
#: The visible element of a kind with this text, or whose text begins with it.
FIND = """(kind, text) => {
  const seen = [...document.querySelectorAll(kind)].filter((one) => one.getClientRects().length);
  const said = (one) => one.innerText.trim();
  return seen.find((one) => said(one) === text) || seen.find((one) => said(one).startsWith(text));
}"""


@contextmanager
def browser(folder: Path) -> Iterator[Chromium]:
    """A Chromium with an empty profile."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        missing("Chromium")
    with Chromium(str(found), folder) as opened:
        yield opened


class Visitor:
    """A phone of 360 × 640 points. Addresses are paths at `url`."""

    def __init__(self, chromium: Chromium, url: str) -> None:
        self.chromium = chromium
        self._url = url

    def open(self, path: str, width: int = 360, height: int = 640) -> Visitor:
        """A fresh tab, with the cookies and the memory of those before."""
        self.chromium.open(self._url + path, width, height)
        return self

    def forget(self) -> None:
        """The phone is somebody else's now."""
        self.chromium.call("Network.clearBrowserCookies")
        self.run("localStorage.clear()")

    def run(self, code: str) -> Any:
        """The value of an expression in the page."""
        return self.chromium.run(code)

    def write(self, **fields: str) -> Visitor:
        """Into fields by their labels (`_` for a space), as fingers do: what stood there is gone."""
        for label, text in fields.items():
            at = f"document.getElementById(({FIND})('label', {json.dumps(label.replace('_', ' '))}).htmlFor)"
            self.run(f"{at}.focus(); {at}.select()")
            self.chromium.call("Input.insertText", text=text)
        return self

    def press(self, text: str) -> Visitor:
        """A button, a link or a tick with this text."""
        self.run(f"({FIND})('button, a, label', {json.dumps(text)}).click()")
        return self

    def sees(self, *texts: str) -> Visitor:
        """Waits until all of them can be seen."""
        self.until(f"{json.dumps(texts)}.every((text) => document.body.innerText.includes(text))", texts)
        return self

    def is_at(self, path: str) -> Visitor:
        """Waits until this page is there and its script at work."""
        at_work = "document.readyState === 'complete' && !document.querySelector('#late:not([hidden])')"
        self.until(f"location.pathname === {json.dumps(path)} && {at_work}", path)
        return self

    def until(self, code: str, what: Any) -> None:
        """Waits until an expression is true; between two pages nothing is."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                if self.run(code):
                    return
            except AssertionError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"{what} was never seen at {self.run('location.href')}:\n{self.text()}")

    def text(self) -> str:
        """All that can be seen."""
        return str(self.run("document.body.innerText"))

    def wrong(self) -> dict[str, str]:
        """What is said beside each field."""
        beside = "[one.id, document.getElementById(one.id + '-wrong').innerText]"
        found = self.run(f"[...document.querySelectorAll('[aria-invalid]')].map((one) => {beside})")
        return dict(found)

    def hold(self, part: str) -> None:
        """Requests to `…part` reach the server, and their answers stay on the way until `cut`."""
        self.chromium.call("Fetch.enable", patterns=[{"urlPattern": f"*{part}", "requestStage": "Response"}])

    def cut(self) -> None:
        """The link breaks: answers that were held never arrive."""
        until = time.monotonic() + PATIENCE_S
        while not (held := [event for event in self.chromium.events if event["method"] == "Fetch.requestPaused"]):
            assert time.monotonic() < until, "nothing was asked for"
            self.run("0")  # events come with answers
        for event in held:
            self.chromium.call(
                "Fetch.failRequest", requestId=event["params"]["requestId"], errorReason="ConnectionReset"
            )
        self.chromium.call("Fetch.disable")
