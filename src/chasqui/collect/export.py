"""A dataset as others want it: manifests for Lhotse, shards for WebDataset, or another of our own formats.

The folder of an export is written aside and takes its place when it is whole. Failed rows are not exported to Lhotse
and WebDataset, which know recordings only; `parquet`, `sqlite`, `jsonl` and `hf` hold every row.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
import tempfile
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, get_args

from chasqui.collect.columns import COLUMNS
from chasqui.collect.folder import open_dataset
from chasqui.collect.index import Index, read_index
from chasqui.collect.schema import dump, write_line
from chasqui.collect.shards import Format, open_shards
from chasqui.errors import BadDataset
from chasqui.store.guard import disk

Form = Literal["lhotse", "webdataset", "hf", "parquet", "sqlite", "jsonl"]
FORMS: tuple[Form, ...] = get_args(Form)
#: Left in the folder of an export, so that the next one knows that it may be replaced.
MARK = "export.json"
#: Bytes of a tar shard: what WebDataset's authors advise, 100 MB to 1 GB.
TAR_BYTES = 500 << 20
#: Columns that are worth the way into Lhotse's `custom`.
CUSTOM = ("path", "status", "snr_db", "loudness_lufs", "speech_share", "licence", "consent", "transcription_from")


def export(folder: Path, to: Form, out: Path) -> Path:
    """Write the dataset in `folder` into `out` as somebody else's, or in another of our formats; gives `out`.

    Raises:
        BadDataset: there is no dataset here, one of its sounds is missing, or `out` holds something else.
        DiskFull, NotWritable: the disk says so; what was in `out` is still there.
    """
    index = read_index(folder)
    if index is None:
        raise BadDataset(path=str(folder), why="there is no dataset.json in it")
    if out.exists() and any(out.iterdir()) and not (out / MARK).exists():
        raise BadDataset(path=str(out), why="it holds something else; give a folder that is new or empty")
    aside = out.with_name(f".{out.name}.part")
    with disk(out):
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        try:
            with tempfile.TemporaryDirectory(dir=aside) as scratch:
                _write(folder, index, to, aside, Path(scratch))
            (aside / MARK).write_text(dump({"to": to, "digest": index.totals.digest}) + "\n", encoding="utf-8")
            shutil.rmtree(out, ignore_errors=True)
            aside.replace(out)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return out


def _write(folder: Path, index: Index, to: Form, out: Path, scratch: Path) -> None:
    rows = _rows(folder, index, scratch)
    if to == "lhotse":
        _lhotse(rows, out, copied=index.audio == "inside")
    elif to == "webdataset":
        _webdataset(rows, out)
    else:
        _again(rows, index, to, out, scratch)


def _rows(folder: Path, index: Index, scratch: Path) -> Iterator[tuple[dict[str, Any], Path | None]]:
    """Each row, and where its sound lies as a file: in scratch, where it lay in the table."""
    inside = index.audio == "inside"
    shards = open_shards(folder, index.format, inside)
    for shard in shards.names():
        sounds = shards.rows(["audio"], shard) if inside else iter(())
        for row in shards.rows(shard=shard):
            sound = None
            if row["audio_path"] is not None:
                sound = folder / row["audio_path"]
                if inside:
                    sound = scratch / Path(row["audio_path"]).name
                    sound.write_bytes((next(sounds)["audio"] or {}).get("bytes") or b"")
                elif not sound.is_file():
                    raise BadDataset(path=str(folder), why=f"the sound {row['audio_path']} is missing")
            elif inside:
                next(sounds)
            yield row, sound


def _again(
    rows: Iterator[tuple[dict[str, Any], Path | None]], index: Index, to: Form, out: Path, scratch: Path
) -> None:
    kind: Format = "parquet" if to == "hf" else to  # type: ignore[assignment]  # what is left of Form
    with open_dataset(out / "d", kind, audio="inside" if to == "hf" else "beside", title=index.title) as data:
        data.index = data.index.model_copy(update={"settings": index.settings})
        for row, sound in rows:
            data.add_line(write_line(row, COLUMNS), sound, row["settings"])
    shutil.rmtree(out / "d" / ".work", ignore_errors=True)
    for path in (out / "d").iterdir():
        path.replace(out / path.name)
    (out / "d").rmdir()


def _lhotse(rows: Iterator[tuple[dict[str, Any], Path | None]], out: Path, copied: bool) -> None:
    """`recordings.jsonl.gz`, `supervisions.jsonl.gz`; the sound stays beside the dataset, or comes here from inside it.

    `RecordingSet.from_file(…).with_path_prefix(DIR)` says where that is.
    """
    with ExitStack() as stack:
        recordings, supervisions = (
            stack.enter_context(_gzipped(out / f"{name}.jsonl.gz")) for name in ("recordings", "supervisions")
        )
        for row, sound in rows:
            if sound is None or row["status"] == "failed":
                continue
            if copied:
                (out / "audio").mkdir(exist_ok=True)
                sound.replace(out / "audio" / sound.name)
            recordings.write(dump(_recording(row)).encode() + b"\n")
            for supervision in _supervisions(row):
                supervisions.write(dump(supervision).encode() + b"\n")


def _recording(row: dict[str, Any]) -> dict[str, Any]:
    rate_hz, samples = row["audio_rate_hz"], _samples(row)
    return {
        "id": row["id"],
        "sources": [{"type": "file", "channels": [0], "source": row["audio_path"]}],
        "sampling_rate": rate_hz,
        "num_samples": samples,
        "duration": samples / rate_hz,
        "channel_ids": [0],
    }


def _supervisions(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One for the whole recording where one speaks, else one per turn. Numbers become speakers of this recording alone.

    A text without times cannot be cut to turns: where people gave one, it stays whole, and the turns go without.
    """
    whole_s, turns = _samples(row) / row["audio_rate_hz"], row["turns"]
    if len({turn["speaker"] for turn in turns}) < 2:
        (speaker,) = row["speakers"] if len(row["speakers"]) == 1 else (None,)
        if speaker is not None and row["speakers_from"] == "voices":
            speaker = f"{row['id']}-{speaker}"
        yield _supervision(row, 0, 0.0, whole_s, row["transcription"], speaker, row["words"])
        return
    untimed = row["transcription_from"] == "given" and (row["recognised"] is not None or not row["words"])
    if untimed:
        yield _supervision(row, 0, 0.0, whole_s, row["transcription"], None, row["words"])
    for number, (turn, words) in enumerate(zip(turns, by_turn(row["words"], turns), strict=True), 1):
        text = None if untimed else " ".join(word["text"].strip() for word in words) or None
        end_s = min(turn["end_s"], whole_s)
        if end_s > turn["start_s"]:
            speaker = f"{row['id']}-{turn['speaker']}"
            yield _supervision(row, number, turn["start_s"], end_s, text, speaker, [] if untimed else words)


