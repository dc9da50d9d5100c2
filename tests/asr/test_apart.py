"""A recogniser in a process of its own: hung, killed, failing, orphaned."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from chasqui.asr import Settings, Span, open_recogniser
from chasqui.asr.apart import Apart
from chasqui.errors import BadModel, RecogniserLost, WrongLanguage

SECOND = np.zeros(16000, np.float32)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def twin(tmp_path: Path, takes_s: float = 0.0, **settings: float) -> Apart:
    file = tmp_path / "words.json"
    word = {"text": "hola", "start_s": 0.2, "end_s": 0.6}
    file.write_text(json.dumps({"words": [word], "languages": ["es"], "takes_s": takes_s}))
    opened = open_recogniser(f"memory:{file}", Settings(**settings))
    assert isinstance(opened, Apart)
    return opened


def test_it_answers_from_another_process(tmp_path: Path) -> None:
    apart = twin(tmp_path)
    (heard,) = apart.hear([Span(SECOND)])
    assert [word.text for word in heard.words] == ["hola"]
    assert apart._child is not None
    assert apart._child.pid != os.getpid()
    pid = apart._child.pid
    apart.close()
    assert not alive(pid)


def test_one_that_hangs_is_ended_and_said_and_the_next_question_starts_anew(tmp_path: Path) -> None:
    apart = twin(tmp_path, takes_s=3600, patience=1e-3, start_s=1e-3)
    apart._ask = lambda question, limit_s, ask=apart._ask: ask(question, 1.5)  # type: ignore[method-assign,misc]
    with pytest.raises(RecogniserLost, match="no answer within 2 s; it was stopped"):
        apart.hear([Span(SECOND)])
    assert apart._child is None
    other = twin(tmp_path)  # the same file, now quick
    assert other.hear([Span(SECOND)])[0].words
    other.close()


def test_the_limit_grows_with_the_sound(tmp_path: Path) -> None:
    apart = twin(tmp_path, patience=20, start_s=100)
    limits = []
    apart._ask = lambda question, limit_s, ask=apart._ask: limits.append(limit_s) or ask(question, limit_s)  # type: ignore
    apart.hear([Span(SECOND), Span(SECOND)])
    apart.hear([Span(SECOND), Span(SECOND)])
    apart.close()
    assert limits == [150.0, 50.0]  # the first has a model to load


def test_one_that_is_killed_is_said(tmp_path: Path) -> None:
    apart = twin(tmp_path)
    apart.hear([Span(SECOND)])
    assert apart._child is not None
    os.kill(apart._child.pid, signal.SIGKILL)
    with pytest.raises(RecogniserLost, match="memory ran out"):
        apart.hear([Span(SECOND)])
    assert apart.hear([Span(SECOND)])[0].words  # the next one has a new process
    apart.close()


def test_errors_come_across_as_what_they_are(tmp_path: Path) -> None:
    apart = twin(tmp_path)
    with pytest.raises(WrongLanguage, match="quz"):
        apart.hear([Span(SECOND)], "quz")
    file = Path(apart.name.removeprefix("memory:"))
    file.write_text('{"takes_s": -1}')
    with pytest.raises(RecogniserLost, match="ValueError: sleep"):
        apart.hear([Span(SECOND)])
    apart.close()
    file.unlink()
    with pytest.raises(BadModel, match=r"words\.json"):
        apart.hear([Span(SECOND)])
    apart.close()


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    twin(tmp_path, takes_s=3600)
    script = (
        "import sys, threading, time, numpy as np\n"
        "from chasqui.asr import *\n"
        f"apart = open_recogniser('memory:{tmp_path / 'words.json'}')\n"
        "threading.Thread(target=apart.hear, args=([Span(np.zeros(16000, np.float32))],), daemon=True).start()\n"
        "while apart._child is None: time.sleep(0.05)\n"
        "print(apart._child.pid, flush=True)\n"
        "time.sleep(3600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    time.sleep(1.0)
    assert alive(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(100):
        if not alive(pid):
            break
        time.sleep(0.1)
    assert not alive(pid)


def test_nothing_that_a_library_prints_gets_among_the_answers(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('a library that talks', flush=True)\n")
    apart = twin(tmp_path)
    sys.path.insert(0, str(tmp_path))
    try:
        assert apart.hear([Span(SECOND)])[0].words
    finally:
        sys.path.remove(str(tmp_path))
    apart.close()


def test_nothing_is_imported_from_the_folder_it_is_called_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recordings come from anywhere, and Python files may lie among them."""
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    for name in ("json", "pickle", "numpy"):
        (recordings / f"{name}.py").write_text(f"open({str(tmp_path / 'planted')!r}, 'w').close()\n")
    monkeypatch.chdir(recordings)
    apart = twin(tmp_path)
    try:
        apart.hear([Span(np.zeros(1600, np.float32), 0.0)])
    finally:
        apart.close()
    assert not (tmp_path / "planted").exists()
