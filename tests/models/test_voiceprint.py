"""The speaker encoder: against PyTorch's own LSTM, and on voices."""

from __future__ import annotations

import hashlib
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from absent import missing
from clips import at_rate, excerpt

from chasqui.errors import BadModel
from chasqui.models import voiceprint

VOICES = ("speech/resemblyzer/1088-129236-0000.flac", "speech/resemblyzer/8238-274553-0000.flac")


def windows(media: Path, name: str) -> Any:
    sound = at_rate(excerpt(media / name, 0.5, 6.6), 16_000)
    mels = voiceprint.mels(sound * np.float32(10 ** (-27 / 20) / np.sqrt(np.mean(sound**2))))
    return np.stack([mels[at : at + 160] for at in range(0, len(mels) - 160, 80)])


def test_the_same_numbers_as_pytorch(media: Path) -> None:
    if find_spec("torch") is None:
        missing("torch")
    import torch

    with np.load(voiceprint.FOLDER / "weights.npz") as file:
        held = {name: torch.from_numpy(file[name].astype(np.float32)) for name in file.files}
    lstm = torch.nn.LSTM(40, 256, 3, batch_first=True)
    own = {f"weight_ih_l{n}": held[f"input_{n}"] for n in range(3)}
    own |= {f"weight_hh_l{n}": held[f"hidden_{n}"] for n in range(3)}
    own |= {f"bias_ih_l{n}": held[f"bias_{n}"] for n in range(3)}
    own |= {f"bias_hh_l{n}": torch.zeros(1024) for n in range(3)}
    lstm.load_state_dict(own)
    mels = windows(media, VOICES[0])
    with torch.no_grad():
        states, (last, _) = lstm(torch.from_numpy(mels))
        raw = torch.relu(last[-1] @ held["out_weight"].T + held["out_bias"])
        theirs = (raw / raw.norm(dim=1, keepdim=True)).numpy()
    ours = voiceprint.voiceprints(mels)
    assert np.abs(ours.prints - theirs).max() < 1e-4
    top = voiceprint.states(mels)[:, :, 512:]
    assert np.abs(top - states.numpy()[:, 9::10]).max() < 1e-4


def test_voiceprints_have_length_one_and_know_a_voice(media: Path) -> None:
    first, second = (voiceprint.voiceprints(windows(media, name)).prints for name in VOICES)
    assert np.allclose(np.linalg.norm(first, axis=1), 1, atol=1e-5)
    for own, other in ((first, second), (second, first)):
        assert (own @ own.mean(axis=0) > own @ other.mean(axis=0) + 0.05).all()


def test_batches_change_nothing(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mels = windows(media, VOICES[0])
    whole = voiceprint.voiceprints(mels)
    monkeypatch.setattr(voiceprint, "_BATCH", 2)
    parts = voiceprint.voiceprints(mels)
    assert np.allclose(whole.prints, parts.prints, atol=1e-5)
    assert np.allclose(whole.overlap, parts.overlap, atol=1e-4)
    nothing = voiceprint.voiceprints(mels[:0])
    assert nothing.prints.shape == (0, 256) and nothing.overlap.shape == (0, 16)


def test_silence_is_no_voice_and_no_number_gone_wrong() -> None:
    heard = voiceprint.voiceprints(np.zeros((2, 160, 40), np.float32))
    assert np.isfinite(heard.prints).all() and np.isfinite(heard.overlap).all()


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 half a file"])
def test_weights_that_are_missing_or_damaged(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "weights.npz").write_bytes(content)
    with pytest.raises(BadModel, match=r"weights\.npz"):
        voiceprint.network(tmp_path)


def test_the_card_tells_of_these_very_files() -> None:
    card = json.loads((voiceprint.FOLDER / "card.json").read_text(encoding="utf-8"))
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in voiceprint.FOLDER.glob("*.npz")}
    assert {name: facts["sha256"] for name, facts in card["files"].items()} == found
