"""Sound as sequences of symbols, by name, in one look at the master for everything that is made of its frames.

| name | what |
|---|---|
| `units-100`, `units-500`, `units:FOLDER` | nearest of so many centres (`units.py`), every 20 ms; never sound again |
| `lyra-N:FOLDER` | the first N of 46 stages of Lyra v2, every 20 ms, by Google's networks in the folder |
| `encodec-N:FOLDER`, `mimi-N:FOLDER` | the first N codebooks of a codec as transformers has it, in the folder |

Without -N a codec gives all that it has. Nothing is downloaded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from chasqui.records import Analysis, AudioTokens, Master
from chasqui.store import Workspace

if TYPE_CHECKING:
    from chasqui.events import Report
    from chasqui.tokenize import Options
    from chasqui.tokenize.codec import Codec
    from chasqui.tokenize.listen import Block

CODECS = ("lyra", "encodec", "mimi")
UNITS = ("units-100", "units-500")
WHY_UNITS = "the nearest centre of the cepstra around each 20 ms; no sound can be made of them again"
_NAME = re.compile(r"(?P<kind>lyra|encodec|mimi)(?:-(?P<levels>[1-9]\d?))?:(?P<folder>.+)")


class Asked(NamedTuple):
    """What was asked for, taken apart."""

    kind: str  # units, lyra, encodec, mimi
    levels: int | None
    folder: str | None  # None: it comes along


class Heard(NamedTuple):
    """What was made of the sound."""

    audio: tuple[AudioTokens, ...]
    voice: dict[str, float]


def asked(name: str) -> Asked:
    """
    Raises:
        ValueError: nothing of that name.
    """
    if name in UNITS:
        return Asked("units", None, None)
    if name.startswith("units:") and name.removeprefix("units:"):
        return Asked("units", None, name.removeprefix("units:"))
    if found := _NAME.fullmatch(name):
        return Asked(found["kind"], int(found["levels"]) if found["levels"] else None, found["folder"])
    known = ", ".join((*UNITS, "units:FOLDER", *(f"{codec}-N:FOLDER" for codec in CODECS)))
    raise ValueError(f"there are no audio tokens {name!r}; known: {known}")


def tokenize(
    master: Master, analysis: Analysis, words: int | None, options: Options, work: Workspace, report: Report
) -> Heard:
    """Sequences in the order in which they were asked for, and how it is spoken.

    Raises:
        BadConfig: a codec's networks are not in the folder that was named, or the package that runs them is missing.
        BadModel: a folder of units that holds none.
    """
    made: dict[str, list[AudioTokens]] = {name: [] for name in options.audio}
    units = [name for name in made if asked(name).kind == "units"]
    codecs = {name: _codec(asked(name)) for name in made if name not in units}
    voice: dict[str, float] = {}
    share = 1 / (len(codecs) + 1)  # of the work that is told

    def heard(part: int) -> Callable[[float], None]:
        return lambda done_s: report.advanced((part * master.duration_s + done_s) * share, master.duration_s)

    if units or options.voice:
        voice = _frames(master, analysis, units, words, options, work, made, heard(0))
    for part, (name, codec) in enumerate(codecs.items(), 1):
        made[name].append(_coded(codec, master, work, heard(part)))
    return Heard(tuple(tokens for found in made.values() for tokens in found), voice)


def _frames(
    master: Master,
    analysis: Analysis,
    names: list[str],
    words: int | None,
    options: Options,
    work: Workspace,
    made: dict[str, list[AudioTokens]],
    heard: Callable[[float], None],
) -> dict[str, float]:
    """Units into `made`; gives how it is spoken."""
    from threadpoolctl import threadpool_limits

    from chasqui.tokenize import listen, told, units
    from chasqui.tokenize.sequence import Sequence
    from chasqui.tokenize.voice import Voice

    known = told.read(work.path(analysis.features))
    books = {name: units.load(Path(asked(name).folder or units.SHIPPED / name)) for name in names}
    likeness = known.likeness()
    voice = Voice(known) if options.voice else None
    lines = {name: Sequence(work.folder, book.vocabulary, options.runs) for name, book in books.items()}
    # The matrices are small: a second BLAS thread costs more than it gives, and could change the last bit.
    with threadpool_limits(1, user_api="blas"):
        for block in listen.blocks(work.path(master.audio), master.gain_db):
            frames = listen.frames(block)
            for name, book in books.items():
                lines[name].add(book.units(frames, likeness or book.usual)[:, None])
            if voice:
                voice.hear(block, frames)
            heard((block.start + block.samples) / listen.RATE_HZ)
    for name, book in books.items():
        made[name] += lines[name].finish(f"{book.name}@{book.version}", units.UNITS_PER_S, False, WHY_UNITS, work)
    return voice.tell(words) if voice else {}


def _codec(choice: Asked) -> Codec:
    from chasqui.tokenize import codec

    return codec.open_codec(choice.kind, Path(choice.folder or ""), choice.levels)


def _coded(codec: Codec, master: Master, work: Workspace, heard: Callable[[float], None]) -> AudioTokens:
    from chasqui.tokenize import listen
    from chasqui.tokenize.sequence import Sequence

    line = Sequence(work.folder, codec.vocabulary, runs=False)

    def sound() -> Iterator[Block]:
        before, after = codec.context
        for block in listen.blocks(work.path(master.audio), master.gain_db, before, after):
            yield block
            heard((block.start + block.samples) / listen.RATE_HZ)

    for codes in codec.encode(sound()):
        line.add(codes)
    (tokens,) = line.finish(codec.name, codec.frames_per_s, True, codec.why, work)
    return tokens
