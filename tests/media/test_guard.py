"""Nothing nested is followed: a playlist to a local server and to a real file on this machine gets nowhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import av
import pytest
from sounds import babble, write

from chasqui.errors import ChasquiError, TooSlow, Unreadable
from chasqui.media import guard
from chasqui.media.guard import Clock, GuardedFile, opened


class _Server(HTTPServer):
    hits = 0


class _Counting(BaseHTTPRequestHandler):
    def __init__(self, data: bytes, *args: object) -> None:
        self.data = data
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.server.hits += 1  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.data)))
        self.end_headers()
        self.wfile.write(self.data)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A sound on this machine that nobody handed in."""
    return write(tmp_path / "secret.ts", babble(3))


@pytest.fixture
def server(secret: Path) -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), partial(_Counting, secret.read_bytes())) as running:
        Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield running
        running.shutdown()


def references(folder: Path, secret: Path, server: _Server) -> dict[str, Path]:
    """One file for each way to point elsewhere that FFmpeg knows."""
    web = f"http://127.0.0.1:{server.server_port}/x.ts"
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:3,\n{}\n#EXT-X-ENDLIST\n"
    dash = (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT3S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">'
        '<Period><AdaptationSet mimeType="audio/mp2t">'
        '<Representation id="1" bandwidth="1"><BaseURL>{}</BaseURL></Representation></AdaptationSet></Period></MPD>'
    )
    sdp = f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {server.server_port} RTP/AVP 0\n"
    texts = {
        "hls_web.m3u8": head.format(web),
        "hls_file.m3u8": head.format(secret.name),
        "hls_url.m3u8": head.format(f"file:{secret}"),
        "hls.mp3": head.format(web),
        "list.ffconcat": f"ffconcat version 1.0\nfile {secret.name}\n",
        "web.ffconcat": f"ffconcat version 1.0\nfile {web}\n",
        "dash.mpd": dash.format(web),
        "dash_file.mpd": dash.format(f"file:{secret}"),
        "x.sdp": sdp,
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return {name: folder / name for name in texts}


ALL = ",".join(sorted(av.formats_available))


@pytest.mark.parametrize("locks", ["all", "without the list of containers", "without the list of protocols"])
def test_no_reference_is_followed(
    tmp_path: Path, secret: Path, server: _Server, monkeypatch: pytest.MonkeyPatch, locks: str
) -> None:
    """Not even with FFmpeg's playlist readers allowed, and then with the protocols of web and files allowed as well."""
    if locks != "all":
        monkeypatch.setattr(guard, "CONTAINERS", ALL)
    if locks == "without the list of protocols":
        monkeypatch.setattr(guard, "PROTOCOLS", "file,http,https,tcp,crypto,data,concat,subfile")
    for name, path in references(tmp_path, secret, server).items():
        sound = 0
        try:
            with opened(path, name, limit_s=5) as (container, _):
                sound = sum(frame.samples for frame in container.decode(audio=0))
        except (av.FFmpegError, OSError, ChasquiError, IndexError):
            pass
        assert sound == 0, name
        assert server.hits == 0, name


def test_the_server_and_the_secret_would_be_found_without_locks(tmp_path: Path, secret: Path, server: _Server) -> None:
    """The control: FFmpeg as it comes follows these very files, so the test above can fail."""
    paths = references(tmp_path, secret, server)
    with av.open(str(paths["hls_file.m3u8"])) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) > 48000
    with av.open(str(paths["hls_web.m3u8"]), options={"protocol_whitelist": "file,http,tcp"}) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) > 48000
    assert server.hits > 0


def test_pipes_devices_and_folders_do_not_block(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp3"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, Path("/dev/zero"), tmp_path / "nothing.mp3"):
        with pytest.raises(Unreadable), opened(path, path.name):
            pass


def test_permission_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "x.flac", babble(1))

    def refuse(*args: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(guard.os, "open", refuse)
    with pytest.raises(Unreadable, match="permission"), opened(path, path.name):
        pass


def test_a_disk_that_fails_while_reading_is_not_called_damage(tmp_path: Path) -> None:
    path = write(tmp_path / "x.flac", babble(1))
    file = GuardedFile(path, Clock("x.flac"))
    file._file.close()
    file._file = _Failing()  # type: ignore[assignment]
    assert file.read(10) == b""
    with pytest.raises(Unreadable, match="Input/output"):
        file.check()


class _Failing:
    def read(self, size: int) -> bytes:
        raise OSError(5, "Input/output error")


def test_after_the_deadline_the_file_ends(tmp_path: Path) -> None:
    path = write(tmp_path / "x.flac", babble(1))
    file = GuardedFile(path, Clock("x.flac", limit_s=-1))
    assert file.read(10) == b""
    with pytest.raises(TooSlow):
        file.check()
    file.close()


def test_seeking_outside_the_file_is_refused_without_an_exception(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"0123456789")
    file = GuardedFile(path, Clock("x"))
    assert file.seek(-11, os.SEEK_END) < 0
    assert file.seek(2**63 - 1, os.SEEK_SET) < 0
    assert file.seek(-4, os.SEEK_END) == 6
    assert file.read(99) == b"6789"
    file.close()


def test_pictures_are_never_unpacked() -> None:
    names = guard.audio_decoders().split(",")
    assert {"mp3float", "aac", "flac", "libopus", "pcm_s16le", "amrnb", "wmav2"} <= set(names)
    assert not {"png", "mjpeg", "h264", "hevc", "ansi", "srt"} & set(names)
