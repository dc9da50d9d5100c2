"""The order of publishing: check the promise, write the page, then the manifest that lists everything."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shutil import copyfile
from typing import get_args

from chasqui.errors import PromiseBroken
from chasqui.events import Report
from chasqui.publish import Options
from chasqui.records import (
    Analysis,
    Blob,
    Certificate,
    Lesson,
    Master,
    Measured,
    Plan,
    Recording,
    Renditions,
    Request,
    TargetName,
)
from chasqui.store import Workspace

#: From the weakest promise to the strongest.
PROMISES: tuple[TargetName, ...] = get_args(TargetName)
#: A title longer than this is a description.
TITLE_CHARACTERS = 160
SLUG_CHARACTERS = 60


@dataclass(frozen=True)
class Sources:
    """The records that publishing stands on."""

    request: Request
    recording: Recording
    master: Master
    analysis: Analysis
    plan: Plan
    renditions: Renditions
    certificate: Certificate

    @cached_property
    def title(self) -> str:
        """What the user calls it, else the title inside the file, else the file's name; one line, never empty."""
        stem = re.sub(r"[_\s]+", " ", Path(self.request.name).stem)
        for candidate in (self.request.title, self.recording.tags.get("title", ""), stem):
            if line := _one_line(candidate):
                return line
        return self.request.recording_id

    @property
    def voice(self) -> Blob:
        """The bytes that the promise is about."""
        return next(r.blob for r in self.renditions.renditions if r.name == "voice.opus")


def publish(sources: Sources, options: Options, work: Workspace, report: Report) -> Lesson:
    """The Lesson with all its files in the store."""
    from chasqui.publish.manifest import build, to_bytes
    from chasqui.publish.page import make_page

    measured = read_measured(work.path(sources.renditions.measured))
    check_promise(sources.certificate, measured)
    files = [_named(work, r.blob, r.name, r.media_type) for r in sources.renditions.renditions]
    files.append(_named(work, sources.certificate.report, "certificate.json", "application/json"))

    page = work.folder / "report.html"
    page.write_bytes(make_page(sources, measured, options, work, report))
    files.append(work.keep(page, "text/html; charset=utf-8"))

    manifest = work.folder / "lesson.json"
    manifest.write_bytes(to_bytes(build(sources, files, slug(sources.title), options)))
    files.append(work.keep(manifest, "application/json"))
    return Lesson(
        recording_id=sources.request.recording_id,
        slug=slug(sources.title),
        title=sources.title,
        files=tuple(files),
        bytes=sources.voice.bytes,
        source_bytes=sources.request.bytes,
    )


def check_promise(certificate: Certificate, measured: list[Measured]) -> None:
    """Let through what keeps its promise, or says that it does not.

    Raises:
        PromiseBroken: less is kept than promised, and `degraded` is silent about it.
    """
    if certificate.degraded or rank(certificate.kept) >= rank(certificate.promised):
        return
    judged = [m for m in measured if m.kind != "silence" and m.reachable]
    missed = sum(rank(m.kept) < rank(certificate.promised) for m in judged)
    raise PromiseBroken(target=certificate.promised, missed=missed, segments=len(judged))


def rank(promise: TargetName | None) -> int:
    """0 for no promise, then 1 for the weakest."""
    return 0 if promise is None else PROMISES.index(promise) + 1


def read_measured(path: Path) -> list[Measured]:
    """One Measured per segment, in order. A 10-hour lesson has some 4,000 of them: a few MB."""
    with path.open(encoding="utf-8") as lines:
        return [Measured.model_validate_json(line) for line in lines if line.strip()]


def slug(title: str) -> str:
    """A folder name out of the title: lower case ASCII letters, digits and single hyphens, never empty."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:SLUG_CHARACTERS].strip("-") or "clase"


def _one_line(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split())[:TITLE_CHARACTERS].strip()


def _named(work: Workspace, blob: Blob, name: str, media_type: str) -> Blob:
    """The blob itself when it already has its final name, else a copy under that name."""
    if blob.name == name:
        return blob
    copy = work.folder / name
    copyfile(work.path(blob), copy)
    return work.keep(copy, media_type)
