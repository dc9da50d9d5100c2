"""analyze: a Master becomes an Analysis. Where speech, music and silence are, the segments, and their features.

`voice.py` says what each second holds, `segments.py` where to cut, `features.py` what is told about each segment.
One streaming pass; nothing here chooses settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from chasqui.records import Analysis, Master

if TYPE_CHECKING:
    from chasqui.events import Report
    from chasqui.store import Workspace


class Options(BaseModel):
    """Lengths and thresholds are tables beside their code, and changing them is a new stage version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threads: int = Field(default=0, exclude=True)  # blocks are measured ahead; the bytes are the same


def run(master: Master, *, options: Options, work: Workspace, report: Report) -> Analysis:
    """Segments and features of a master.

    Raises:
        OSError: the master cannot be read or the outcome cannot be written.
    """
    from threadpoolctl import threadpool_limits

    from chasqui.analyze import blocks, features, segments, stream, voice
    from chasqui.media.flac import read_master

    pieces = read_master(work.path(master.audio), master.gain_db, block=blocks.SAMPLES)
    # The matrices are small: a second BLAS thread costs more than it gives, and could change the last bit.
    with threadpool_limits(1, user_api="blas"):
        found = stream.analyze(
            pieces,
            master.loudness_lufs,
            lambda done_s: report.advanced(done_s, master.duration_s),
            options.threads or 1,
        )
    lines, table = work.folder / "segments.jsonl", work.folder / "features.npz"
    segments.save(lines, found.cuts)
    features.save(table, found.values, found.cuts, found.speech_probability, found.second_class)
    return Analysis(
        recording_id=master.recording_id,
        segments=work.keep(lines, "application/jsonl"),
        features=work.keep(table, "application/x-npz"),
        segment_count=len(found.cuts),
        packets=found.packets,
        speech_s=found.seconds(voice.SPEECH),
        music_s=found.seconds(voice.MUSIC),
        silence_s=found.seconds(voice.SILENCE),
        feature_version=features.FEATURE_VERSION,
    )
