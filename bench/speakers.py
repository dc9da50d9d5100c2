"""Who speaks when: diarization error, overlap and speed on meetings whose turns are known.

    python bench/speakers.py [--media DIR] [--clips DIR] [--count 20] [--json FILE]

Meetings are made of LibriSpeech speakers on whom nothing was tuned or fitted (`bench/meetings.py`), and recorded: the
clips of AMI in the media folder, and those of another folder with WAV and RTTM files. Each goes through ingest, clean,
analyze and diarize as a lesson would. Beside ours stand: one speaker (the same speech, all of one voice), ours told how
many there are, and statistics of MFCC in the place of voiceprints, told how many there are. No collar, overlaps count.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from bench import meetings
from bench.meetings import Meeting
from bench.table import MEDIA, Row, circumstances, markdown
from chasqui.config import load
from chasqui.diarize import turns as stage
from chasqui.diarize import windows
from chasqui.diarize.clusters import unit
from chasqui.diarize.speech import regions
from chasqui.features import cepstrum, mel
from chasqui.ingest import accept
from chasqui.media.flac import read_master
from chasqui.metrics.der import Errors, errors
from chasqui.metrics.threads import one_blas_thread
from chasqui.models import voiceprint
from chasqui.records import Analysis, Master
from chasqui.run import run_stage
from chasqui.store import open_store

RATE_HZ = 48_000
SYSTEMS = ("one speaker", "MFCC, told how many", "ours", "ours, told how many")
Spoken = list[tuple[float, float, str]]


class Heard(NamedTuple):
    """A meeting after analyze and after its voices were listened to."""

    meeting: Meeting
    spoken: list[tuple[float, float]]
    voices: windows.Voices
    mfcc: windows.Voices
    took_s: float  # processor time of the voices and the turns


def heard(meeting: Meeting, folder: Path, store: Any, config: Any) -> Heard:
    """Through the stages before, then the voices, twice."""
    recording_id = accept(_written(meeting, folder), store, folder="").recording_id
    for name in ("ingest", "clean", "analyze"):
        run_stage(name, recording_id, store, config)
    master, analysis = store.get(recording_id, "clean", Master), store.get(recording_id, "analyze", Analysis)
    with np.load(store.path(analysis.features)) as file:
        spoken = regions(file["speech_probability"], file["second_class"])
    gain = 10 ** ((windows.LEVEL_DBFS - (master.loudness_lufs or -60)) / 20)

    def listen(name: str) -> windows.Voices:
        (folder / name).mkdir(exist_ok=True)
        blocks = read_master(store.path(master.audio), master.gain_db, block=windows.BLOCK_S * RATE_HZ)
        found = windows.listen(blocks, spoken, gain, folder / name)
        return found._replace(prints=np.array(found.prints), overlap=np.array(found.overlap))

    start = time.process_time()
    voices = listen("ours")
    if spoken:
        stage._found(spoken, voices, None)
    took_s = time.process_time() - start
    ours, voiceprint.voiceprints = voiceprint.voiceprints, _mfcc  # type: ignore[assignment]
    try:
        mfcc = listen("mfcc")
    finally:
        voiceprint.voiceprints = ours
    prints = mfcc.prints.astype(np.float32)
    if spoken:
        prints = unit((prints - prints.mean(axis=0)) / (prints.std(axis=0) + 1e-6))
    return Heard(meeting, spoken, voices, mfcc._replace(prints=prints.astype(np.float16)), took_s)


def _mfcc(mels: Any) -> voiceprint.Heard:
    """Mean and deviation of 20 MFCC per window, and no idea of overlap."""
    found = cepstrum.mfcc(mel.natural(mels, 1e-6), 20)
    numbers = np.concatenate([found.mean(axis=1), found.std(axis=1)], axis=1)
    prints = np.pad(numbers, ((0, 0), (0, voiceprint.SIZE - numbers.shape[1])))
    return voiceprint.Heard(prints, np.full((len(mels), voiceprint.MOMENTS), -9, np.float32))


def turns(of: Heard, system: str) -> Spoken:
    """What a system makes of a meeting."""
    if system == "one speaker" or not of.spoken:
        return [(start, end, "1") for start, end in of.spoken]
    voices = of.mfcc if system.startswith("MFCC") else of.voices
    found = stage._found(of.spoken, voices, of.meeting.speakers if "told" in system else None)
    return [(turn.start_s, turn.end_s, turn.speaker) for turn in found]


def table(name: str, all_heard: list[Heard]) -> Iterator[Row]:
    """A row for each system, over all meetings of a kind together."""
    for system in SYSTEMS:
        total, forgiving, right = Errors(0, 0, 0, 0), Errors(0, 0, 0, 0), 0
        for one in all_heard:
            found, end_s = turns(one, system), len(one.meeting.sound) / RATE_HZ
            total += errors(one.meeting.turns, found, until_s=end_s)
            forgiving += errors(one.meeting.turns, found, until_s=end_s, collar_s=0.25, skip_overlap=True)
            right += len({speaker for *_, speaker in found}) == one.meeting.speakers
        yield {
            "meetings": name,
            "system": system,
            "der": round(total.rate, 3),
            "missed": round(total.missed_s / total.speech_s, 3),
            "false": round(total.false_s / total.speech_s, 3),
            "confused": round(total.confused_s / total.speech_s, 3),
            "der_collar_025_no_overlap": round(forgiving.rate, 3),
            "count_right": f"{right}/{len(all_heard)}",
            "speech_s": round(total.speech_s),
        }


def overlap(name: str, all_heard: list[Heard]) -> Row:
    """Hundredths of a second in which two are said to speak, against those in which they do."""
    hit = said = true = speech = 0
    for one in all_heard:
        end_s = len(one.meeting.sound) / RATE_HZ
        known, found = (_counted(of, end_s) for of in (one.meeting.turns, turns(one, "ours")))
        hit += int(np.sum((known > 1) & (found > 1)))
        said, true = said + int(np.sum(found > 1)), true + int(np.sum(known > 1))
        speech += int(np.sum(known > 0))
    return {
        "meetings": name,
        "overlap_share": round(true / max(speech, 1), 3),
        "precision": round(hit / said, 2) if said else None,
        "recall": round(hit / true, 2) if true else None,
        "said_s": said / 100,
        "true_s": true / 100,
    }


def _counted(of: Spoken, end_s: float) -> Any:
    counts = np.zeros(round(end_s * 100), int)
    for speaker in {name for *_, name in of}:
        mine = np.zeros(len(counts), bool)
        for start, end, name in of:
            mine[round(start * 100) : round(end * 100)] |= name == speaker
        counts += mine
    return counts


def _written(meeting: Meeting, folder: Path) -> Path:
    path = folder / f"{meeting.name}.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes((np.clip(meeting.sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def measure(media: Path, clips: Path | None, count: int, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Everything, over all kinds of meetings."""
    kinds: dict[str, list[Heard]] = {}
    recorded = chain(meetings.recorded(media / "speech/pyannote-audio"), meetings.recorded(clips) if clips else ())
    wanted: dict[str, Meeting] = {meeting.name: meeting for meeting in recorded}
    with tempfile.TemporaryDirectory() as folder, one_blas_thread():
        store, config = open_store(f"file:{folder}/store"), load(threads=1)
        for meeting in chain(meetings.made(media, meetings.HELD_OUT, count, seed=2), wanted.values()):
            made = meeting.name.startswith("made")
            kind = f"made of {meeting.speakers} speakers" if made else _split(meeting.name)
            one = heard(meeting, Path(folder), store, config)
            kinds.setdefault(kind, []).append(one)
            say(f"{meeting.name}: {len(meeting.sound) / RATE_HZ:.0f} s")
    made_all = [one for kind, found in kinds.items() if kind.startswith("made") for one in found]
    groups = {**kinds, "made, all": made_all}
    seconds = sum(len(one.meeting.sound) / RATE_HZ for one in made_all)
    return {
        "errors": [row for kind in sorted(groups) for row in table(kind, groups[kind])],
        "overlap": [overlap(kind, groups[kind]) for kind in sorted(groups)],
        "times_real_time": round(seconds / sum(one.took_s for one in made_all), 1),
        "circumstances": circumstances(),
    }


def _split(name: str) -> str:
    """trn04 to trn09 were looked at while thresholds were set."""
    return (
        "AMI, tuned on" if name in {f"trn{number:02d}" for number in range(4, 10)} else "AMI and others, not tuned on"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--media", type=Path, default=MEDIA)
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = measure(asked.media, asked.clips, asked.count, lambda line: print(line, file=sys.stderr))
    for part in ("errors", "overlap"):
        rows = found[part]
        print(markdown(list(rows[0]), [list(row.values()) for row in rows]), "\n")
    print(f"voices and turns: {found['times_real_time']} x real time (processor time, one thread)")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
