"""What data people take away: tokens of the words and of the sound, and the line of a dataset."""

from __future__ import annotations

from chasqui.records.base import Blob, Record


class AudioTokens(Record):
    """The sound as a sequence of symbols."""

    name: str  # of the codebook or codec, with its version
    blob: Blob  # .npy, unsigned integers [frames], [frames, levels], or of runs [runs, 2]: symbol, frames that it stays
    rate_hz: float  # frames per second; of runs how many there are per second
    levels: int  # symbols per frame
    vocabulary: int  # symbols that there are, per level
    count: int  # symbols in all
    used: int = 0  # different ones of the vocabulary that occur
    bits_per_s: float | None = None  # entropy of the symbols by how often each occurs; None: not told
    decodes: bool  # whether sound can be made of them again
    why: str


class Tokens(Record):
    """tokenize: the words as tokens, where there is a transcript, and the sound as units."""

    recording_id: str
    why: str
    plain: Blob | None = None  # the text that the offsets of the tokens count in
    text: Blob | None = None  # JSON Lines of Token
    tokenizer: str | None = None  # its name and version
    token_count: int = 0  # punctuation included
    stop_count: int = 0
    type_count: int = 0  # different normalised words
    pieces: Blob | None = None  # JSON: subword ids, where a subword tokenizer was asked for
    extras: Blob | None = None  # JSON: a key for each named extra: keywords, entities, sentiment
    audio: tuple[AudioTokens, ...] = ()
    voice: dict[str, float] = {}  # how it is spoken: speaking rate, pitch, pauses; units in the names


class Token(Record):
    """One token of the text, in order."""

    text: str  # as it is written
    norm: str  # as it is counted: case folded, composed, no stray marks
    start: int  # first character in the plain text
    end: int  # behind the last
    start_s: float | None  # of the word it belongs to
    end_s: float | None
    language: str | None
    stop: bool  # too common to say anything; False where the language has no list
    word: bool  # False: punctuation, a symbol
    lemma: str | None = None  # where lemmas were asked for and the language has a table


class Provenance(Record):
    """What stands beside a recording in the source of a dataset: its places there, and what people say of it.

    Handed in like the request, not made by a stage; kept under the name "provenance".
    """

    recording_id: str
    source: str  # s3://bucket/prefix, or the name of the folder
    names: tuple[str, ...]  # places below the source at which these very bytes lie, sorted; the first names the row
    etag: str | None = None  # of the object, where it came from a bucket
    proof: str | None = (
        None  # by what its bytes were found to be the object's: sha256, md5, parts, or no more than size
    )
    text: str | None = None  # what is said, from a .txt beside it or a column of the table beside the recordings
    facts: dict[str, str] = {}  # language, speaker, licence, consent, title, and every further column of that table


class Row(Record):
    """collect: what a dataset says about one recording. The line itself lies in the blob: it can be long."""

    recording_id: str
    line: Blob  # JSON, after the dataset's schema
    audio: Blob | None  # the sound that belongs to it
    schema_version: int
    present: tuple[str, ...]  # stages whose outcome is in it
    absent: dict[str, str] = {}  # and those that are not, with the reason
