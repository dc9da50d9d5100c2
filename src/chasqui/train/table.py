"""The tables of a sweep, read back from its store: rows, segments and frames, and what was done to get them.

Only whole takes count, so tables that are written half-way hold fewer takes and nothing else is different. Every file
appears whole or not at all.
"""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chasqui import __version__
from chasqui.choose.trial import Bench, Counts
from chasqui.codecs.opus import PACKET_SAMPLES, RATE_HZ
from chasqui.metrics.judge import VERSIONS
from chasqui.records import Master, Segment
from chasqui.store import Workspace, lines
from chasqui.store.guard import disk
from chasqui.train import columns, crosscheck, packets
from chasqui.train.label import Done, Folder, ladder, place, read
from chasqui.train.material import Take

if TYPE_CHECKING:
    from chasqui.train.sweep import Planned


@dataclass
class Piece:
    """What one take, or all of them, gave."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    segments: list[dict[str, Any]] = field(default_factory=list)
    frames: list[tuple[str, Any]] = field(default_factory=list)
    marks: list[Done] = field(default_factory=list)
    features: dict[str, tuple[str, ...]] = field(default_factory=dict)  # names by version
    unlabelled: int = 0  # segments that a newer analysis cut and nobody has labelled yet

    def add(self, other: Piece) -> None:
        """Put another piece behind this one."""
        self.rows += other.rows
        self.segments += other.segments
        self.frames += other.frames
        self.marks += other.marks
        self.features |= other.features
        self.unlabelled += other.unlabelled


class Tables:
    """The tables of one sweep. Takes that were read once are not read again, so it can be written often."""

    def __init__(self, out: Path, planned: Planned, facts: dict[str, Any]) -> None:
        self._folder, self._planned, self._facts = Folder(out), planned, facts
        self._read: dict[Path, tuple[int, Piece]] = {}

    def write(self) -> dict[str, Any]:
        """rows, segments and frames.parquet, split.json and sweep.json of the takes that are done; gives the last.

        Raises:
            DiskFull, NotWritable
        """
        out, found = self._folder.root, Piece()
        for take in self._planned.takes:
            found.add(self._piece(take))
        version, names = _newest(found)
        segments = [one for one in found.segments if one["feature_version"] == version]
        current = {one["segment_id"] for one in segments}
        rows = [row for row in found.rows if row["segment_id"] in current]
        summary = {
            **self._facts,
            **_summary(self._planned, found, rows, segments),
            "outdated": len(found.segments) - len(segments),
            "feature_version": version,
            "features": list(names),
            "packets_version": packets.PACKETS_VERSION,
            "frame_columns": list(packets.COLUMNS),
        }
        with disk(out):
            columns.write(out / "rows.parquet", rows, columns.ROWS)
            columns.write(out / "segments.parquet", segments, columns.segments(names))
            frames = [(name, values) for name, values in found.frames if name in current]
            columns.write_frames(out / "frames.parquet", frames, packets.COLUMNS)
            _json(out / "split.json", {"seed": self._facts["seed"], "parts": self._planned.parts})
            _json(out / "sweep.json", summary)
        return summary

    def _piece(self, take: Take) -> Piece:
        """What a take gave; nothing while it is not done."""
        mark = self._folder.mark(take.take_id)
        try:
            written = mark.stat().st_mtime_ns
        except OSError:
            return Piece()
        if (known := self._read.get(mark)) is None or known[0] != written:
            done = Done.read(mark)
            if done is None:
                return Piece()
            known = written, _gathered(self._folder, take, done, self._facts["rungs"])
            self._read[mark] = known
        return known[1]


def _gathered(folder: Folder, take: Take, done: Done, rungs: list[str]) -> Piece:
    found = Piece(marks=[done])
    if done.error:
        return found
    store = folder.store
    master, analysis = read(done.recording_id, store)
    audio = store.path(master.audio)
    about = _provenance(take) | {
        "recording_id": master.recording_id,
        "denoised": any(one.name == "denoise" and one.applied for one in master.treatments),
        "feature_version": analysis.feature_version,
    }
    with np.load(store.path(analysis.features)) as features:
        names, values = tuple(str(name) for name in features["names"]), features["values"]
    found.features[analysis.feature_version] = names
    segments = [one for one in lines.read(store.path(analysis.segments), Segment) if one.kind != "silence"]
    seen = packets.kept(folder.root, audio, master, segments)
    with store.workspace(done.recording_id, "label") as work:
        for segment in segments:
            bench = Bench(audio, master, segment, work, Counts())
            labels = list(_labels(bench, master, segment, work, rungs))
            if None in labels:
                found.unlabelled += 1
                continue
            facts = about | _place(take, master, segment)
            found.rows += [facts | label for label in labels if label]
            found.segments.append(facts | dict(zip(names, values[segment.index].tolist(), strict=True)))
            found.frames.append((facts["segment_id"], seen[segment.index]))
    return found


def _labels(
    bench: Bench, master: Master, segment: Segment, work: Workspace, rungs: list[str]
) -> Iterator[dict[str, Any] | None]:
    """What was measured at each rung; None where nothing was."""
    for rung in ladder(segment, tuple(rungs)):
        trial = bench.known(rung, quality=True)
        if trial is None:
            yield None
            continue
        yield {
            "rung": rung.name,
            "bitrate_bps": rung.bitrate_bps,
            "bytes": trial.bytes,
            "estoi": trial.scores.estoi,
            "visqol": trial.scores.visqol,
            "pesq": crosscheck.known(master, segment, rung, work) if segment.kind == "speech" else None,
        }


def _place(take: Take, master: Master, segment: Segment) -> dict[str, Any]:
    start = segment.start_packet * PACKET_SAMPLES
    samples = min(segment.packets * PACKET_SAMPLES, master.samples - start)
    return {
        "segment_id": place(take, segment),
        "start_packet": segment.start_packet,
        "packets": segment.packets,
        "start_s": start / RATE_HZ,
        "seconds": samples / RATE_HZ,
        "kind": segment.kind,
    }


def _provenance(take: Take) -> dict[str, Any]:
    return take.as_json() | {
        "take_id": take.take_id,
        "source": "\n".join(take.sources),
        "speaker": take.group if take.content in ("speech", "words") else None,
        "split": take.part,
        "mixed_snr_db": take.snr_db,
    }


def _newest(found: Piece) -> tuple[str, tuple[str, ...]]:
    """The features that most segments have: a table cannot hold two versions."""
    counts = Counter(one["feature_version"] for one in found.segments)
    version = counts.most_common(1)[0][0] if counts else ""
    return version, found.features.get(version, ())


def _summary(
    planned: Planned, found: Piece, rows: list[dict[str, Any]], segments: list[dict[str, Any]]
) -> dict[str, Any]:
    cpu: Counter[str] = Counter()
    for done in found.marks:
        cpu.update(done.cpu_s)
    refused = [done for done in found.marks if done.error]
    return {
        "chasqui": __version__,
        "python": platform.python_version(),
        "metrics": VERSIONS,
        "takes": {"planned": len(planned.takes), "done": len(found.marks) - len(refused), "refused": len(refused)},
        "segments": {kind: sum(one["kind"] == kind for one in segments) for kind in ("speech", "music")},
        "unlabelled": found.unlabelled,
        "rows": len(rows),
        "audio_s": round(sum(done.audio_s for done in found.marks), 1),
        "cpu_s": {name: round(seconds, 1) for name, seconds in sorted(cpu.items())},
        "cpu_s_per_segment": round(sum(cpu.values()) / max(len(segments), 1), 3),
        "refused": [{"take": done.take_id, "error": done.error, "why": done.why} for done in refused],
        "skipped": [{"path": one.path, "error": one.error.code, "why": str(one.error)} for one in planned.skipped],
    }


def _json(path: Path, facts: dict[str, Any]) -> None:
    aside = path.with_suffix(".part")
    aside.write_text(json.dumps(facts, indent=1, ensure_ascii=False, default=str), encoding="utf-8")
    aside.replace(path)
