"""Makes `clase.flac`, the lesson that `make demo` packs: the text of `guion.md`, two voices, a jingle and a room.

    python examples/demo-lesson/make_lesson.py

Needs the program espeak-ng (1.51 was used); numpy, scipy and av come with Chasqui. Nobody needs to run it: its result
is in the repository. The same espeak-ng gives the same samples every time.

Sound is float64, full scale ±1, at 44.1 kHz: [samples] for one voice, [samples, 2] once it stands in the room.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import wave
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import av
import numpy as np
from numpy.typing import NDArray
from scipy import signal

Sound = NDArray[np.float64]

HERE = Path(__file__).parent
RATE_HZ = 44_100
FINE = 4  # voices are bent at four times that rate, so that bending adds no hiss of its own
SEED = 1609  # the year of Garcilaso's Comentarios Reales, which describe the chasquis; any number would do


@dataclass(frozen=True)
class Speaker:
    """How one person sounds. Speed in words per minute, pitch and range on espeak-ng's scale of 0–99."""

    voice: str
    speed: int
    pitch: int
    range: int
    warmth_db: float  # lift below 300 Hz: formant synthesis is thin there


SPEAKERS = {
    "Rosa": Speaker("es-419+f2", speed=168, pitch=46, range=62, warmth_db=2.0),
    "Wilmer": Speaker("es-419+m3", speed=180, pitch=70, range=75, warmth_db=1.0),
}
#: espeak-ng reads Spanish letters, and this word is Quechua.
SAID_AS = {"«wayq'u»": "huáico"}

SPEECH_RMS = 10 ** (-27 / 20)  # of each line, pauses left out; a phone on the desk records this quietly
ROOM_NOISE_RMS = 10 ** (-68 / 20)  # a quiet classroom: about 41 dB below the voices
PEAK = 10 ** (-2 / 20)


def speak(text: str, speaker: Speaker, rng: np.random.Generator) -> Sound:
    """One sentence by one speaker. Each sentence gets its own speed and pitch, as people do."""
    for written, said in SAID_AS.items():
        text = text.replace(written, said)
    speed = speaker.speed + int(rng.integers(-6, 7))
    pitch = speaker.pitch + int(rng.integers(-4, 5))
    command = [
        "espeak-ng",
        "-m",
        "-b",
        "1",
        "-v",
        speaker.voice,
        "-s",
        str(speed),
        "-p",
        str(pitch),
        "--stdin",
        "--stdout",
    ]
    lively = f'<speak><prosody range="{speaker.range}">{escape(text)}</prosody></speak>'
    spoken = subprocess.run(command, input=lively.encode(), capture_output=True, check=True)
    with wave.open(io.BytesIO(spoken.stdout)) as file:
        rate_hz = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    sound = signal.resample_poly(samples, FINE * RATE_HZ, rate_hz)
    heard = np.flatnonzero(np.abs(sound) > 10 ** (-50 / 20))
    return sound[heard[0] : heard[-1]]


