"""What is done to the recordings before they are labelled: takes, each with its treatment, drawn from a seed.

Teachers record in echoing rooms beside a street, put music under their voice, and send on what a telephone or a
messenger has squeezed already. Every recording comes clean, and again with such things done to it. A take is drawn from
the seed, its recording and its variant alone, so that one recording more changes nothing about the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from chasqui.train.sources import Source, by_group
from chasqui.train.split import Member, Part, assign, shuffled

Channel = Literal["telephone", "mp3-32", "opus-8"]

CHANNELS: tuple[Channel, ...] = ("telephone", "mp3-32", "opus-8")
NOISE_SNR_DB = (0.0, 5.0, 10.0, 15.0, 20.0)
BED_DB = (5.0, 20.0)  # speech above the music bed
PAIR_DB = (0.0, 15.0)  # one sound above the other, where two are mixed
#: Rooms that are synthesised beside the measured ones: decay time in seconds (classrooms have 0.4–0.9).
ROOMS, RT60_S = 15, (0.3, 0.9)
#: How many speakers of the same part babble at once.
BABBLE = 5
LONGEST_S = 60.0  # of one take
GROUP_S = 300.0  # of one group, clean: no speaker may drown the others
WORDS_GROUP_S = 150.0  # the same of single words, which resemble each other
WORDS_S = 20.0  # of a take of single words
GAP_S = (0.25, 1.0)  # between them, as when somebody reads a list


@dataclass(frozen=True)
class Take:
    """One recording to label: what is in it, what was done to it, who it belongs to. All that `mixing` needs."""

    sources: tuple[str, ...]
    start_s: float
    seconds: float  # of the sources, before joining
    content: str
    corpus: str
    language: str
    group: str
    part: Part
    licence: str
    treatment: str  # clean, or noise, room, bed, pair and a channel, joined by +
    seed: int
    noise: str = ""  # the file, or "babble"
    noise_files: tuple[str, ...] = ()
    snr_db: float | None = None
    room: str = ""  # the file, or "room-03:0.45" with its decay time
    bed: str = ""
    bed_db: float | None = None
    channel: str = ""

    @property
    def take_id(self) -> str:
        """Known by everything that it is made of."""
        return hashlib.sha256(repr(sorted(asdict(self).items())).encode()).hexdigest()[:12]

    def as_json(self) -> dict[str, Any]:
        """A flat dictionary."""
        return asdict(self)


@dataclass(frozen=True)
class Pool:
    """What may be mixed into the takes of one part."""

    noises: tuple[Source, ...]
    rooms: tuple[str, ...]
    beds: tuple[Source, ...]
    voices: tuple[Source, ...]


@dataclass(frozen=True)
class Recipe:
    """How often a recording comes again, by treatment: 0.5 is every second one, 2.5 is two or three times each."""

    noise: float = 2.5
    room: float = 0.5
    bed: float = 0.5
    channel: float = 0.5
    music: int = 5  # variants of each sound that is not speech, the clean one included


def split(found: list[Source], seed: int) -> dict[str, Part]:
    """The part of every group, and of every room, measured or synthesised."""
    members = []
    for group, sources in by_group(found):
        first, seconds = sources[0], sum(source.seconds for source in sources)
        if first.content == "room":
            members.append(Member(group, ("measured room", "room"), 1.0))
        elif first.content in ("speech", "words"):
            strata = (f"{first.corpus}:{first.language}", first.language, "speech")
            members.append(Member(group, strata, min(seconds, GROUP_S)))
        else:
            members.append(Member(group, (first.content,), 1.0))  # a variety of sounds counts, not their length
    members += [Member(room, ("room",), 1.0) for room in _rooms(seed)]
    # Speech, music, noise and rooms have no stratum in common: each is shared out by itself.
    parts: dict[str, Part] = {}
    for kind in sorted({member.strata[-1] for member in members}):
        parts |= assign([member for member in members if member.strata[-1] == kind], seed)
    return parts


def takes(found: list[Source], parts: dict[str, Part], recipe: Recipe, seed: int) -> list[Take]:
    """All takes, in an order of the seed's, so that any beginning of the list is like the whole."""
    pools = {part: _pool(found, parts, part, seed) for part in sorted(set(parts.values()))}
    made: list[Take] = []
    for group, sources in by_group(found):
        pool = pools[parts[group]]
        for base in _bases(sources, parts[group], seed):
            speech = base.content in ("speech", "words")
            again = _speech(base, pool, recipe, seed) if speech else _music(base, pool, recipe, seed)
            # Where the folder has no noise or room to add, a variant is the clean take once more.
            made += [base, *(take for take in again if take.treatment != "clean")]
    return sorted(made, key=lambda take: shuffled(seed, take.take_id))


