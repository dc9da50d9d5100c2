"""The page for teachers: choose a file, see megabytes and soles, in two languages, on a phone, asking nobody."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from phone import twin
from phone.conftest import ROOT, SHIPPED

READY = """
new Promise((done) => {
  const look = () => document.getElementById("work").hidden ? done() : setTimeout(look, 50);
  look();
})
"""
TEXT = 'document.getElementById("{}").innerText'


@pytest.fixture
def page(chromium, site, names):
    """The page with the shipped model, open."""
    folder, address = site
    shutil.copytree(ROOT / "phone", folder / "phone", ignore=shutil.ignore_patterns("node_modules"))
    models = folder / "src" / "chasqui" / "models" / "phone"
    models.mkdir(parents=True)
    shipped = SHIPPED / "model.json"
    text = shipped.read_text(encoding="utf-8") if shipped.exists() else json.dumps(twin.plain(names))
    (models / "model.json").write_text(text, encoding="utf-8")
    chromium.open(f"{address}/phone/demo.html")
    return chromium


def measured(page, path):
    page.choose_file("#file", path)
    page.run(READY)
    return page


def test_a_teacher_sees_what_it_will_cost(page, site):
    measured(page, ROOT / "examples" / "demo-lesson" / "clase.flac")
    assert not page.run('document.getElementById("result").hidden')
    text = page.run(TEXT.format("targets"))
    sizes = [float(size) for size in re.findall(r"^([\d.]+) MB$", text, re.MULTILINE)]
    assert len(sizes) == 3
    assert sizes == sorted(sizes)
    assert 0.08 < sizes[0] < 0.5  # 173 s at 4 to 23 kb/s
    assert text.count("S/ ") == 3
    assert "clases por paquete de 100 MB" in text
    assert "Se midió la grabación entera." in page.run(TEXT.format("whole-es"))
    assert page.complaints() == []
    asked = {url.removeprefix(site[1]) for url in page.requests() if not url.startswith(("data:", "blob:"))}
    assert asked == {
        "/phone/demo.html",
        "/phone/demo.js",
        "/phone/dist/chasqui-phone.js",
        "/src/chasqui/models/phone/model.json",
    }


def test_it_speaks_two_languages_and_fits_a_phone(page):
    measured(page, ROOT / "examples" / "demo-lesson" / "clase.flac")
    assert page.run("document.documentElement.scrollWidth - innerWidth") <= 0
    assert "¿Cuánto pesará su clase?" in page.run("document.body.innerText")
    page.run("document.querySelector('[data-lang=en]').click()")
    text = page.run("document.body.innerText")
    assert "What will your class weigh?" in text
    assert "per pack of 100 MB" in text
    assert not re.search(r"[¿¡]|clases|grabación|teléfono", text)
    assert page.run("document.documentElement.lang") == "en"


def test_parts_can_be_walked_along(page):
    measured(page, ROOT / "examples" / "demo-lesson" / "clase.flac")
    key = "document.getElementById('strip').dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight'}))"
    page.run(f"{key}; {key}")
    assert re.match(r"2 · 0:\d\d–0:\d\d · (voz|silencio) · [\d.]+ kb/s · [\d.]+ kB", page.run(TEXT.format("readout")))


def test_the_price_is_the_readers(page):
    measured(page, ROOT / "examples" / "demo-lesson" / "clase.flac")
    before = page.run(TEXT.format("targets"))
    page.run(
        "const price = document.getElementById('price'); price.value = '1'; price.dispatchEvent(new Event('input'))"
    )
    assert page.run(TEXT.format("targets")) != before


def test_what_cannot_be_measured_is_said(page, tmp_path, media):
    for path, words in [
        (ROOT / "README.md", "No se pudo abrir el archivo"),
        (media / "noise_music" / "audiomentations" / "digital_silence.wav", "no se oye nada"),
    ]:
        measured(page, path)
        assert words in page.run(TEXT.format("wrong"))
        assert page.run('document.getElementById("result").hidden')


def test_as_one_file_it_needs_no_network(chromium, tool, missing, names, tmp_path):
    if not (ROOT / "phone" / "node_modules" / "esbuild").exists():
        missing("esbuild (run make phone)")
    model, page = tmp_path / "model.json", tmp_path / "page.html"
    model.write_text(json.dumps(twin.plain(names)), encoding="utf-8")
    subprocess.run([tool("node"), ROOT / "phone" / "page.mjs", page, model], check=True, timeout=60)
    chromium.open(page.as_uri())
    measured(chromium, ROOT / "examples" / "demo-lesson" / "clase.flac")
    assert "clases por paquete de 100 MB" in chromium.run(TEXT.format("targets"))
    assert chromium.complaints() == []
    assert [url for url in chromium.requests() if not url.startswith(("data:", "blob:"))] == [page.as_uri()]


def test_both_languages_have_the_same_words():
    code = (ROOT / "phone" / "demo.js").read_text(encoding="utf-8").split("\n};")[0]
    spanish, english = (set(re.findall(r"^    (\w+):", part, re.MULTILINE)) for part in code.split("\n  en: {")[:2])
    assert len(spanish) > 20
    assert spanish == english
