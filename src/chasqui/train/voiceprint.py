"""Makes `models/speaker/weights.npz` out of the package Resemblyzer: `python -m chasqui.train.voiceprint WHEEL`.

Torch reads its checkpoint; what is left are the weights of the encoder in half precision, without what only its
training needed.
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from chasqui.models.voiceprint import FOLDER

MEMBER = "resemblyzer/pretrained.pt"
#: Of the checkpoint in Resemblyzer 0.1.4.
SHA256 = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"


def convert(wheel: Path, target: Path) -> None:
    """Write the weights that the wheel carries to `target`.

    Raises:
        ValueError: another checkpoint than the one that this was written for.
    """
    import torch

    content = zipfile.ZipFile(wheel).read(MEMBER)
    if (found := hashlib.sha256(content).hexdigest()) != SHA256:
        raise ValueError(f"{MEMBER} is {found}, not {SHA256}")
    # The hash above is what makes a pickle from outside safe to open.
    held = torch.load(io.BytesIO(content), map_location="cpu", weights_only=False)["model_state"]
    weights: dict[str, Any] = {"out_weight": held["linear.weight"], "out_bias": held["linear.bias"]}
    for layer in range(3):
        weights[f"input_{layer}"] = held[f"lstm.weight_ih_l{layer}"]
        weights[f"hidden_{layer}"] = held[f"lstm.weight_hh_l{layer}"]
        weights[f"bias_{layer}"] = held[f"lstm.bias_ih_l{layer}"] + held[f"lstm.bias_hh_l{layer}"]
    # The biases weigh nothing, and halving their sum is no help to anybody who compares.
    halved = {n: np.asarray(w, np.float32 if "bias" in n else np.float16) for n, w in sorted(weights.items())}
    save: Callable[..., None] = np.savez_compressed
    with target.open("wb") as file:
        save(file, **halved)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), FOLDER / "weights.npz")