def _bases(sources: list[Source], part: Part, seed: int) -> Iterator[Take]:
    """The clean takes of one group."""
    left = WORDS_GROUP_S if sources[0].content == "words" else GROUP_S
    for bundle, start, seconds in _bundles(sources, seed):
        if left <= 0:
            return
        left -= seconds
        first = bundle[0]
        yield Take(
            sources=tuple(source.path for source in bundle),
            start_s=start,
            seconds=round(seconds, 3),
            content=first.content,
            corpus=first.corpus,
            language=first.language,
            group=first.group,
            part=part,
            licence=first.licence,
            treatment="clean",
            seed=_number(seed, first.path, str(start)),
        )


def _bundles(sources: list[Source], seed: int) -> Iterator[tuple[list[Source], float, float]]:
    """(clips to join, start, seconds): long files in pieces, words and short clips of one speaker in a row."""
    short = [source for source in sources if source.content == "words" or source.seconds < 4.0]
    for source in sources:
        if source not in short and source.content != "room":
            pieces = max(1, round(source.seconds / LONGEST_S))
            for piece in range(pieces):
                length = min(source.seconds / pieces, LONGEST_S)
                yield [source], round(piece * source.seconds / pieces, 3), length
    row: list[Source] = []
    for source in sorted(short, key=lambda source: shuffled(seed, source.path)):
        if source.content == "room":
            continue
        row.append(source)
        if sum(one.seconds for one in row) + 0.6 * len(row) >= WORDS_S:
            yield row, 0.0, sum(one.seconds for one in row)
            row = []
    if sum(one.seconds for one in row) >= 4.0:
        yield row, 0.0, sum(one.seconds for one in row)


def _speech(base: Take, pool: Pool, recipe: Recipe, seed: int) -> Iterator[Take]:
    """Speech once more, as classrooms, streets and messengers leave it."""
    for variant in range(_times(recipe.noise, base, "noise", seed)):
        dice = _dice(seed, base, f"noise {variant}")
        echo = variant % 2 == 1 and dice.random() < 0.3
        yield _treated(base, pool, dice, noise=True, room=echo)
    for variant in range(_times(recipe.room, base, "room", seed)):
        dice = _dice(seed, base, f"room {variant}")
        yield _treated(base, pool, dice, room=True, noise=dice.random() < 0.5, quiet=True)
    for variant in range(_times(recipe.bed, base, "bed", seed)):
        yield _treated(base, pool, _dice(seed, base, f"bed {variant}"), bed=True)
    for variant in range(_times(recipe.channel, base, "channel", seed)):
        dice = _dice(seed, base, f"channel {variant}")
        yield _treated(base, pool, dice, channel=True, noise=dice.random() < 0.4, quiet=True)


def _music(base: Take, pool: Pool, recipe: Recipe, seed: int) -> Iterator[Take]:
    """A sound that is not speech, once more: in pairs, in rooms, squeezed, and from another place in it."""
    for variant in range(1, recipe.music):
        dice = _dice(seed, base, f"music {variant}")
        later = min(float(dice.uniform(0.5, 4)), max(base.seconds - 5.0, 0.0))
        moved = _with(base, start_s=round(base.start_s + later, 3), seconds=round(base.seconds - later, 3))
        kind = ("pair", "room", "pair", "channel")[(variant - 1) % 4]
        yield _treated(moved, pool, dice, pair=kind == "pair", room=kind == "room", channel=kind == "channel")


