"""The same in Chromium, from AudioBuffers that the browser decoded itself."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from clips import excerpt

from phone import server, twin

PAGE = "<!doctype html><meta charset=utf-8><title>phone</title>"
#: Decodes a file at 48 kHz, asks the module, and brings the samples along.
ASK = """
(async () => {
  const phone = await import("/chasqui-phone.js");
  const bytes = await (await fetch("/sound")).arrayBuffer();
  const buffer = await new OfflineAudioContext(1, 1, 48000).decodeAudioData(bytes);
  const model = phone.read(await (await fetch("/model.json")).json());
  const before = performance.now();
  const found = await phone.estimate(buffer, model);
  return JSON.stringify({
    ...found,
    took: (performance.now() - before) / 1000,
    length: buffer.length,
    channels: buffer.numberOfChannels,
    is: buffer.constructor.name,
  }, (_, value) => ArrayBuffer.isView(value) ? Array.from(value) : value);
})()
"""
VOICE = "speech/leopard/test_es__b54224.wav"  # 48 kHz, mono
NOISE = "noise_music/max-audio-classifier/typing.wav"  # 48 kHz, stereo
FLAC = "awkward/exoplayer/bear_with_picture.flac"  # 48 kHz, stereo


@pytest.fixture
def decoded(chromium, site, names):
    """`decoded(file)`: what the phone says in Chromium about a file."""
    folder, address = site
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    (folder / "model.json").write_text(json.dumps(twin.plain(names)), encoding="utf-8")

    def call(path):
        shutil.copy(path, folder / "sound")
        chromium.open(f"{address}/index.html")
        found = json.loads(chromium.run(ASK))
        assert found["is"] == "AudioBuffer"
        return found

    return call


@pytest.mark.parametrize(("name", "channels"), [(VOICE, 1), (NOISE, 2), (FLAC, 2)])
def test_the_browser_says_what_node_and_the_server_say(name, channels, decoded, ask, names, media, tmp_path):
    found = decoded(media / name)
    pcm = excerpt(media / name, 0, 60)
    assert (found["channels"], found["length"]) == (channels, len(pcm))
    path = tmp_path / "sound.f32"
    pcm.tofile(path)
    known = ask("estimate", pcm=path, rate=48_000, model=twin.plain(names))["gave"]
    assert found["bytes"] == known["bytes"]
    for one, other in zip(found["segments"], known["segments"], strict=True):
        assert _rungs(one) == _rungs(other)
    expected = server.summaries(_at_19_lufs(pcm), found["segments"], names)
    features = np.array([segment["features"] for segment in found["segments"]])
    size = np.maximum(np.abs(expected), [twin.spread()[1].get(column, 1.0) for column in names])
    # Of 16 bit files Chromium divides positive samples by 32767, negative ones by 32768; FFmpeg all by 32768.
    assert (np.abs(features - expected) / size).max() < 1e-3


def _rungs(segment):
    return {target: choice["rung"] for target, choice in segment["choices"].items()}


def test_the_same_samples_give_the_same_numbers(chromium, site, ask, names, media):
    folder, address = site
    pcm = excerpt(media / VOICE, 0, 60)
    pcm.tofile(folder / "sound.f32")
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    (folder / "model.json").write_text(json.dumps(twin.plain(names)), encoding="utf-8")
    chromium.open(f"{address}/index.html")
    found = chromium.run("""
    (async () => {
      const phone = await import("/chasqui-phone.js");
      const samples = new Float32Array(await (await fetch("/sound.f32")).arrayBuffer());
      const model = phone.read(await (await fetch("/model.json")).json());
      const { segments } = await phone.estimate(phone.sound(samples, 48000), model);
      return segments.map((segment) => Array.from(segment.features));
    })()
    """)
    known = ask("estimate", pcm=folder / "sound.f32", rate=48_000, model=twin.plain(names))["gave"]["segments"]
    assert np.array(found) == pytest.approx(np.array([segment["features"] for segment in known]), rel=1e-9, abs=1e-9)


def _at_19_lufs(pcm):
    from chasqui.clean.loudness import Loudness

    loudness = Loudness()
    loudness.add(pcm.astype(np.float64))
    return (pcm * 10 ** ((-19 - loudness.integrated_lufs()) / 20)).astype(np.float32)


@pytest.mark.parametrize("name", ["speech/resemblyzer/1088-129236-0000.flac", "speech/leopard/test_fr.wav"])
def test_another_rate_is_resampled_by_the_browser(name, decoded, ask, names, media, tmp_path):
    """Its resampler is not FFmpeg's: the estimate may differ by a little, not by much."""
    found = decoded(media / name)
    path = tmp_path / "sound.f32"
    excerpt(media / name, 0, 60).tofile(path)
    known = ask("estimate", pcm=path, rate=48_000, model=twin.plain(names))["gave"]
    assert [segment["packets"] for segment in found["segments"]] == [
        segment["packets"] for segment in known["segments"]
    ]
    for target, size in known["bytes"].items():
        assert found["bytes"][target] == pytest.approx(size, rel=0.1)


def test_what_is_refused_says_why(chromium, site):
    folder, address = site
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    chromium.open(f"{address}/index.html")
    code = """
    (async () => {
      const phone = await import("/chasqui-phone.js");
      const codes = [];
      const buffer = (length, rate) => new OfflineAudioContext(1, length, rate).createBuffer(1, length, rate);
      for (const sound of [buffer(4800, 48000), buffer(48000, 44100), buffer(48000, 48000)]) {
        await phone.estimate(sound, {}).catch((error) => codes.push(error instanceof phone.PhoneError && error.code));
      }
      return codes;
    })()
    """
    assert chromium.run(code) == ["short", "rate", "silence"]
