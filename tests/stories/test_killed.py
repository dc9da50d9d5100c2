"""The lights go out in the middle of a pack. The same command again finishes, with the bytes of an undisturbed run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

#: Where the lights go out, one after the other, each time in the run that goes on from the last: (stage, event).
MOMENTS = (
    ("ingest", "started"),
    ("clean", "advanced"),
    ("clean", "finished"),
    ("choose", "started"),
    ("encode", "started"),
    ("encode", "finished"),
    ("publish", "started"),
    ("publish", "finished"),
)


@pytest.fixture
def recording(media: Path) -> Path:
    """Ten seconds of a Spanish speaker."""
    return media / "asr" / "cuttledoc" / "fleurs-es-002.ogg"


def command(recording: Path, where: Path) -> list[str]:
    options = ["--out", str(where / "out"), "--store", str(where / "store"), "--json", "--threads", "2"]
    return [sys.executable, "-m", "chasqui", "pack", str(recording), *options]


def killed_at(moment: tuple[str, str], recording: Path, where: Path) -> bool:
    """Pack until this event, then kill -9. False if it never came: that stage was done already."""
    with subprocess.Popen(command(recording, where), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if (event.get("stage"), event["kind"]) == moment:
                process.send_signal(signal.SIGKILL)
                return True
    return False


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in sorted(files)}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")
def test_a_pack_that_is_killed_again_and_again_ends_with_the_same_bytes(recording: Path, tmp_path: Path) -> None:
    subprocess.run(command(recording, tmp_path / "calm"), stdout=subprocess.PIPE, check=True)
    calm = contents(tmp_path / "calm" / "out")
    assert any(name.endswith("voice.opus") for name in calm)

    dark = tmp_path / "dark"
    fell = [killed_at(moment, recording, dark) for moment in MOMENTS]
    assert sum(fell) >= 7, dict(zip(MOMENTS, fell, strict=True))

    done = subprocess.run(command(recording, dark), stdout=subprocess.PIPE, text=True, check=True)
    assert contents(dark / "out") == calm
    assert json.loads(done.stdout.splitlines()[-1])["exit_code"] == 0
    leftovers = [
        path for path in dark.rglob("*") if path.name.endswith((".part", ".old")) or path.parent.name == ".work"
    ]
    assert leftovers == []
