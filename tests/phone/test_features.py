"""Features computed on the phone are the server's."""

from __future__ import annotations

import clips
import numpy as np
import pytest

from chasqui.analyze import features
from chasqui.clean.loudness import Loudness
from phone import server, twin

#: Voices, music and noise, long enough to cross the blocks of 12 s on which every grid begins afresh.
SUGAR_PLUM = "noise_music/data/Kevin_MacLeod_-_P_I_Tchaikovsky_Dance_of_the_Sugar_Plum_Fairy.hq.ogg"
SOUNDS = {
    "voices": (clips.SPEECH, 9.0, 0.0),
    "phone": (("speech/speech-to-text-nodejs/en-GB_Narrowband_sample1.wav",), 22.0, 0.0),  # nothing above 4 kHz
    "noise": (("noise_music/max-audio-classifier/train.wav", clips.SPEECH[0]), 13.0, 0.0),
    "music": ((SUGAR_PLUM,), 26.0, 2.0),  # before that it is digitally silent
}


@pytest.fixture(scope="module", params=SOUNDS)
def sound(request, media, tmp_path_factory):
    """(PCM, its file) of one of SOUNDS."""
    pcm = server.joined(media, *SOUNDS[request.param])
    path = tmp_path_factory.mktemp("pcm") / "sound.f32"
    pcm.tofile(path)
    return pcm, path


def test_the_names_are_the_servers(names):
    assert set(names) < set(features.NAMES)
    left = set(features.NAMES) - set(names)
    told = {"snr_db", "speech_share", "music_share", "duration_s", "level_dbfs", "peak_dbfs", "bandwidth_hz"}
    assert told < left
    assert len(names) == len(set(names))


def test_features_equal(sound, ask, names):
    pcm, path = sound
    told = ask("stream", pcm=path, gain=1.0, model=twin.plain(names))["gave"]["segments"]
    found = np.array([segment["features"] for segment in told])
    expected = server.summaries(pcm, told, names)
    assert sum(segment["packets"] for segment in told) == -(-len(pcm) // 2880)
    # Against the value itself, or, where that is near zero, against the column's spread over real recordings. Signs of
    # samples that are all but zero are up to rounding, and the server rounds to 24 bits.
    size = np.maximum(np.abs(expected), [twin.spread()[1].get(name, 1.0) for name in names])
    allowed = [1e-3 if name.startswith("zero_crossings") else 1e-4 for name in names]
    worst = (np.abs(found - expected) / size / allowed).max(axis=0)
    assert worst.max() < 1, names[int(worst.argmax())]


def test_loudness_equals(sound, ask):
    pcm, path = sound
    known = Loudness()
    known.add(pcm.astype(np.float64))
    assert ask("loudness", pcm=path)["gave"] == pytest.approx(known.integrated_lufs(), abs=1e-4)


def test_pieces_of_any_size_give_the_same(sound, ask, names):
    pcm, path = sound
    model = twin.plain(names)
    known = Loudness()
    known.add(pcm.astype(np.float64))
    gain = 10 ** ((-19 - known.integrated_lufs()) / 20)
    whole = ask("estimate", pcm=path, rate=48_000, model=model)["gave"]
    pieces = ask("stream", pcm=path, gain=gain, model=model)["gave"]
    assert pieces["bytes"] == whole["bytes"]
    for one, other in zip(pieces["segments"], whole["segments"], strict=True):
        assert one["features"] == pytest.approx(other["features"], rel=1e-4, abs=1e-4)
