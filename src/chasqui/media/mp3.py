"""How long an MP3 file says it is. FFmpeg forgets that once the file is shorter than promised: just when we need it."""

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
