"""Lines inside blobs: segments, choices, scores."""

from __future__ import annotations

from chasqui.records.base import Kind, Record, TargetName


class Scores(Record):
    """What was measured on one segment at one rung. Metrics that do not apply to its kind are None."""

    estoi: float | None = None
    visqol: float | None = None  # speech mode for speech, audio mode for music
    visqol_skipped: bool = False  # nobody asked for it: says nothing, neither that it is kept nor that it is missed


class Segment(Record):
    """A stretch of 4–15 s cut at a pause; packets count on the 60 ms grid."""

    index: int
    start_packet: int
    packets: int
    kind: Kind
    speech_share: float  # 0–1, of its seconds

    @property
    def end_packet(self) -> int:
        return self.start_packet + self.packets


class Forecast(Record):
    """What a model foretells of one segment at each rung of its ladder, cheap to dear. A metric it does not judge is
    None.
    """

    model: str  # name, version and the first digits of its hash
    estoi: tuple[float, ...] | None
    estoi_low: tuple[float, ...] | None  # reached with nine chances in ten
    visqol: tuple[float, ...]
    visqol_low: tuple[float, ...]
    bytes: tuple[int, ...]  # payload
    chance: tuple[float, ...]  # of keeping the plan's target, 0–1
    difficulty: float  # how far off the model may be here; 1 is usual


class Choice(Record):
    """The rung of one segment, what it is expected to score, and why."""

    segment: int
    rung: str
    expected: Scores
    measured: bool  # expected comes from an encode of this very segment at this rung
    doubtful: bool
    reachable: bool  # False: no rung reaches the promise here
    bytes: int  # expected payload
    why: str
    forecast: Forecast | None = None  # where the rung was predicted, not searched


class Measured(Record):
    """What the encoded segment scored in the finished stream."""

    segment: int
    start_s: float
    end_s: float
    kind: Kind
    rung: str
    bytes: int
    scores: Scores
    kept: TargetName | None
    reachable: bool
    stepped_up: int  # rungs above the plan
    stepped_down: int = 0  # rungs below it
    encodes: int = 1  # rungs encoded until this one was taken
