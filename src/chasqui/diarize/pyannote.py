"""pyannote.audio, for who has it and one of its pipelines: `--set diarize.by=pyannote:FOLDER_OR_NAME`.

Its models are not free to copy, so none is here; a folder that was fetched under its terms, or a name that it finds
itself, is given to it as it is. What comes back is turned into our turns.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from chasqui.errors import NoDiarizer
from chasqui.media.flac import read_master
from chasqui.metrics.resample import third
from chasqui.records import Turn

RATE_HZ = 16_000


def apply(model: str, master: Path, gain_db: float, count: int | None) -> list[Turn]:
    """The turns that a pipeline of pyannote.audio finds in a master.

    Raises:
        NoDiarizer: there is no pyannote.audio, or it cannot open that model.
    """
    try:
        torch, audio = import_module("torch"), import_module("pyannote.audio")
    except ImportError as error:
        why = f"the package {error.name or 'pyannote.audio'} is missing; install it with: pip install pyannote.audio"
        raise NoDiarizer(name=f"pyannote:{model}", why=why) from error
    try:
        pipeline = audio.Pipeline.from_pretrained(model)
    except (OSError, ValueError, RuntimeError) as error:
        raise NoDiarizer(name=f"pyannote:{model}", why=str(error)) from error
    if pipeline is None:  # its way of saying that the terms of a model were not accepted
        raise NoDiarizer(name=f"pyannote:{model}", why="pyannote.audio may not fetch it")
    # It wants all of it at once: 230 MB per hour. Blocks of 12 s are whole thirds.
    sound = np.concatenate([third()(block) for block in read_master(master, gain_db, block=12 * 48_000)])
    found = pipeline({"waveform": torch.from_numpy(sound)[None], "sample_rate": RATE_HZ}, num_speakers=count)
    return turns(getattr(found, "speaker_diarization", found))  # from version 4 it wraps its answer


def turns(annotation: Any) -> list[Turn]:
    """A pyannote.core.Annotation as turns, speakers numbered in the order in which they first speak."""
    names: dict[str, str] = {}
    return [
        Turn(
            start_s=round(max(float(piece.start), 0.0), 3),
            end_s=round(float(piece.end), 3),
            speaker=names.setdefault(str(name), str(len(names) + 1)),
        )
        for piece, _, name in annotation.itertracks(yield_label=True)
    ]
