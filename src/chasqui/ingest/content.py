"""What the first bytes of a file say it is. Names are never asked. FFmpeg is asked only about what passes here.

Text is caught before FFmpeg sees it: FFmpeg takes HTML for terminal art, subtitles for media, and playlists for orders.
"""

from __future__ import annotations

import codecs
import re
from typing import Literal, NamedTuple

#: Bytes to look at: manifests may begin with long comments.
HEAD_BYTES = 1 << 16

QUICKTIME = "MP4 or QuickTime"


class Content(NamedTuple):
    """The verdict: sound or video by its signature, a reference, something else, or nothing that we know."""

    verdict: Literal["media", "reference", "other", "unknown"]
    what: str


def content_of(head: bytes) -> Content:
    """What a file with these first bytes (up to HEAD_BYTES) is."""
    for name, pattern in _OTHER:
        if pattern.match(head):
            return Content("other", name)
    text = as_text(head)
    if text is not None and not head.startswith(b"NIST_1A"):  # NIST SPHERE: speech with a header in text
        return _of_text(text)
    media = next((name for name, pattern in _MEDIA if pattern.match(head)), "")
    return Content("media", media) if media else Content("unknown", "no known kind of file")


def as_text(head: bytes) -> str | None:
    """The bytes as text, if they are: UTF-8, UTF-16 with a mark, or an 8-bit alphabet without control characters."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = head[: len(head) & ~1].decode("utf-16", "replace")
        return None if _CONTROL.search(text) else text
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)  # the end may cut a character
    except UnicodeDecodeError:
        text = head.decode("latin-1")
        if any("\x7f" <= letter < "\xa0" for letter in text[:4096]):  # Latin-1 has no letters there; sound does
            return None
    return None if _CONTROL.search(text) else text


_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")

#: What points elsewhere, by the beginning of its text. The names are shown to the user.
_REFERENCES = (
    ("HLS or M3U playlist", r"#EXTM3U|#EXTINF|#EXT-X-"),
    ("PLS playlist", r"\[playlist\]"),
    ("FFmpeg concat list", r"ffconcat\s|(?:#.*\s+)*file\s+\S"),
    ("cue sheet", r"(?s)(?:(?:REM|PERFORMER|TITLE|CATALOG|CDTEXTFILE|SONGWRITER)\b[^\n]*\n\s*)*FILE\s+.+?\bTRACK\b"),
    ("SDP description of a stream", r"v=0\s+o="),
    ("link to a web address", r"(?s)\[InternetShortcut\]|\[Desktop Entry\].*\bURL="),
    ("Windows Media reference", r"\[Reference\]|\[Address\]"),
    ("RealMedia metafile", r"(?:rtsp|pnm|mms[ht]?|rtmp)://"),
)
_REFERENCE_TAGS = {
    "mpd": "DASH manifest",
    "smoothstreamingmedia": "Smooth Streaming manifest",
    "asx": "ASX playlist",
    "smil": "SMIL presentation",
    "playlist": "XSPF playlist",
    "winamplaylist": "playlist",
    "rss": "podcast feed",
    "feed": "feed",
    "opml": "list of feeds",
    "plist": "property list",
    "manifest": "media manifest",
}
_NAMES_A_PLACE = re.compile(
    r"(?i)^(?:file|https?|ftp|rtsp|rtmp|mms|data|concat|crypto|subfile|hls|tcp|udp|rtp|pipe):\S"
    r"|\.(?:mp3|m4a|m4b|mp4|aac|wav|flac|og[gav]|opus|wma|wmv|amr|web[am]|mk[va]|mov|avi|ts|aiff?|m3u8?|mpd)(?:\?\S*)?$"
)
_COMMENTS = re.compile(r"\A(?:\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>]*>)*", re.DOTALL | re.IGNORECASE)


def _of_text(text: str) -> Content:
    start = text.lstrip("\ufeff \t\r\n")
    for name, pattern in _REFERENCES:
        if re.match(pattern, start, re.IGNORECASE):
            return Content("reference", name)
    if start.startswith("<"):
        return _of_markup(start)
    lines = [line.strip() for line in start.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if lines and all(_NAMES_A_PLACE.search(line) for line in lines[:50]):
        return Content("reference", "list of files or addresses")
    if "-->" in start[:4096] or start.startswith(("WEBVTT", "[Script Info]")):
        return Content("other", "subtitles")
    return Content("other", "JSON" if start.startswith(("{", "[")) else "text")


def _of_markup(start: str) -> Content:
    rest = start[len((_COMMENTS.match(start) or [""])[0]) :]
    tag = re.match(r"<(?:\w+:)?(\w+)", rest)
    name = tag[1].lower() if tag else ""
    if name in _REFERENCE_TAGS:
        return Content("reference", _REFERENCE_TAGS[name])
    return Content("other", "a web page" if name in ("html", "head", "body") else "XML or HTML text")


def _bytes(*table: tuple[str, bytes]) -> tuple[tuple[str, re.Pattern[bytes]], ...]:
    return tuple((name, re.compile(pattern, re.DOTALL)) for name, pattern in table)


#: Signatures of what is not a recording, whatever FFmpeg could make of it.
_OTHER = _bytes(
    ("a PNG picture", rb"\x89PNG\r\n"),
    ("a JPEG picture", rb"\xff\xd8\xff"),
    ("a GIF picture", rb"GIF8[79]a"),
    ("a WebP picture", rb"RIFF....WEBP"),
    ("a TIFF picture", rb"II\*\x00|MM\x00\*"),
    ("a BMP picture", rb"BM....\x00\x00\x00\x00"),
    ("a HEIF or AVIF picture", rb"....ftyp(?:hei[cfmsx]|hev[cmsx]|mif1|msf1|avi[fs])"),
    ("a JPEG XL or JPEG 2000 picture", rb"\x00\x00\x00\x0c(?:JXL |jP  )\r\n"),
    ("a PDF document", rb"%PDF-"),
    ("a ZIP archive or Office document", rb"PK(?:\x03\x04|\x05\x06|\x07\x08)"),
    ("a RAR archive", rb"Rar!\x1a\x07"),
    ("a 7-Zip archive", rb"7z\xbc\xaf\x27\x1c"),
    ("a gzip archive", rb"\x1f\x8b\x08"),
    ("a bzip2 archive", rb"BZh[1-9]1AY"),
    ("an xz archive", rb"\xfd7zXZ\x00"),
    ("a Zstandard archive", rb"\x28\xb5\x2f\xfd"),
    ("a tar archive", rb".{257}ustar"),
    ("an old Office document", rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    ("a program", rb"\x7fELF|MZ.{56,58}[\x40-\xff]\x00\x00\x00|\xca\xfe\xba\xbe"),
    ("a database", rb"SQLite format 3\x00"),
    ("MIDI notes, not sound", rb"MThd\x00\x00\x00\x06|RIFF....RMID"),
    ("tracker music, not sound", rb"Extended Module: |IMPM|.{1080}(?:M\.K\.|M!K!|FLT4|4CHN|6CHN|8CHN)"),
)

#: Signatures of sound and video: if FFmpeg fails on these, the file is damaged rather than something else.
_MEDIA = _bytes(
    ("WAV", rb"(?:RIFF|RF64|RIFX|BW64)....WAVE|riff\x2e\x91\xcf\x11"),
    ("AVI", rb"RIFF....AVI "),
    (QUICKTIME, rb"....(?:ftyp|moov|mdat|moof|styp|sidx|free|skip|wide|pnot)"),
    ("Matroska or WebM", rb"\x1a\x45\xdf\xa3"),
    ("Ogg", rb"OggS"),
    ("FLAC", rb"fLaC"),
    ("MP3 with tags", rb"ID3[\x02-\x04]"),
    ("MP3", rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xfd][^\xf0-\xff]"),
    ("AAC", rb"\xff[\xf0\xf1\xf8\xf9]|ADIF|\x56[\xe0-\xff]"),
    ("Windows Media", rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
    ("AMR", rb"#!AMR"),
    ("AIFF", rb"FORM....AIF[FC]"),
    ("IFF", rb"FORM....(?:8SVX|16SV|MAUD)|FRM8....."),
    ("AU", rb"\.snd"),
    ("CAF", rb"caff\x00\x01"),
    ("Monkey's Audio", rb"MAC "),
    ("WavPack", rb"wvpk"),
    ("Musepack", rb"MP\+|MPCK"),
    ("True Audio", rb"TTA[12]"),
    ("TAK", rb"tBaK"),
    ("DSD", rb"DSD |FRM8"),
    ("Flash video", rb"FLV\x01"),
    ("RealMedia", rb"\.RMF|\.ra\xfd"),
    ("MPEG", rb"\x00\x00\x01[\xb3\xba]"),
    ("MPEG transport stream", rb"\x47.{187}\x47|.{4}\x47.{191}\x47"),
    ("AC-3", rb"\x0b\x77|\x77\x0b"),
    ("AC-4", rb"\xac[\x40\x41]"),
    ("DTS", rb"\x7f\xfe\x80\x01|DTSHDHDR"),
    ("NIST SPHERE", rb"NIST_1A"),
    ("VOC", rb"Creative Voice File"),
    ("MXF", rb"\x06\x0e\x2b\x34"),
    ("NUT", rb"nut/multimedia"),
    ("SoX", rb"\.SoX|XoS\."),
    ("OptimFROG, Shorten or another lossless coder", rb"OFR |ajkg"),
)
