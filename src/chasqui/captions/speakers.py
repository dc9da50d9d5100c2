"""Which speaker says which word, and what speakers are called where nobody knows their names."""

from __future__ import annotations

from collections.abc import Sequence

from chasqui.records import Turn, Word

#: In the language of the text, else in English. An infinite supply: "Persona 1", "Persona 2" …
NAMES = {"es": "Persona", "en": "Speaker", "fr": "Personne", "pt": "Pessoa", "de": "Person", "it": "Persona"}
#: A word this far from every turn belongs to the nearest all the same: recognisers shift words by as much.
NEAR_S = 1.0


def spoken_by(words: Sequence[Word], turns: Sequence[Turn]) -> list[Word]:
    """The words in order of their times, each with the speaker whose turns cover most of it, or the nearest within
    NEAR_S; as they are where only one speaks. Speakers that a person named stay.
    """
    ordered = sorted(words, key=lambda word: word.start_s)
    if len({turn.speaker for turn in turns}) < 2:
        return ordered
    waiting = sorted(turns, key=lambda turn: turn.start_s)
    first, found = 0, []
    for word in ordered:
        # Turns are in order of their beginnings; a long one may end after many that begin later.
        while first < len(waiting) and waiting[first].end_s < word.start_s - NEAR_S:
            first += 1
        if word.speaker is None and (speaker := _speaker(word, waiting, first)):
            word = word.model_copy(update={"speaker": speaker})
        found.append(word)
    return found


def _speaker(word: Word, turns: Sequence[Turn], first: int) -> str | None:
    covered: dict[str, float] = {}
    nearest: tuple[float, str] | None = None
    for turn in turns[first:]:
        if turn.start_s > word.end_s + NEAR_S:
            break
        shared_s = min(turn.end_s, word.end_s) - max(turn.start_s, word.start_s)
        if shared_s > 0:
            covered[turn.speaker] = covered.get(turn.speaker, 0.0) + shared_s
        elif -shared_s <= NEAR_S and (nearest is None or -shared_s < nearest[0]):
            nearest = (-shared_s, turn.speaker)
    if covered:
        return max(covered, key=lambda name: covered[name])
    return nearest[1] if nearest else None


def shown(speaker: str | None, language: str | None) -> str | None:
    """What a speaker is called on the screen: their name, or "Persona 2" for the second without one."""
    if speaker is None or not speaker.isdigit():
        return speaker
    return f"{NAMES.get(language or '', NAMES['en'])} {speaker}"
