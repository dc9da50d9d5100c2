"""Takes: drawn from a seed, never across the split."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from chasqui.train.material import (
    GROUP_S,
    LONGEST_S,
    WORDS_GROUP_S,
    Recipe,
    Take,
    split,
    takes,
)
from chasqui.train.sources import Source, sources

SEED = 1


def source(group: str, index: int, content: str = "speech", seconds: float = 10.0) -> Source:
    return Source(f"{group}/{index}.wav", content, "own", "es", group, seconds, "CC0")  # type: ignore[arg-type]


FOUND = [
    *(source(f"speaker-{n:02d}", i) for n in range(12) for i in range(2)),
    *(source(f"noise-{n}", 0, "noise") for n in range(6)),
    *(source(f"music-{n}", 0, "music", 30.0) for n in range(6)),
    *(source(f"room-{n}", 0, "room", 1.0) for n in range(6)),
]


def made(found: list[Source] = FOUND, seed: int = SEED, recipe: Recipe | None = None) -> list[Take]:
    return takes(found, split(found, seed), recipe or Recipe(), seed)


def test_the_same_seed_gives_the_same_takes_and_another_seed_others() -> None:
    assert made() == made()
    assert {take.take_id for take in made()}.isdisjoint(take.take_id for take in made(seed=2))


def test_nothing_is_mixed_across_the_split() -> None:
    parts = split(FOUND, SEED)
    part_of = {one.path: parts[one.group] for one in FOUND}
    mixed = 0
    for take in made():
        inside = [*take.sources, *take.noise_files, *([take.bed] if take.bed else [])]
        inside += [take.room] if take.room in part_of else []
        assert {part_of[path] for path in inside} == {take.part}
        assert ":" not in take.room or parts[take.room] == take.part
        mixed += len(inside) > 1
    assert mixed > 50


def test_every_recording_comes_clean_and_with_every_treatment() -> None:
    found = Counter(take.treatment for take in made())
    assert found["clean"] == len([one for one in FOUND if one.content != "room"])
    for treatment in ("noise", "room", "bed", "pair", "telephone", "opus-8", "mp3-32"):
        assert any(treatment in name.split("+") for name in found)


def test_treatments_come_as_often_as_the_recipe_says() -> None:
    some = made(recipe=Recipe(noise=1, room=0, bed=0, channel=0, music=1))
    speech = [take for take in some if take.content == "speech"]
    assert Counter(take.treatment for take in speech) == {"clean": 24, "noise": 24}


def test_more_of_one_treatment_changes_nothing_about_the_others() -> None:
    few, many = (made(recipe=Recipe(noise=n)) for n in (1, 2))
    assert {take.take_id for take in few} < {take.take_id for take in many}


def test_takes_have_names_of_their_own() -> None:
    some = made()
    assert len({take.take_id for take in some}) == len(some)


def test_a_long_recording_is_taken_in_pieces_and_no_speaker_drowns_the_others() -> None:
    found = [source("long", 0, seconds=3600.0), source("short", 0, seconds=20.0)]
    clean = [take for take in made(found) if take.treatment == "clean" and take.group == "long"]
    assert all(take.seconds <= LONGEST_S for take in clean)
    assert sum(take.seconds for take in clean) == pytest.approx(GROUP_S, abs=LONGEST_S)
    assert len({take.start_s for take in clean}) == len(clean)


def test_without_noises_others_babble_and_without_them_nothing_is_added() -> None:
    speakers = [source(f"speaker-{n:02d}", 0) for n in range(40)]
    assert {take.noise for take in made(speakers) if take.noise} == {"babble"}
    alone = made([source("ana", 0), source("luis", 0)])
    assert not any(take.noise or take.bed for take in alone)
    assert Counter(take.treatment for take in alone)["clean"] == 2  # and not once more for each treatment


def test_a_speaker_does_not_babble_under_themselves() -> None:
    for take in made([source(f"speaker-{n:02d}", 0) for n in range(40)]):
        assert not {Path(path).parent.name for path in take.noise_files} & {take.group}


def test_words_are_joined_into_takes(media: Path) -> None:
    found, _ = sources(media)
    some = [take for take in made(found) if take.content == "words" and take.treatment == "clean"]
    assert {take.language for take in some} == {"es", "en"}
    for take in some:
        assert len(take.sources) > 3
    for group in ("gcompris-es", "gcompris-en"):
        assert sum(take.seconds for take in some if take.group == group) <= WORDS_GROUP_S + 20


def test_any_beginning_is_like_the_whole(media: Path) -> None:
    some = made(sources(media)[0])
    first = some[: len(some) // 5]
    for kind in ("noise", "clean", "room"):
        whole, part = (sum(kind in take.treatment for take in list_) / len(list_) for list_ in (some, first))
        assert part == pytest.approx(whole, abs=0.08)
