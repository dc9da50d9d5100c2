"""Somebody drops a folder of awkward files on us: every one is packed or refused with a reason, soon.

The files come from the test suites of other players. The work is done in processes of its own, so that a crash inside
FFmpeg shows as a missing answer instead of taking the tests along.
"""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from chasqui import ingest
from chasqui.config import Config
from chasqui.errors import ChasquiError, Rejected
from chasqui.pipeline import stages_for
from chasqui.records import Lesson, Recording
from chasqui.run import run_stage
from chasqui.store import open_store

#: Seconds that one file may take, from the issue.
PROMISED_S = 20.0


class Answer(NamedTuple):
    file: str
    seconds: float
    code: str  # "" when it was packed
    message: str
    duration_s: float
    damaged: bool


def _answer(path: Path) -> Answer:
    started = time.monotonic()
    code, message, duration_s, damaged = "", "", 0.0, False
    try:
        store = open_store("memory:")
        recording_id = ingest.accept(path, store).recording_id
        for stage in stages_for("publish"):
            record = run_stage(stage.name, recording_id, store, Config(threads=1))
            if isinstance(record, Recording):
                duration_s, damaged = record.duration_s, record.damage is not None
        assert isinstance(record, Lesson), "the last stage gives the lesson"
    except ChasquiError as error:
        assert isinstance(error, Rejected), error
        code, message = error.code, str(error)
    return Answer(path.name, time.monotonic() - started, code, message, duration_s, damaged)


@pytest.fixture(scope="module")
def answers(media: Path) -> dict[str, Answer]:
    files = [path for path, _ in ingest.find([media / "awkward"])]
    assert len(files) > 300
    context = multiprocessing.get_context("spawn")  # FFmpeg's threads do not survive a fork
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        found = list(pool.map(_answer, files, timeout=PROMISED_S * 12, chunksize=20))
    assert len(found) == len(files)
    return {f"{path.parent.name}/{path.name}": answer for path, answer in zip(files, found, strict=True)}


def test_every_file_gets_an_answer_in_time(answers: dict[str, Answer]) -> None:
    late = [answer for answer in answers.values() if answer.seconds > PROMISED_S]
    assert not late
    silent = [answer for answer in answers.values() if answer.code and answer.file not in answer.message]
    assert not silent


def test_nothing_is_refused_without_a_word_of_why(answers: dict[str, Answer]) -> None:
    assert not [
        answer for answer in answers.values() if answer.code and ("?" in answer.message or "()" in answer.message)
    ]


EXPECTED = {
    "beets/archive.7z": "NotMedia",
    "beets/image-2x3.png": "NotMedia",
    "beets/sample.txt": "NotMedia",
    "beets/playlist.m3u8": "IsReference",
    "beets/playlist_non_ext.m3u": "IsReference",
    "beets/no_ext_not_music": "EmptyFile",
    "beets/pure.wma": "Damaged",
    "beets/full.flac": "OnlySilence",
    "beets/full.dsf": "TooShort",
    "beets/whitenoise.opus": "",
    "beets/emptylist.mp3": "",
    "exoplayer/Twinkle.mid": "NotMedia",
    "exoplayer/typical_utf16le": "NotMedia",
    "exoplayer/sample_still_photo.heic": "NotMedia",
    "exoplayer/media_playlist": "IsReference",
    "exoplayer/sample.mpd": "IsReference",
    "exoplayer/sample_ismc_1": "IsReference",
    "exoplayer/bear-vp9.webm": "NoAudio",
    "exoplayer/invalid_ogg_header": "Damaged",
    "exoplayer/sample_fragmented_clearkey.mp4": "Rejected",
    "exoplayer/sample_ac4.mp4": "Rejected",
    "exoplayer/bear_vorbis_gap.ogg": "",
    "exoplayer/sample_nb.amr": "",
    "exoplayer/sample_eac3joc.mp4": "",
    "exoplayer/sample_fragmented.mp4": "",
    "pydub/wrong_extension.aac": "",
    "ffmpeg-normalize/test.mp4": "",
}


@pytest.mark.parametrize("file", EXPECTED)
def test_known_files_get_the_right_answer(answers: dict[str, Answer], file: str) -> None:
    assert answers[file].code == EXPECTED[file], answers[file]


def test_no_playlist_or_manifest_comes_in(answers: dict[str, Answer]) -> None:
    pointing = [
        name for name in answers if any(part in name for part in ("m3u", "mpd", "playlist", "live_low", "ismc"))
    ]
    assert len(pointing) > 35
    assert {answers[name].code for name in pointing} == {"IsReference"}


def test_counted_and_not_believed(answers: dict[str, Answer]) -> None:
    assert answers["exoplayer/sample_fragmented.mp4"].duration_s == pytest.approx(1.07, abs=0.01)  # claims 39 hours
    lost = answers["beets/emptylist.mp3"]
    assert lost.damaged
    assert lost.duration_s == pytest.approx(1.12, abs=0.1)  # claims 3:37


def test_damage_is_marked_and_health_is_not(answers: dict[str, Answer]) -> None:
    assert answers["detectdamagedaudio/frogs-01-byte-missing-at-offset-651202.flac"].damaged
    assert answers["detectdamagedaudio/frogs-01-last-1000-bytes-missing.flac"].damaged
    assert not answers["detectdamagedaudio/frogs-01.flac"].damaged
    assert sum(answer.damaged for answer in answers.values()) < 10
