"""encode: spend the bits. One gapless Opus stream from segments at their own rungs, and a small MP3 for players without
Opus.

Every segment is scored in the finished stream. One that misses its promise is stepped up before anything is published;
one that a cheaper rung will probably serve is stepped down. Where a recogniser listened to the master, it listens to a
part of the encoded voice too, and segments that lost words are raised.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from chasqui.asr import WIDEBAND_ONLY, Listening
from chasqui.events import Report
from chasqui.records import Analysis, Master, Plan, Recording, Renditions, Request, Transcript
from chasqui.store import Workspace


class Options(BaseModel):
    """What may be asked of the encodes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Of the speech whose promise does not need ViSQOL: measured all the same, so that the certificate can say how it
    # sounds. All of it would add a sixth to the time of encoding.
    visqol_share: float = Field(default=0.1, ge=0, le=1)
    mp3: bool = True  # the fallback costs three times the bytes, but old players open nothing else
    # Of the speech, for listening to it again: a third by lot, a third where the promise is kept narrowly, a third to
    # hear again what was raised. So the recogniser's work grows by a fifth to a third.
    words_share: float = Field(default=0.3, ge=0, le=10)
    words_least_s: float = Field(default=180.0, ge=0)  # a short lesson's speech is heard whole: 120 s of it
    # What a segment's lost words are held against: the noise floor of recognisers, or what is usual in this recording.
    # Some hear narrowband badly wherever they meet it; with those the floor raises all that they are asked about, and
    # doubles the bytes for a machine's sake. "auto": `usual` for those, `floor` for all others.
    words_against: Literal["auto", "floor", "usual"] = "auto"
    listening: Listening = Listening()  # as `transcribe` is told
    threads: int = Field(default=0, exclude=True)

    @property
    def against_usual(self) -> bool:
        """Whether lost words are held against what is usual in the recording."""
        kind = (self.listening.recogniser or "").partition(":")[0]
        return self.words_against == "usual" or (self.words_against == "auto" and kind in WIDEBAND_ONLY)


def run(
    request: Request,
    recording: Recording,
    master: Master,
    analysis: Analysis,
    plan: Plan,
    transcript: Transcript | None = None,
    *,
    options: Options,
    work: Workspace,
    report: Report,
) -> Renditions:
    """The Renditions of this master after this plan."""
    from chasqui.encode import audio

    return audio.make(request, recording, master, analysis, plan, transcript, options=options, work=work, report=report)
