"""Draws report.png for the README: a lesson's report as a desktop and a phone show it.

Usage: python docs/images/make_report.py LESSON_FOLDER [CHROMIUM]. Needs Chromium and Pillow.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

FRAMES = """<!doctype html><style>
body {{ margin: 0; background: #e9e2d3; }}
iframe {{ position: absolute; border: 0; background: #fbf9f4; box-shadow: 0 0 0 1px #d5ccb8; border-radius: 12px; }}
</style>
<iframe src="{page}" style="left: 36px; top: 36px; width: 1020px; height: 1192px"></iframe>
<iframe src="{page}#h-picture" style="left: 1088px; top: 236px; width: 356px; height: 792px"></iframe>"""
SIZE = (1480, 1264)


def draw(lesson: Path, chromium: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        frames, shot = Path(folder) / "frames.html", Path(folder) / "shot.png"
        frames.write_text(FRAMES.format(page=(lesson / "report.html").resolve().as_uri()), encoding="utf-8")
        size = f"--window-size={SIZE[0]},{SIZE[1]}"
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", size, f"--screenshot={shot}"]
        subprocess.run([chromium, *flags, frames.as_uri()], check=True, capture_output=True, timeout=60)
        # Without the k-means rounds the palette tints the paper; with them no colour is more than 9 of 255 off.
        picture = Image.open(shot).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, 3, dither=Image.Dither.NONE)
        picture.save(Path(__file__).with_name("report.png"), optimize=True)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "chromium")
