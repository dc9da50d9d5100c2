"""The command line with tiny rooms: what is printed, where, in which language, and with which exit code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from fakes import ROOMS, Rooms

from chasqui import cli
from chasqui.words import LANGUAGES, say


class Said:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def chasqui(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fake_rooms: Rooms
) -> Any:
    """Runs a command line in an empty folder that has a class in it."""
    monkeypatch.chdir(tmp_path)
    for name in ("CHASQUI_LANG", "CHASQUI_STORE", "CHASQUI_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    Path("Clase 1.mp3").write_text("uno" * 1000)
    Path("Clase 2.mp3").write_text("dos")
    Path("notas.mp3").write_text("TEXT")

    def run(*arguments: str) -> Said:
        with pytest.raises(SystemExit) as left:
            cli.main(list(arguments))
        said = capsys.readouterr()
        return Said(left.value.code if isinstance(left.value.code, int) else 0, said.out, said.err)

    return run


def test_pack_leaves_a_folder_and_a_friendly_table(chasqui: Any) -> None:
    said = chasqui("pack", "Clase 1.mp3")
    assert said.code == 0
    assert Path("lecciones/clase-1/voice.opus").exists()
    for part in ("Clase 1", "3.0 kB", "S/ ", "se escucha cómodo ✓", "lecciones/clase-1/", "estimación"):
        assert part in said.out
    assert "it was noisy" in said.err  # warnings are told, and away from the result


def test_pack_speaks_english_when_asked(chasqui: Any) -> None:
    said = chasqui("pack", "Clase 1.mp3", "--lang", "en")
    assert Path("lessons/clase-1").is_dir()
    assert "comfortable ✓" in said.out


def test_json_is_one_event_a_line_and_a_result_and_nothing_else(chasqui: Any) -> None:
    said = chasqui("pack", "Clase 1.mp3", "notas.mp3", "--json", "--out", "out")
    assert said.code == 3
    *events, result = said.lines
    assert all(event["kind"] != "result" for event in events)
    assert {event["stage"] for event in events} == {"pack", *ROOMS}
    assert [e["kind"] for e in events if e["stage"] == "pack"] == ["started", "finished", "started", "failed"]
    assert (result["kind"], result["version"], result["exit_code"]) == ("result", 1, 3)
    (lesson,), (refused,) = result["lessons"], result["refused"]
    assert lesson["folder"] == "out/clase-1"
    assert lesson["bytes"] == Path("out/clase-1/voice.opus").stat().st_size
    assert (refused["error"], refused["exit_code"], refused["action"]) == ("NotMedia", 13, "reject")
    advanced = [event for event in events if event["kind"] == "advanced"]
    assert len(advanced) == 101  # 1001 reports, one line per percent


def test_exit_codes(chasqui: Any) -> None:
    Path("defect.mp3").write_text("BUG")
    Path("full.mp3").write_text("FULL")
    for files, code in {
        ("Clase 1.mp3", "Clase 2.mp3"): 0,
        ("notas.mp3",): 13,
        ("gone.mp3",): 11,
        ("notas.mp3", "gone.mp3"): 13,
        ("Clase 1.mp3", "notas.mp3"): 3,
        ("defect.mp3",): 1,
        ("full.mp3",): 31,
    }.items():
        assert chasqui("pack", *files).code == code, files


def test_what_is_refused_is_said_in_words_and_without_a_traceback(chasqui: Any) -> None:
    said = chasqui("pack", "notas.mp3", "gone.mp3")
    assert said.out == ""
    assert "✗ notas.mp3: notas.mp3 no es un archivo de sonido ni de video" in said.err
    assert "gone.mp3" in said.err
    assert "Traceback" not in said.err
    assert not Path("lecciones").exists()


def test_nothing_to_pack_is_said(chasqui: Any) -> None:
    Path("empty").mkdir()
    assert "No se encontró" in chasqui("pack", "empty").err


def test_options_of_choose_and_of_any_stage_arrive(chasqui: Any) -> None:
    said = chasqui("pack", "Clase 1.mp3", "--target", "clear", "--budget", "2.5 MB", "--set", "publish.pen_per_mb=2")
    assert "0.006 → 0.006" in said.out
    story = json.loads(chasqui("show", "Clase 1", "--json").out)
    assert (story["choose"]["target"], story["choose"]["budget_bytes"]) == ("clear", 2_500_000)


@pytest.mark.parametrize(
    "wrong",
    [
        ("--target", "loud"),
        ("--budget", "lots"),
        ("--set", "choose.tarjet=clear"),
        ("--set", "chose.target=clear"),
        ("--set", "nonsense"),
        ("--threads", "-1"),
        ("--config", "absent.toml"),
        ("--store", "ftp://bucket"),
        ("--lang", "fr"),
        ("--frobnicate",),
    ],
)
def test_wrong_options_end_with_2_and_a_reason(chasqui: Any, wrong: tuple[str, ...]) -> None:
    said = chasqui("pack", "Clase 1.mp3", *wrong)
    assert said.code == 2
    assert said.err.strip()
    assert "Traceback" not in said.err
    assert not Path("lecciones").exists()


def test_a_wrong_option_is_answered_with_the_right_one(chasqui: Any) -> None:
    said = chasqui("pack", "Clase 1.mp3", "--set", "choose.tarjet=clear")
    assert "¿quiso decir 'target'?" in said.err


def test_an_error_before_any_work_is_a_result_too_for_json(chasqui: Any) -> None:
    said = chasqui("pack", "Clase 1.mp3", "--budget", "lots", "--json")
    assert [line["kind"] for line in said.lines] == ["result"]
    assert said.lines[0]["error"] == "BadConfig"
    assert said.lines[0]["exit_code"] == said.code == 2


def test_stages_one_by_one_make_the_same_lesson(chasqui: Any, fake_rooms: Rooms) -> None:
    assert "container: wav" in chasqui("ingest", "Clase 1.mp3").out
    for stage in ROOMS[1:]:
        said = chasqui(stage, "Clase 1")
        assert said.code == 0, (stage, said.err)
        assert "recording_id: " in said.out
    assert chasqui("pack", "Clase 1.mp3").code == 0
    assert fake_rooms.runs == dict.fromkeys(ROOMS, 1)


def test_a_stage_too_early_says_which_comes_first(chasqui: Any) -> None:
    chasqui("ingest", "Clase 1.mp3")
    said = chasqui("choose", "Clase 1")
    assert said.code == 34
    assert "chasqui clean" in said.err


def test_a_stage_gives_its_record_as_json(chasqui: Any) -> None:
    said = chasqui("ingest", "Clase 1.mp3", "--json")
    assert said.lines[-1]["kind"] == "result"
    assert said.lines[-1]["record"]["container"] == "wav"


def test_ingest_goes_on_after_one_that_is_refused(chasqui: Any) -> None:
    said = chasqui("ingest", "notas.mp3", "Clase 1.mp3")
    assert said.code == 3
    assert "container: wav" in said.out
    assert chasqui("ingest", "notas.mp3").code == 13


def test_show_tells_each_decision_and_its_why(chasqui: Any) -> None:
    chasqui("pack", "Clase 1.mp3")
    story = chasqui("show", "clase-1").out
    for part in (
        "the only one",
        "✓ denoise (snr_db 3): noise was measured",
        "voz: 2 tramos, 0:12",
        "voice-6 ███",
        "Se pidió: se escucha cómodo",
        "Se cumple: se escucha cómodo",
        "searched",
        "«Clase 1»: 3.0 kB → 3.0 kB",
    ):
        assert part in story
    assert "the cheapest that reaches it" not in story
    assert story.count("the cheapest that reaches it") < chasqui("show", "clase-1", "--segments").out.count(
        "the cheapest that reaches it"
    )


def test_show_finds_by_id_prefix_and_name(chasqui: Any) -> None:
    chasqui("pack", "Clase 1.mp3", "Clase 2.mp3")
    recording_id = re.search(r"[0-9a-f]{16}", chasqui("show").out)
    assert recording_id is not None
    for wanted in (recording_id[0], recording_id[0][:6], "Clase 1.mp3", "clase 1", "clase-1", "ase 1"):
        assert recording_id[0] in chasqui("show", wanted).out
    said = chasqui("show", "Clase 9")
    assert said.code == 35
    assert "Clase 1.mp3" in said.err and "Clase 2.mp3" in said.err


def test_two_of_one_name_are_told_apart_by_id(chasqui: Any) -> None:
    Path("x").mkdir()
    Path("x/Clase 1.mp3").write_text("another")
    chasqui("ingest", "Clase 1.mp3", "x/Clase 1.mp3")
    said = chasqui("show", "Clase 1")
    assert said.code == 35
    assert len(re.findall(r"[0-9a-f]{16}", said.err)) == 2


def test_show_without_a_name_lists_what_there_is(chasqui: Any) -> None:
    assert "Todavía no hay" in chasqui("show").out
    chasqui("ingest", "Clase 1.mp3")
    assert "Clase 1.mp3" in chasqui("show").out
    assert list(json.loads(chasqui("show", "--json").out).values()) == ["Clase 1.mp3"]


def test_settings_come_from_chasqui_toml_here(chasqui: Any) -> None:
    Path("chasqui.toml").write_text('lang = "en"\n[choose]\ntarget = "understood"\n')
    assert "understood ✓" in chasqui("pack", "Clase 1.mp3").out
    assert Path("lessons").is_dir()


def test_an_unexpected_exception_is_short_unless_debugging(chasqui: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no idea")

    monkeypatch.setattr("chasqui.store.open_store", broken)
    said = chasqui("show")
    assert said.code == 1
    assert "RuntimeError: no idea" in said.err and "CHASQUI_DEBUG=1" in said.err
    assert len(said.err.splitlines()) == 1
    monkeypatch.setenv("CHASQUI_DEBUG", "1")
    with pytest.raises(RuntimeError):
        cli.main(["show"])


def test_ctrl_c_is_clean(chasqui: Any, fake_rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fake_rooms, "encode", stop)
    said = chasqui("pack", "Clase 1.mp3")
    assert said.code == 130
    assert "Interrumpido" in said.err
    assert not Path("lecciones").exists()


def test_help_is_in_the_users_language(chasqui: Any) -> None:
    assert "Empaca grabaciones" in chasqui("pack", "--help").out
    assert "Packs recordings" in chasqui("pack", "--lang", "en", "--help").out


def test_every_command_and_option_has_help_and_a_place_in_the_docs() -> None:
    docs = (Path(__file__).parents[1] / "docs" / "cli.md").read_text(encoding="utf-8")
    for name, command in cli.chasqui.commands.items():
        assert f"chasqui {name}" in docs
        for lang in LANGUAGES:
            assert say(f"cli.help.{name}", lang)
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.opts[0] in docs, option
                assert all(say(f"cli.help.option.{option.name}", lang) for lang in LANGUAGES)


def test_starting_up_is_cheap() -> None:
    """Nothing heavy is imported to say hello: a wrong option must be answered at once, also on a slow laptop."""
    heavy = ("av", "numpy", "scipy", "rich", "ai_edge_litert", "pyrnnoise", "sqlite3")
    code = f"import sys, chasqui, chasqui.cli; sys.exit(str([m for m in {heavy!r} if m in sys.modules] or ''))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
