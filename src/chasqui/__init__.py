"""Chasqui: the smallest files of a recorded class that a student can still understand, with the proof beside them.

    from chasqui import pack

    for packed in pack("clase.mp3", target="understood"):
        print(packed.folder, packed.lesson.bytes)

`pack` is `chasqui.run.local.pack`, and `dataset` is `chasqui.run.dataset.dataset`, imported when first asked for.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["Packed", "__version__", "dataset", "pack"]


def __getattr__(name: str) -> Any:
    # By name and late: importing chasqui stays cheap, and the root does not lean on the rooms above it.
    if name in ("pack", "Packed"):
        return getattr(import_module("chasqui.run.local"), name)
    if name == "dataset":
        return import_module("chasqui.run.dataset").dataset
    raise AttributeError(f"module 'chasqui' has no attribute {name!r}")