def sway(sound: Sound, rng: np.random.Generator) -> Sound:
    """At RATE_HZ, from FINE × RATE_HZ: tempo and pitch drift by ±1 %, slower than syllables. Rules speak too evenly."""
    step = FINE * RATE_HZ // 100
    drift = signal.sosfiltfilt(
        signal.butter(2, 1.5, fs=100, output="sos"), rng.standard_normal(len(sound) // step + 50)
    )
    drift *= 0.01 / (np.abs(drift).max() + 1e-9)
    pace = 1 + np.interp(np.arange(len(sound)) / step, np.arange(len(drift)), drift)
    swayed = np.interp(np.cumsum(pace) - 1, np.arange(len(sound)), sound)
    return signal.resample_poly(swayed, 1, FINE)


def peaking(frequency_hz: float, gain_db: float, q: float) -> Sound:
    """One bell of an equaliser as a second-order section (R. Bristow-Johnson's audio EQ cookbook)."""
    amplitude, w = 10 ** (gain_db / 40), 2 * np.pi * frequency_hz / RATE_HZ
    alpha = np.sin(w) / (2 * q)
    b = np.array([1 + alpha * amplitude, -2 * np.cos(w), 1 - alpha * amplitude])
    a = np.array([1 + alpha / amplitude, -2 * np.cos(w), 1 - alpha / amplitude])
    return np.concatenate([b, a])[None, :] / a[0]


def soften(sound: Sound, speaker: Speaker) -> Sound:
    """Through an equaliser that takes the buzz out of formant synthesis: warmer below, less edge around 3.4 kHz."""
    stages = [
        signal.butter(2, 80, "highpass", fs=RATE_HZ, output="sos"),
        peaking(220, speaker.warmth_db, 0.7),
        peaking(3_400, -3.5, 1.2),
        peaking(9_000, -5.0, 0.8),
    ]
    return signal.sosfilt(np.concatenate(stages), sound)


def levelled(sound: Sound) -> Sound:
    """At the common speech level, measured where somebody speaks."""
    blocks = sound[: len(sound) // 441 * 441].reshape(-1, 441)
    power = (blocks**2).mean(axis=1)
    return sound * SPEECH_RMS / np.sqrt(power[power > power.max() * 1e-3].mean())


def sentences(text: str) -> list[str]:
    """The text cut behind full stops, question and exclamation marks."""
    return [part for part in re.split(r"(?<=[.?!])\s+", text) if part]


def line(text: str, speaker: Speaker, rng: np.random.Generator) -> Sound:
    """One line of the script: its sentences with short breaths between them."""
    parts: list[Sound] = []
    for sentence in sentences(text):
        parts += [speak(sentence, speaker, rng), silence(FINE * (0.25 + 0.15 * rng.random()))]
    return levelled(soften(sway(np.concatenate(parts[:-1]), rng), speaker))


def silence(duration_s: float) -> Sound:
    return np.zeros(int(duration_s * RATE_HZ))


# --- music ------------------------------------------------------------------------------------------------------------

A3_HZ = 220.0
#: A pentatonic tune in the rhythm of a huayno: (semitones above A3, beats), None rests.
TUNE = ((12, 1), (15, 0.5), (17, 0.5), (19, 1), (17, 0.5), (15, 0.5), (12, 1), (10, 0.5), (12, 0.5), (7, 2))
CHORDS = ((0, 12, 15, 19), (3, 10, 15, 19), (-2, 10, 14, 17), (0, 12, 15, 19))
BEAT_S = 60 / 104


def pluck(semitones: float, duration_s: float, rng: np.random.Generator) -> Sound:
    """A string in the manner of a charango (Karplus and Strong, Computer Music Journal 7/2, 1983)."""
    period = round(RATE_HZ / (A3_HZ * 2 ** (semitones / 12)))
    burst = np.zeros(int(duration_s * RATE_HZ))
    burst[:period] = signal.lfilter([0.5, 0.5], [1], rng.uniform(-1, 1, period))
    loop = np.zeros(period + 2)
    loop[0], loop[period], loop[period + 1] = 1, -0.498, -0.498
    return signal.lfilter([1], loop, burst)


def pipe(semitones: float, duration_s: float, rng: np.random.Generator) -> Sound:
    """A note on a zampoña: odd harmonics of a stopped pipe, a breath in front, a slow vibrato."""
    t = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    frequency_hz = A3_HZ * 2 ** (semitones / 12)
    phase = 2 * np.pi * frequency_hz * t + 0.6 * np.sin(2 * np.pi * 5 * t) * np.minimum(t / 0.3, 1)
    tone = np.sin(phase) + 0.22 * np.sin(3 * phase) + 0.05 * np.sin(5 * phase)
    band = signal.butter(2, [frequency_hz, 4 * frequency_hz], "bandpass", fs=RATE_HZ, output="sos")
    breath = signal.sosfilt(band, rng.standard_normal(len(t))) * (0.10 + 0.35 * np.exp(-t / 0.05))
    swell = np.minimum(t / 0.04, 1) * np.minimum((duration_s - t) / 0.06, 1)
    return (tone + breath) * swell


def add(mix: Sound, sound: Sound, at_s: float) -> None:
    """Mix `sound` into `mix` from a time on; what does not fit is cut off."""
    start = int(at_s * RATE_HZ)
    stop = min(start + len(sound), len(mix))
    mix[start:stop] += sound[: stop - start]


def jingle(beats: float, rng: np.random.Generator) -> Sound:
    """The first `beats` of the tune: pipes left, strings right, [samples, 2]."""
    pipes, strings = silence(beats * BEAT_S + 1.2), silence(beats * BEAT_S + 1.2)
    at = 0.0
    for semitones, length in TUNE:
        if at < beats:
            add(pipes, pipe(semitones, length * BEAT_S * 0.95, rng), at * BEAT_S)
        at += length
    for step in range(int(beats * 2)):
        if step % 4 != 1:  # long-short-short
            for number, note in enumerate(CHORDS[step // 4 % len(CHORDS)]):
                add(strings, 0.5 * pluck(note, 0.9, rng), step * BEAT_S / 2 + 0.012 * number)
    both = np.stack([0.57 * pipes + 0.43 * strings, 0.43 * pipes + 0.57 * strings], axis=1)
    both *= np.minimum(np.arange(len(both))[::-1] / (0.8 * RATE_HZ), 1)[:, None]
    return both * 0.055 / np.sqrt((both**2).mean())


# --- the room ---------------------------------------------------------------------------------------------------------


def reverberate(dry: Sound, rng: np.random.Generator) -> Sound:
    """In a small classroom: early reflections, a tail that falls by 60 dB in 0.35 s, some 15 dB below the voice."""
    t = np.arange(int(0.4 * RATE_HZ)) / RATE_HZ
    tail = rng.standard_normal(len(t)) * 10 ** (-3 * t / 0.35)
    tail[: int(0.012 * RATE_HZ)] = 0  # the nearest wall is two metres away
    for delay_s, gain in ((0.013, 9.0), (0.019, 7.0), (0.027, 6.0)):
        tail[int(delay_s * RATE_HZ)] += gain
    tail = signal.sosfilt(signal.butter(1, 3_500, fs=RATE_HZ, output="sos"), tail)
    tail *= 10 ** (-15 / 20) / np.sqrt((tail**2).sum())
    return dry + signal.fftconvolve(dry, tail[:, None], axes=0)[: len(dry)]


def room_noise(samples: int, rng: np.random.Generator) -> Sound:
    """Air, a distant street and a trace of 60 Hz mains hum, [samples]."""
    band = signal.butter(2, [70, 1_200], "bandpass", fs=RATE_HZ, output="sos")
    air = signal.sosfilt(band, rng.standard_normal(samples))
    t = np.arange(samples) / RATE_HZ
    traffic = 1 + 0.25 * np.sin(2 * np.pi * 0.07 * t)
    return ROOM_NOISE_RMS * (air / np.sqrt((air**2).mean()) * traffic + 0.15 * np.sin(2 * np.pi * 60 * t))


# --- the lesson -------------------------------------------------------------------------------------------------------


def scenes(script: str) -> list[tuple[str, str]]:
    """What happens, in order: (speaker, text), ("pausa", ""), ("música", "")."""
    found = re.findall(r"^(?:\*\*(\w+):\*\* (.+)|\((pausa|música)\))$", script, flags=re.MULTILINE)
    return [(speaker or direction, text) for speaker, text, direction in found]


def perform(script: str) -> Sound:
    """The whole lesson, [samples, 2]."""
    rng = np.random.default_rng(SEED)
    voices: list[Sound] = [np.zeros((int(0.6 * RATE_HZ), 2))]
    music = [voices[0]]
    events = scenes(script)
    for number, (who, text) in enumerate(events):
        if who == "música":
            sound = jingle(8 if number in (0, len(events) - 1) else 4, rng)
            voices.append(np.zeros_like(sound))
            music.append(sound)
        else:
            sound = silence(0.9) if who == "pausa" else line(text, SPEAKERS[who], rng)
            sound = np.concatenate([sound, silence(0.45 + 0.3 * rng.random())])
            voices.append(np.stack([sound, sound], axis=1))  # one microphone, as in most classrooms
            music.append(np.zeros_like(voices[-1]))
    lesson = reverberate(np.concatenate(voices), rng) + np.concatenate(music)
    lesson += room_noise(len(lesson), rng)[:, None]
    return lesson * min(1.0, PEAK / np.abs(lesson).max())


def save(sound: Sound, path: Path) -> None:
    """As 16-bit stereo FLAC, with its title and licence inside."""
    whole = np.round(sound * 32767).astype("<i2")
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as file:
        file.metadata.update(
            title="¿Cómo se forma un huayco?",
            artist="Chasqui",
            album="Clases de ejemplo",
            date="2026",
            language="es-PE",
        )
        file.metadata["license"] = "https://creativecommons.org/licenses/by/4.0/"
        stream = file.add_stream("flac", rate=RATE_HZ, layout="stereo")
        stream.codec_context.options = {"compression_level": "12"}
        for start in range(0, len(whole), 4_096):
            block = np.ascontiguousarray(whole[start : start + 4_096].reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="stereo")
            frame.sample_rate, frame.pts = RATE_HZ, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "clase.flac"
    lesson = perform((HERE / "guion.md").read_text(encoding="utf-8"))
    save(lesson, path)
    print(f"{path.name}: {len(lesson) / RATE_HZ:.1f} s, {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