def _treated(
    base: Take,
    pool: Pool,
    dice: np.random.Generator,
    *,
    noise: bool = False,
    room: bool = False,
    bed: bool = False,
    pair: bool = False,
    channel: bool = False,
    quiet: bool = False,
) -> Take:
    """The base with these things done to it; what the folder does not offer is left out."""
    said: list[str] = []
    facts: dict[str, Any] = {"seed": int(dice.integers(2**31))}
    if room and pool.rooms:
        facts["room"] = str(dice.choice(pool.rooms))
        said.append("room")
    if noise and (mixed := _noise(base, pool, dice)):
        levels = NOISE_SNR_DB[2:] if quiet else NOISE_SNR_DB
        facts |= mixed | {"snr_db": float(dice.choice(levels))}
        said.append("noise")
    others = [source for source in (*pool.beds, *(pool.noises if pair else ())) if source.group != base.group]
    if (bed or pair) and others:
        facts["bed"] = others[int(dice.integers(len(others)))].path
        facts["bed_db"] = round(float(dice.uniform(*(PAIR_DB if pair else BED_DB))), 1)
        said.append("pair" if pair else "bed")
    if channel:
        facts["channel"] = str(dice.choice(CHANNELS))
        said.append(facts["channel"])
    return _with(base, treatment="+".join(said) or "clean", **facts)


def _noise(base: Take, pool: Pool, dice: np.random.Generator) -> dict[str, Any]:
    """One of the noises, or the babble of other speakers: a class that does not listen. Babble is one draw in six."""
    groups = sorted({voice.group for voice in pool.voices} - {base.group})
    if len(groups) >= BABBLE and (not pool.noises or dice.random() < 1 / 6):
        chosen = dice.choice(groups, BABBLE, replace=False)
        files = [next(voice.path for voice in pool.voices if voice.group == group) for group in chosen]
        return {"noise": "babble", "noise_files": tuple(files)}
    if not pool.noises:
        return {}
    path = pool.noises[int(dice.integers(len(pool.noises)))].path
    return {"noise": path, "noise_files": (path,)}


def _pool(found: list[Source], parts: dict[str, Part], part: Part, seed: int) -> Pool:
    here = [source for source in found if parts[source.group] == part]
    measured = tuple(source.path for source in here if source.content == "room")
    made = tuple(room for room in _rooms(seed) if parts.get(room) == part)
    return Pool(
        noises=tuple(source for source in here if source.content == "noise"),
        rooms=measured * 2 + made,  # a measured room is worth two
        beds=tuple(source for source in here if source.content == "music"),
        voices=tuple(source for source in here if source.content == "speech" and source.seconds >= 8.0),
    )


def _rooms(seed: int) -> list[str]:
    """Names of the synthesised rooms, with their decay times."""
    dice = np.random.default_rng(_number(seed, "rooms", ""))
    return [f"room-{index:02d}:{decay:.2f}" for index, decay in enumerate(dice.uniform(*RT60_S, ROOMS))]


def _times(often: float, base: Take, what: str, seed: int) -> int:
    whole = int(often)
    return whole + (_dice(seed, base, f"times {what}").random() < often - whole)


def _dice(seed: int, base: Take, what: str) -> np.random.Generator:
    return np.random.default_rng(_number(seed, *base.sources, str(base.start_s), what))


def _number(seed: int, *words: str) -> int:
    return int.from_bytes(hashlib.sha256("\n".join((str(seed), *words)).encode()).digest()[:4], "big") >> 1


def _with(base: Take, **facts: Any) -> Take:
    return Take(**{**asdict(base), **facts})
