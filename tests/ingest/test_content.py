"""First bytes decide, names never."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui.ingest.content import content_of

HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nhttp://127.0.0.1/x.ts\n"

REFERENCES = {
    "hls": HLS,
    "hls with a mark": "\ufeff" + HLS,
    "hls after blank lines": "\n\n  " + HLS,
    "m3u without a head": "clase 1.mp3\r\nC:\\clases\\clase 2.mp3\r\n",
    "m3u of addresses": "# mine\nhttp://a/b\nhttps://c/d.mp3?x=1\n",
    "pls": "[playlist]\nFile1=a.mp3\nNumberOfEntries=1\n",
    "concat": "ffconcat version 1.0\nfile 'a.mp3'\n",
    "concat without a head": "# list\nfile '/etc/passwd'\nfile 'b.mp3'\n",
    "cue": 'REM GENRE Talk\nTITLE "Clase"\nFILE "clase.wav" WAVE\n  TRACK 01 AUDIO\n',
    "dash": '<?xml version="1.0"?>\n<!-- long\ncomment -->\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
    "smooth": '<?xml version="1.0"?><SmoothStreamingMedia Duration="1">',
    "asx": '<ASX version="3.0"><Entry><Ref href="http://a/b.wma"/></Entry></ASX>',
    "xspf": '<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/">',
    "smil": '<smil><body><audio src="a.mp3"/></body></smil>',
    "rss": '<?xml version="1.0"?><rss version="2.0"><channel>',
    "sdp": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
    "url": "[InternetShortcut]\r\nURL=http://a/b.mp3\r\n",
    "desktop": "[Desktop Entry]\nType=Link\nURL=http://a/b.mp3\n",
    "ram": "rtsp://a/b.rm\n",
    "asf reference": "[Reference]\r\nRef1=http://a/b.asf\r\n",
    "one address": "file:///etc/passwd",
    "an FFmpeg protocol": "concat:a.ts|b.ts",
}


@pytest.mark.parametrize("name", REFERENCES)
def test_references(name: str) -> None:
    text = REFERENCES[name]
    assert content_of(text.encode()).verdict == "reference"
    assert content_of(("\ufeff" + text).encode("utf-16-le")).verdict == "reference"


def archive(kind: str) -> bytes:
    out = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(out, "w") as made:
            made.writestr(zipfile.ZipInfo("clase.mp3"), b"x")
    elif kind == "tar":
        with tarfile.open(fileobj=out, mode="w") as made:
            made.addfile(tarfile.TarInfo("clase.mp3"))
    else:
        return gzip.compress(b"x", mtime=0)
    return out.getvalue()


@pytest.mark.parametrize(
    "head",
    [
        b"Hola, esta es la clase de hoy.\n",
        "Matemática: ¿cuánto es 2 + 2?".encode("latin-1"),
        "Matemática".encode("utf-16"),
        b"<!DOCTYPE html><html><body>file.mp3</body></html>",
        b'{"a": 1}',
        b"1\n00:00:00,000 --> 00:00:01,000\nHola\n",
        b"WEBVTT\n\n",
        b"\x89PNG\r\n\x1a\n" + bytes(20),
        b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(20),
        b"RIFF\x10\x00\x00\x00WEBPVP8 ",
        b"\x00\x00\x00\x18ftypheic",
        b"%PDF-1.7\n",
        b"MThd\x00\x00\x00\x06\x00\x01",
        archive("zip"),
        archive("tar"),
        archive("gzip"),
        b"\n",
    ],
)
def test_other_things(head: bytes) -> None:
    assert content_of(head).verdict == "other"


@pytest.mark.parametrize(
    "head",
    [
        b"RIFF\x10\x00\x00\x00WAVEfmt ",
        b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00",
        b"ID3\x04\x00\x00\x00\x00\x00\x00",
        b"\xff\xfb\x90\x64\x00\x00",
        b"OggS\x00\x02",
        b"#!AMR\n\x3c\x00\x01",
        b"NIST_1A\n   1024\nsample_rate -i 16000\n",
    ],
)
def test_media(head: bytes) -> None:
    assert content_of(head).verdict == "media"


@settings(deadline=None)  # other work on the machine is no failure
@given(st.binary(max_size=3000) | st.text(max_size=1000).map(str.encode))
def test_any_bytes_get_a_verdict(head: bytes) -> None:
    assert content_of(head).what
