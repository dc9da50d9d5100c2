"""What travels between the stages: frozen, JSON-able, a few kB each, pointing to bytes instead of carrying them.

Units stand in the names (`duration_s`, `bitrate_bps`, `loudness_lufs`). Every decision carries its `why`.
Long lists (segments, choices, words) live in blobs; their line types are here too.
"""

from __future__ import annotations

from chasqui.records.base import (
    Blob,
    Failure,
    Kind,
    Record,
    TargetName,
)
from chasqui.records.data import (
    AudioTokens,
    Provenance,
    Row,
    Token,
    Tokens,
)
from chasqui.records.lines import (
    Choice,
    Forecast,
    Measured,
    Scores,
    Segment,
)
from chasqui.records.stages import (
    Analysis,
    Certificate,
    Chapter,
    Damage,
    Lesson,
    Master,
    Plan,
    Recording,
    Rendition,
    Renditions,
    Request,
    Stream,
    Treatment,
)
from chasqui.records.turns import (
    PhraseEnd,
    Turn,
    Turns,
)
from chasqui.records.words import (
    Given,
    Laid,
    Listened,
    LostWord,
    Reheard,
    Relistened,
    Tongue,
    Transcript,
    Word,
)

__all__ = [
    "Analysis",
    "AudioTokens",
    "Blob",
    "Certificate",
    "Chapter",
    "Choice",
    "Damage",
    "Failure",
    "Forecast",
    "Given",
    "Kind",
    "Laid",
    "Lesson",
    "Listened",
    "LostWord",
    "Master",
    "Measured",
    "PhraseEnd",
    "Plan",
    "Provenance",
    "Record",
    "Recording",
    "Reheard",
    "Relistened",
    "Rendition",
    "Renditions",
    "Request",
    "Row",
    "Scores",
    "Segment",
    "Stream",
    "TargetName",
    "Token",
    "Tokens",
    "Tongue",
    "Transcript",
    "Treatment",
    "Turn",
    "Turns",
    "Word",
]
