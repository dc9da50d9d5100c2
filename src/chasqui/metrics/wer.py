"""Word error rate: how many words of what was said are not heard any more, and which.

Conventions: `reference` is what was said (the transcript of the master), `heard` what somebody understood of it (a
recogniser on the encoded voice), both as lists of written words. They are compared as spoken (`spoken.py`).

rate = (substitutions + deletions + insertions) ÷ words of the reference. It may exceed 1. Alignment and counts are
jiwer's (Levenshtein, all three cost 1); where several alignments cost the same, jiwer's choice says which word was
lost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from chasqui.metrics import spoken

VERSION = f"wer-1+{spoken.VERSION}"


@dataclass(frozen=True)
class Lost:
    """A word of the reference that was not heard, or was heard as something else."""

    position: int  # in the reference
    text: str  # as it is written there
    heard: str | None  # what was heard in its place; None: nothing


@dataclass(frozen=True)
class WordErrors:
    """How two texts differ. Counts are of spoken words: 25 counts as one, 35 (treinta y cinco) as three."""

    words: int  # of the reference
    substitutions: int
    deletions: int
    insertions: int
    lost: tuple[Lost, ...] = ()

    @property
    def rate(self) -> float | None:
        """None where nothing was said: no word can be lost."""
        return (self.substitutions + self.deletions + self.insertions) / self.words if self.words else None


def compare(reference: Sequence[str], heard: Sequence[str], language: str) -> WordErrors:
    """The differences of two lists of written words, spoken in `language` (ISO 639-1)."""
    return grouped(reference, heard, language, [0] * len(reference), [0] * len(heard)).get(0) or WordErrors(0, 0, 0, 0)


def grouped(
    reference: Sequence[str], heard: Sequence[str], language: str, groups: Sequence[int], heard_groups: Sequence[int]
) -> dict[int, WordErrors]:
    """The same by group: one in `groups` for each word of the reference, one in `heard_groups` for each word heard.

    What is wrong with a word of the reference counts in its group, an added word in its own.
    """
    found: dict[int, _Group] = defaultdict(_Group)
    for said, got in _pairs(spoken.tokens(reference, language), spoken.tokens(heard, language)):
        if said is None:
            assert got is not None  # noqa: S101 - one of the two is there
            found[heard_groups[got.source]].insertions += 1
            continue
        group = found[groups[said.source]]
        group.words += 1
        if got is None:
            group.deletions += 1
        elif got.text != said.text:
            group.substitutions += 1
        if got is None or got.text != said.text:
            group.instead.setdefault(said.source, []).extend([got.text] if got else [])
    return {name: group.errors(reference) for name, group in found.items()}


@dataclass
class _Group:
    words: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    instead: dict[int, list[str]] = field(default_factory=dict)

    def errors(self, reference: Sequence[str]) -> WordErrors:
        lost = tuple(Lost(at, reference[at], " ".join(words) or None) for at, words in sorted(self.instead.items()))
        return WordErrors(self.words, self.substitutions, self.deletions, self.insertions, lost)


def _pairs(
    said: list[spoken.Token], got: list[spoken.Token]
) -> Iterator[tuple[spoken.Token | None, spoken.Token | None]]:
    """Each token beside the one that stands for it; None where there is none."""
    if not said or not got:
        yield from ((token, None) for token in said)
        yield from ((None, token) for token in got)
        return
    import jiwer

    output = jiwer.process_words(" ".join(token.text for token in said), " ".join(token.text for token in got))
    for chunk in output.alignments[0]:
        yield from zip_longest(
            said[chunk.ref_start_idx : chunk.ref_end_idx], got[chunk.hyp_start_idx : chunk.hyp_end_idx]
        )


def total(parts: Iterable[WordErrors]) -> WordErrors:
    """The errors of several texts as of one: long texts count more. Lost words stay with their own texts."""
    listed = list(parts)
    return WordErrors(
        words=sum(part.words for part in listed),
        substitutions=sum(part.substitutions for part in listed),
        deletions=sum(part.deletions for part in listed),
        insertions=sum(part.insertions for part in listed),
    )
