"""Recognisers that work, and all the ways in which they do not, through the stage and through `chasqui pack`.

The lesson comes out every time, and says what became of its words.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from asr.conftest import SAID, needs
from asr.service import Answer, Service
from asr.tiny_whisper import write
from lesson import Packed

from chasqui import config
from chasqui.asr import Heard, Listening, Settings, Span, apart, open_recogniser
from chasqui.cli import main
from chasqui.records import Listened, Word
from chasqui.transcribe import words as room


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper of 4 MB that says SAID to whatever it hears."""
    needs("faster_whisper")
    needs("jiwer")
    return write(tmp_path_factory.mktemp("whisper") / "tiny", " " + SAID)


@pytest.fixture
def service(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service with the tiny Whisper behind it; it is asked twice at most, and nobody waits."""
    needs("requests")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(Listening, "settings", property(lambda _: Settings(attempts=2, timeout_s=60)))
    monkeypatch.setattr("chasqui.asr.service.time.sleep", lambda _: None)
    with Service(open_recogniser(f"whisper:{tiny}", Settings(apart=False, threads=1, beam=1))) as running:
        yield running


@pytest.fixture
def recording(media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten seconds of Spanish, and us beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CHASQUI_LANG", raising=False)
    return Path(shutil.copyfile(media / "asr" / "cuttledoc" / "fleurs-es-002.ogg", tmp_path / "clase.ogg"))


def pack(recording: Path, *arguments: str) -> dict[str, Any]:
    """The files of the lesson by name."""
    with pytest.raises(SystemExit) as ended:
        main(["pack", str(recording), "--set", "encode.mp3=false", *arguments])
    assert ended.value.code == 0
    folder = recording.parent / "lecciones" / "clase"
    return {
        path.name: path.read_text("utf-8") for path in folder.iterdir() if path.suffix in (".json", ".html", ".txt")
    }


def test_whisper_through_pack(recording: Path, tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = pack(recording, "--recogniser", f"whisper:{tiny}", "--set", "transcribe.beam=1")
    lesson, certificate = json.loads(files["lesson.json"]), json.loads(files["certificate.json"])
    assert lesson["transcript"]["status"] == "done"
    assert lesson["transcript"]["words"] == len(SAID.split())
    assert SAID.split() == files["transcript.txt"].split()
    assert (certificate["words"]["status"], certificate["words"]["lost"]) == ("done", 0)
    assert certificate["words"]["segments_heard"][0]["rate"] == 0
    assert lesson["words"]["kept"] == lesson["words"]["words"]
    assert str(tiny.parent) not in "".join(files.values()), "where a model lies is nobody's business"
    assert capsys.readouterr().err == ""


def test_a_service_through_pack(recording: Path, service: Service) -> None:
    files = pack(recording, "--recogniser", f"openai:whisper-1@{service.url}")
    lesson = json.loads(files["lesson.json"])
    assert (lesson["transcript"]["status"], lesson["words"]["status"]) == ("done", "done")
    assert SAID.split() == files["transcript.txt"].split()
    assert len(service.asked) >= 2, "the voice was not listened to"
    asked = len(service.asked)
    pack(recording, "--recogniser", f"openai:whisper-1@{service.url}")
    assert len(service.asked) == asked, "a second run asked again"


UNKIND = [
    ([Answer(401, {"error": {"message": "Incorrect API key provided"}})], "KeyRefused"),
    ([Answer(429, {"error": "slow down"}, {"Retry-After": "3600"})], "ServiceDown"),
    ([Answer(503, b"<html>busy</html>")] * 2, "ServiceDown"),
    ([Answer(200, b"<html>welcome</html>")], "BadAnswer"),
    ([Answer(200, {"text": "words without times", "language": "es"})], "BadAnswer"),
    ([Answer(200, {"text": "backwards", "words": [{"word": "a", "start": "soon"}]})], "BadAnswer"),
]


@pytest.mark.parametrize(("answers", "error"), UNKIND)
def test_a_service_that_is_unkind_costs_the_words_and_not_the_run(
    analyzed: Packed, service: Service, answers: list[Answer], error: str
) -> None:
    service.first = list(answers)
    name = f"openai:{error}@{service.url}"
    made = analyzed.run("transcribe", transcribe__recogniser=name)
    assert (made.status, made.failure.error) == ("failed", error)
    # What was the matter has passed: the next run asks again.
    assert analyzed.run("transcribe", transcribe__recogniser=name).status == "done"


def test_a_service_that_is_not_there(recording: Path, service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.__exit__()
    files = pack(recording, "--recogniser", f"openai:whisper-1@{service.url}")
    lesson = json.loads(files["lesson.json"])
    assert (lesson["transcript"]["status"], lesson["words"]["status"]) == ("failed", "none")
    assert "No hay: el reconocedor falló (ServiceDown)." in files["report.html"]
    assert "no hay transcripción con la cual comparar" in files["report.html"]
    assert service.url in capsys.readouterr().err


def test_one_that_hangs_is_stopped_and_the_lesson_comes_out(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart.Apart, "_ask", _impatient(apart.Apart._ask))
    known = recording.parent / "known.json"
    known.write_text(json.dumps({"words": [{"text": "hola", "start_s": 1.0, "end_s": 1.4}], "takes_s": 3600}))
    files = pack(recording, "--recogniser", f"memory:{known}")
    said = json.loads(files["lesson.json"])["transcript"]
    assert (said["status"], said["why"]) == ("failed", "the recogniser failed (RecogniserLost)")


def _impatient(ask: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, question, limit_s: ask(self, question, min(limit_s, 2.0))


def test_a_folder_that_is_no_model(analyzed: Packed, tiny: Path, tmp_path: Path) -> None:
    made = analyzed.run("transcribe", transcribe__recogniser=f"whisper:{tmp_path}")
    assert (made.status, made.failure.error) == ("failed", "BadModel")
    assert "model.bin" in made.failure.evidence["why"]


def test_a_model_of_another_language(analyzed: Packed) -> None:
    needs("pocketsphinx")
    made = analyzed.run("transcribe", transcribe__recogniser="pocketsphinx", transcribe__language="es")
    assert (made.status, made.failure.error, made.failure.evidence["known"]) == ("failed", "WrongLanguage", "en")


def test_two_languages_in_one_recording_are_both_named(
    analyzed: Packed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """English, then Spanish, as the recording is; whoever listens says which is which, stretch by stretch."""
    from chasqui.asr import stretches

    class Polyglot:
        name = identity = "polyglot"
        languages = None

        def hear(self, spans: Sequence[Span], language: str | None = None) -> list[Heard]:
            assert language is None
            return [self._one(span) for span in spans]

        def _one(self, span: Span) -> Heard:
            spoken, text = ("en", "water") if span.start_s < 13 else ("es", "agua")
            return Heard((Word(text=text, start_s=span.start_s + 1, end_s=span.start_s + 1.4),), spoken, 0.9)

        def close(self) -> None:
            pass

    monkeypatch.setattr(stretches, "LONGEST_PACKETS", 1)
    monkeypatch.setattr(room, "open_recogniser", lambda *_: Polyglot())
    (tmp_path / "any.json").write_text("{}")
    made = analyzed.run("transcribe", transcribe__recogniser=f"memory:{tmp_path / 'any.json'}")
    assert {tongue.language for tongue in made.languages} == {"en", "es"}
    assert {line.language for line in analyzed.lines(made.listened, Listened)} == {"en", "es"}


def test_music_has_no_words_and_nobody_is_asked(media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(apart.Apart, "_ask", lambda *_: pytest.fail("somebody was asked"))
    cello = shutil.copyfile(media / "noise_music" / "sms-tools" / "cello-phrase.wav", tmp_path / "clase.wav")
    (tmp_path / "known.json").write_text(json.dumps({"words": [{"text": "hola", "start_s": 1.0, "end_s": 1.4}]}))
    files = pack(Path(cello), "--recogniser", f"memory:{tmp_path / 'known.json'}")
    lesson = json.loads(files["lesson.json"])
    assert (lesson["transcript"]["status"], lesson["transcript"]["why"]) == ("done", "there is no speech to listen to")
    assert (lesson["words"]["status"], lesson["words"]["why"]) == ("none", "no words were heard in the master")


def test_silence_is_refused_before_anybody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import wave

    monkeypatch.chdir(tmp_path)
    with wave.open(str(tmp_path / "clase.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16000)
        out.writeframes(bytes(2 * 16000 * 5))
    (tmp_path / "known.json").write_text("{}")
    with pytest.raises(SystemExit) as ended:
        main(["pack", "clase.wav", "--recogniser", f"memory:{tmp_path / 'known.json'}"])
    assert ended.value.code == 18


def test_the_same_ears_listen_to_master_and_voice() -> None:
    settings = config.load(env={}, transcribe__recogniser="pocketsphinx", transcribe__language="en", transcribe__beam=3)
    for stage in ("encode", "verify"):
        asked = settings.options(stage).listening
        assert (asked.recogniser, asked.language, asked.beam) == ("pocketsphinx", "en", 3)
        assert "recogniser" not in asked.model_dump()
