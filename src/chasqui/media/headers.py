"""How long MP3 and WAV files say they are. FFmpeg corrects that once the file is shorter: just when we need to know."""

from __future__ import annotations

from pathlib import Path

#: Sample rates by (version bits, rate index); ISO/IEC 11172-3 table 2.4.2.3 and its MPEG-2 and 2.5 halves.
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_SYNC_WITHIN = 4096  # bytes after the tag in which the first frame begins, in any sane file


def xing_seconds(path: Path) -> float | None:
    """Seconds from the Xing or Info header of the first frame (its count of frames), or None if there is none."""
    with path.open("rb") as file:
        head = file.read(10)
        start = 0
        if head[:3] == b"ID3" and len(head) == 10:
            start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        file.seek(start)
        data = file.read(_SYNC_WITHIN)
    at = next((at for tag in (b"Xing", b"Info") if (at := data.find(tag)) > 0), None)
    sync = next((i for i in range(len(data) - 3) if data[i] == 0xFF and data[i + 1] & 0xE6 == 0xE2), None)
    if at is None or sync is None or not sync < at <= sync + 40 or len(data) < at + 12:
        return None
    version, rate_index = data[sync + 1] >> 3 & 3, data[sync + 2] >> 2 & 3
    if version not in _RATES or rate_index == 3 or not data[at + 7] & 1:
        return None
    frames = int.from_bytes(data[at + 8 : at + 12], "big")
    return frames * (1152 if version == 3 else 576) / _RATES[version][rate_index]


#: WAVE format tags whose bytes per second are exact: PCM, float, and "extensible", which is one of them in practice.
_PCM = (1, 3, 0xFFFE)
#: Data sizes that recorders write when they do not know yet: 0, and 2 GiB or 4 GiB less a header.
_UNKNOWN = 0x7FFF_0000
_MOST_CHUNKS = 64


def wav_seconds(path: Path) -> float | None:
    """Seconds from the size of the `data` chunk of a RIFF WAVE file, or None if it says nothing exact."""
    with path.open("rb") as file:
        if file.read(4) != b"RIFF" or file.read(8)[4:] != b"WAVE":
            return None
        per_second = 0
        for _ in range(_MOST_CHUNKS):
            kind, size = file.read(4), int.from_bytes(file.read(4), "little")
            if kind == b"data":
                return size / per_second if per_second and 0 < size < _UNKNOWN else None
            body = file.read(16) if kind == b"fmt " and size >= 16 else b""
            if body and int.from_bytes(body[:2], "little") in _PCM:
                per_second = int.from_bytes(body[8:12], "little")
            file.seek(size + (size & 1) - len(body), 1)
    return None
