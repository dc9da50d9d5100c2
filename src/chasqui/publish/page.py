"""report.html: one page that needs nothing else, not even a network. story.py and picture.py decide what it tells.

It may not load anything: its Content-Security-Policy allows its own style and script by hash, and sound from itself.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from typing import Any

from chasqui import __version__
from chasqui.events import Report
from chasqui.metrics.targets import TARGETS, Target
from chasqui.publish import Options, excerpt, story, words
from chasqui.publish.chapters import Parts
from chasqui.publish.picture import draw
from chasqui.publish.price import megabytes
from chasqui.publish.sources import Sources
from chasqui.publish.speech import both, clock
from chasqui.publish.wave import Floats, Outline, outline
from chasqui.records import Blob, Measured
from chasqui.store import Workspace


def make_page(
    sources: Sources,
    measured: Sequence[Measured],
    said: Sequence[Blob],
    parts: Parts | None,
    options: Options,
    work: Workspace,
    report: Report,
) -> bytes:
    """The whole page as UTF-8 HTML. `said`: the files of transcript and chapters, where there are any."""
    target = TARGETS[sources.plan.target]
    with ThreadPoolExecutor(1) as pool:  # decoding all of the master, while excerpts are encoded
        wave = pool.submit(_outline, sources, work, report)
        sounds = _sounds(sources, measured, target, options, work)
        picture = draw(wave.result(), measured, sources.master.duration_s, target)
    return render(
        title=sources.title,
        source_name=sources.request.name,
        lang=options.lang,
        parts=len(measured),
        chapters=story.chapters(parts),
        words=words.page(sources, work),
        picture=picture,
        kinds={block.kind for block in picture.blocks},
        any_low=any(not mark.kept for panel in picture.panels for mark in panel.marks),
        ticks=[clock(sources.master.duration_s * n / 4) for n in range(5)],
        rungs=story.rungs(sources, measured),
        hard=story.hard(measured, picture, target),
        facts=story.facts(sources),
        downloads=story.downloads(sources, said),
        mean_kbps=f"{sources.voice.bytes * 8 / max(sources.master.duration_s, 1e-9) / 1000:.1f}",
        **story.sizes(sources, options),
        **story.promise(sources, measured),
        **story.treatments(sources),
        **sounds,
    )


def render(**told: Any) -> bytes:
    """The template filled in; everything in `told` is escaped unless it is Markup."""
    from jinja2 import Environment, StrictUndefined, select_autoescape
    from markupsafe import Markup

    page = Environment(
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).from_string(_asset("page.html"))
    css, js = _asset("page.css"), _asset("page.js")
    own = {"css": Markup(css), "js": Markup(js), "csp": _policy(css, js), "version": __version__}
    return page.render(w=both, describe=story.describe, **own, **told).encode()


def _policy(css: str, js: str) -> str:
    style, script = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (css, js))
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; "
        "img-src data:; media-src data: 'self' file:; base-uri 'none'; form-action 'none'"
    )


def _asset(name: str) -> str:
    return (files("chasqui.publish") / "template" / name).read_text(encoding="utf-8")


def _outline(sources: Sources, work: Workspace, report: Report) -> Outline:
    """The outline of the master, with progress: for 10 hours this is the longest part of publishing."""
    from chasqui.media.flac import RATE_HZ, read_master

    master = sources.master

    def blocks() -> Iterator[Floats]:
        done = 0
        for block in read_master(work.path(master.audio), master.gain_db):
            yield block
            done += block.size
            report.advanced(done / RATE_HZ, master.duration_s)

    return outline(blocks(), master.samples)


def _sounds(
    sources: Sources, measured: Sequence[Measured], target: Target, options: Options, work: Workspace
) -> dict[str, Any]:
    """What can be heard in the page: the takes to compare, and the voice when it is not too large."""
    voice = work.path(sources.voice)
    span = excerpt.span_of(measured, target, options.excerpt_s, sources.master.samples)
    small = sources.voice.bytes <= options.embed_limit_bytes
    return {
        "takes": _takes(sources, span, work),
        "excerpt_s": f"{span.duration_s:.0f}",
        "excerpt_at": clock(span.start_s),
        "voice_data": _base64(voice.read_bytes()) if small else None,
        "has_mp3": any(r.name == "voice.mp3" for r in sources.renditions.renditions),
    }


def _takes(sources: Sources, span: excerpt.Span, work: Workspace) -> list[dict[str, str]]:
    from chasqui.media.flac import read_span

    master, recording = sources.master, sources.recording
    clean = read_span(work.path(master.audio), master.gain_db, span.start, span.start + span.samples)
    takes = []
    if not any(t.applied and t.name in ("silence", "trim") for t in master.treatments):  # else the times differ
        raw = excerpt.of_source(work.path(recording.source), recording.audio_index, sources.request.name, span)
        sound = excerpt.of_sound(excerpt.at_volume_of(raw, clean), span)
        takes.append(_take("source", sound, megabytes(sources.request.bytes)))
    takes.append(_take("master", excerpt.of_sound(clean, span), ""))
    takes.append(_take("voice", excerpt.of_voice(work.path(sources.voice), span), megabytes(sources.voice.bytes)))
    return takes


def _take(name: str, sound: bytes, weight: str) -> dict[str, str]:
    return {"name": name, "data": _base64(sound), "weight": weight}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
