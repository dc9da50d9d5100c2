"""Trial encodes of one segment, each made and scored once: what was measured is remembered in the store."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path

from chasqui.choose.opus import Trial
from chasqui.codecs.opus import LADDER_VERSION, Rung
from chasqui.media import segment as sound
from chasqui.metrics.judge import VERSIONS, Judge
from chasqui.records import Master, Scores, Segment
from chasqui.store import Workspace


@dataclass
class Counts:
    """How much work was done, over all threads."""

    encodes: int = 0
    remembered: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *, encodes: int = 0, remembered: int = 0) -> None:
        with self.lock:
            self.encodes += encodes
            self.remembered += remembered


class Bench:
    """Encodes and scores one segment at any rung. The sound is read when the first trial is not remembered."""

    def __init__(self, path: Path, master: Master, segment: Segment, work: Workspace, counts: Counts) -> None:
        self._path, self._master, self._segment = path, master, segment
        self._work, self._counts = work, counts
        self._span: sound.Span | None = None
        self._judge: Judge | None = None

    def attempt(self, rung: Rung, quality: bool) -> Trial:
        """The trial at a rung, with ViSQOL if `quality`."""
        if (known := self.known(rung, quality)) is not None:
            self._counts.add(remembered=1)
            return known
        span, judge = self._ready()
        before, packets = sound.encode(span, rung, sound.packets_of(self._master, self._segment))
        heard = sound.decode(before, packets, len(span.reference))
        trial = Trial(sound.payload(packets), judge.scores(heard, quality=quality), quality)
        self._counts.add(encodes=1)
        self._work.remember(self._key(rung, quality), _pack(trial))
        return trial

    def known(self, rung: Rung, quality: bool) -> Trial | None:
        """The trial at a rung if it was made before, by whomever."""
        known = self._work.recall(self._key(rung, quality))
        return None if known is None else _unpack(known, quality)

    def _ready(self) -> tuple[sound.Span, Judge]:
        if self._span is None or self._judge is None:
            self._span = sound.read(self._path, self._master, self._segment)
            self._judge = Judge(self._segment.kind, self._span.reference)
        return self._span, self._judge

    def _key(self, rung: Rung, quality: bool) -> str:
        s = self._segment
        what = f"{self._master.audio.sha256[:16]}:{self._master.gain_db}:{s.start_packet}+{s.packets}:{s.kind}"
        return f"trial:{what}:{LADDER_VERSION}:{rung.name}:{VERSIONS['estoi']}:{VERSIONS['visqol'] if quality else '-'}"


def _pack(trial: Trial) -> bytes:
    return json.dumps([trial.bytes, trial.scores.estoi, trial.scores.visqol]).encode()


def _unpack(data: bytes, quality: bool) -> Trial:
    size, estoi, visqol = json.loads(data)
    skipped = not quality and estoi is not None
    return Trial(size, Scores(estoi=estoi, visqol=visqol, visqol_skipped=skipped), quality)
