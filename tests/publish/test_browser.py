"""The page in a real browser: it plays, it is quiet on the console, it asks nobody for anything, it fits a phone."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

#: Runs inside the page and leaves what it found on <html>. The waits are for sound to be decoded, not for a clock.
PROBE = """
addEventListener("load", async () => {
  const known = (audio) => new Promise((done) => {
    if (audio.readyState) return done(audio.duration);
    audio.addEventListener("loadedmetadata", () => done(audio.duration));
    audio.addEventListener("error", () => done(null), true);
  });
  const shown = (lang) => [...document.querySelectorAll(`span[lang=${lang}]`)].some((e) => e.getClientRects().length);
  const look = () => ({es: shown("es"), en: shown("en")});
  const found = {
    durations: await Promise.all([...document.querySelectorAll("audio")].map(known)),
    voice: document.getElementById("voice").currentSrc.slice(0, 15),
    opens: look(),
    natives: [...document.querySelectorAll(".ab audio")].filter((a) => a.controls).length,
    overflow: document.documentElement.scrollWidth - innerWidth,
  };
  document.getElementById("en").click();
  found.english = look();
  const picture = document.getElementById("picture");
  picture.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight"}));
  found.readout = document.getElementById("readout").textContent;
  document.documentElement.dataset.found = JSON.stringify(found);
});
"""


@pytest.fixture(scope="session")
def chromium(pytestconfig):
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    # pytest knows a conftest by its path; by name it could be that of any other folder.
    everybody = pytestconfig.pluginmanager.get_plugin(str(Path(__file__).parents[1] / "conftest.py"))
    return everybody.missing("Chromium")


@pytest.fixture
def visit(chromium, tmp_path):
    """`visit(files, page=…)` opens the page from a folder; gives what the probe found, console and requests."""

    def call(files, page=None, width=360):
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        text = page or _with_probe(files["report.html"].decode())
        (tmp_path / "report.html").write_text(text, encoding="utf-8")
        log = tmp_path / "net.json"
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        flags += ["--enable-logging=stderr", "--virtual-time-budget=20000", "--hide-scrollbars", "--dump-dom"]
        flags += [f"--log-net-log={log}", f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900"]
        done = subprocess.run(
            [chromium, *flags, (tmp_path / "report.html").as_uri()],
            capture_output=True,
            text=True,
            timeout=90,
            check=True,
            env=os.environ | {"HOME": str(tmp_path)},
        )
        found = re.search(r'data-found="([^"]*)"', done.stdout)
        return SimpleNamespace(
            found=json.loads(html.unescape(found[1])) if found else None,
            console=[line for line in done.stderr.splitlines() if ":CONSOLE" in line],
            requests=_requests(log),
        )

    return call


def _with_probe(page):
    """The page with the probe in it, let through by its own policy, which stays in force otherwise."""
    allowed = base64.b64encode(hashlib.sha256(PROBE.encode()).digest()).decode()
    assert page.count("script-src ") == 1
    page = page.replace("script-src ", f"script-src &#39;sha256-{allowed}&#39; ")
    return page.replace("</body>", f"<script>{PROBE}</script></body>")


def _requests(log):
    """URLs that a page asked for over the network (what the browser asks for itself has no page as its initiator)."""
    text = log.read_text(encoding="utf-8")
    try:
        events = json.loads(text)["events"]
    except json.JSONDecodeError:  # the browser was closed before it ended the list
        events = json.loads(text.rstrip().rstrip(",") + "]}")["events"]
    asked = [event["params"] for event in events if "url" in event.get("params", {})]
    return [p["url"] for p in asked if p.get("initiator", "not an origin") != "not an origin"]


def test_it_plays_in_silence_and_asks_nobody(publish, visit):
    seen = visit(publish().files)
    lengths = seen.found["durations"]
    assert lengths[:3] == pytest.approx([3.0] * 3, abs=0.1)
    assert lengths[3] == pytest.approx(20.0, abs=0.01)
    assert seen.found["voice"] == "data:audio/ogg;"
    assert seen.console == []
    assert seen.requests == []


def test_a_linked_voice_plays_from_the_folder(publish, visit):
    seen = visit(publish(options={"embed_limit_bytes": 0}).files)
    assert seen.found["voice"].startswith("file:")
    assert seen.found["durations"][3] == pytest.approx(20.0, abs=0.01)
    assert seen.console == []


def test_it_fits_a_phone_and_changes_language(publish, visit):
    seen = visit(publish(request={"title": "Unaclasedenombrelarguísimo" * 5}).files).found
    assert seen["overflow"] <= 0
    assert (seen["opens"], seen["english"]) == ({"es": True, "en": False}, {"es": False, "en": True})
    assert seen["natives"] == 0  # one player with three takes replaces three players
    assert seen["readout"].startswith("1 · 0:00–")


def test_a_page_that_asked_for_something_would_be_caught(visit):
    seen = visit({}, page="<!doctype html><img src='http://127.0.0.1:9/pixel'><script>console.error('x')</script>")
    assert seen.requests == ["http://127.0.0.1:9/pixel"]
    assert seen.console