def by_turn(words: list[dict[str, Any]], turns: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The words of each turn: every word goes to the turn of its speaker, else of anybody, that is nearest to it."""
    said: list[list[dict[str, Any]]] = [[] for _ in turns]
    pools: dict[str | None, list[int]] = {None: list(range(len(turns)))}
    for number, turn in enumerate(turns):
        pools.setdefault(turn["speaker"], []).append(number)
    starts = {speaker: [turns[number]["start_s"] for number in pool] for speaker, pool in pools.items()}
    for word in words:
        speaker = word["speaker"] if word["speaker"] in pools else None
        at = bisect_right(starts[speaker], word["start_s"])
        near = pools[speaker][max(at - 1, 0) : at + 2]
        said[max(near, key=lambda number: _shared_s(word, turns[number]))].append(word)
    return said


def _shared_s(word: dict[str, Any], turn: dict[str, Any]) -> float:
    """Seconds that both hold; negative: that lie between them."""
    return float(min(word["end_s"], turn["end_s"]) - max(word["start_s"], turn["start_s"]))


def _supervision(
    row: dict[str, Any],
    number: int,
    start_s: float,
    end_s: float,
    text: str | None,
    speaker: str | None,
    words: list[dict[str, Any]],
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": f"{row['id']}-{number}",
        "recording_id": row["id"],
        "start": start_s,
        "duration": end_s if not start_s else round(end_s - start_s, 6),
        "channel": 0,
        "text": text,
        "language": row["language"],
        "speaker": speaker,
        "custom": {name: row[name] for name in CUSTOM if row[name] is not None},
    }
    if words:
        told["alignment"] = {
            "word": [[w["text"], w["start_s"], round(w["end_s"] - w["start_s"], 3), w["probability"]] for w in words]
        }
    return {name: value for name, value in told.items() if value is not None}


def _samples(row: dict[str, Any]) -> int:
    """Samples of the sound: the master's 48 kHz at another rate, the last one begun counted (see audio.render)."""
    return int(-(-round(row["duration_s"] * 48_000) * row["audio_rate_hz"] // 48_000))


def _webdataset(rows: Iterator[tuple[dict[str, Any], Path | None]], out: Path) -> None:
    """`shard-000000.tar` …: of each recording the sound, the row as .json, what is said as .txt."""
    shard: tarfile.TarFile | None = None
    number = written = 0
    try:
        for row, sound in rows:
            if sound is None or row["status"] == "failed":
                continue
            if shard is None or written >= TAR_BYTES:
                if shard:
                    shard.close()
                shard = tarfile.open(out / f"shard-{number:06d}.tar", "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
                number, written = number + 1, 0
            parts = {sound.suffix: sound.read_bytes(), ".json": json.dumps(row, ensure_ascii=False).encode()}
            if row["transcription"] is not None:
                parts[".txt"] = row["transcription"].encode()
            for suffix, data in parts.items():
                told = tarfile.TarInfo(row["id"] + suffix)  # its time is 1970: the same rows, the same bytes
                told.size = len(data)
                shard.addfile(told, io.BytesIO(data))
                written += len(data)
    finally:
        if shard:
            shard.close()


def _gzipped(path: Path) -> gzip.GzipFile:
    return gzip.GzipFile(filename=path, mode="wb", mtime=0)
