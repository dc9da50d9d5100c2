"""The order of publishing: check the promise, write the page, then the manifest that lists everything."""

from __future__ import annotations

import re
import unicodedata
from shutil import copyfile

from chasqui.errors import PromiseBroken
from chasqui.events import Report
from chasqui.publish import Options, chapters, transcript
from chasqui.publish.manifest import build, to_bytes
from chasqui.publish.page import make_page
from chasqui.publish.sources import Sources, rank
from chasqui.records import Blob, Certificate, Lesson, Measured
from chasqui.store import Workspace, lines

SLUG_CHARACTERS = 60


def publish(sources: Sources, options: Options, work: Workspace, report: Report) -> Lesson:
    """The Lesson with all its files in the store."""
    measured = lines.read(work.path(sources.renditions.measured), Measured)
    check_promise(sources.certificate, measured)
    files = [_named(work, r.blob, r.name, r.media_type) for r in sources.renditions.renditions]
    files.append(_named(work, sources.certificate.report, "certificate.json", "application/json"))

    parts = chapters.of(sources, work)
    said = [*transcript.files(sources.transcript, sources.turns, work), *chapters.files(parts, sources, work)]
    files += [*said, *transcript.speakers(sources.turns, slug(sources.title), work)]

    page = work.folder / "report.html"
    page.write_bytes(make_page(sources, measured, said, parts, options, work, report))
    files.append(work.keep(page, "text/html; charset=utf-8"))

    manifest = work.folder / "lesson.json"
    manifest.write_bytes(to_bytes(build(sources, files, slug(sources.title), parts, options)))
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


def slug(title: str) -> str:
    """A folder name out of the title: lower case ASCII letters, digits and single hyphens, never empty."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:SLUG_CHARACTERS].strip("-") or "clase"


def _named(work: Workspace, blob: Blob, name: str, media_type: str) -> Blob:
    """The blob itself when it already has its final name, else a copy under that name."""
    if blob.name == name:
        return blob
    copy = work.folder / name
    copyfile(work.path(blob), copy)
    return work.keep(copy, media_type)
