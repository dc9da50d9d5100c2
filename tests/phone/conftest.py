"""Ways to ask the module: in Node, and in Chromium."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from phone.chromium import Chromium

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "phone" / "dist" / "chasqui-phone.js"
SHIPPED = ROOT / "src" / "chasqui" / "models" / "phone"


@pytest.fixture(scope="session")
def missing(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """`missing(what)` skips here and fails in CI."""
    # pytest knows a conftest by its path; by name it could be that of any other folder.
    everybody: Any = pytestconfig.pluginmanager.get_plugin(str(ROOT / "tests" / "conftest.py"))
    return everybody.missing


@pytest.fixture(scope="session")
def ask(tool: Callable[[str], str]) -> Callable[..., Any]:
    """`ask(do, **job)` in Node: `{"gave": …}` or `{"code": …, "why": …}`."""
    node = tool("node")

    def call(do: str, **job: Any) -> Any:
        done = subprocess.run(
            [node, Path(__file__).with_name("run.mjs"), BUILT],
            input=json.dumps({"do": do, **job}, default=str),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


@pytest.fixture(scope="session")
def names(ask: Callable[..., Any]) -> list[str]:
    """The columns that the phone computes."""
    gave: list[str] = ask("names")["gave"]
    return gave


@pytest.fixture(scope="session")
def chromium(missing: Callable[[str], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """One browser for all tests, with an empty profile."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        missing("Chromium")
    with Chromium(str(found), tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address under which a browser finds it."""
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        shutil.copy(BUILT, tmp_path)
        yield tmp_path, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
