"""Word error rate: how many words of what was said are not heard any more, and which.

Conventions: `reference` is what was said (the transcript of the master), `heard` what somebody understood of it (a
recogniser on the encoded voice), both as lists of written words. They are compared as spoken (`spoken.py`).

rate = (substitutions + deletions + insertions) ÷ words of the reference. It may exceed 1. Alignment and counts are
jiwer's (Levenshtein, all three cost 1); where several alignments cost the same, jiwer's choice says which word was
lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
    said, got = spoken.tokens(reference, language), spoken.tokens(heard, language)
    if not said or not got:
        return _all_or_nothing(reference, said, got)
    import jiwer

    output = jiwer.process_words(" ".join(token.text for token in said), " ".join(token.text for token in got))
    instead: dict[int, list[str]] = {}
    for chunk in output.alignments[0]:
        for offset in range(chunk.ref_end_idx - chunk.ref_start_idx):
            if chunk.type in ("substitute", "delete"):
                found = [got[chunk.hyp_start_idx + offset].text] if chunk.type == "substitute" else []
                instead.setdefault(said[chunk.ref_start_idx + offset].source, []).extend(found)
    return WordErrors(
        words=len(said),
        substitutions=output.substitutions,
        deletions=output.deletions,
        insertions=output.insertions,
        lost=tuple(Lost(at, reference[at], " ".join(words) or None) for at, words in sorted(instead.items())),
    )


def _all_or_nothing(reference: Sequence[str], said: list[spoken.Token], got: list[spoken.Token]) -> WordErrors:
    sources = sorted({token.source for token in said})
    lost = tuple(Lost(at, reference[at], None) for at in sources)
    return WordErrors(len(said), 0, len(said), len(got), lost)


def total(parts: Iterable[WordErrors]) -> WordErrors:
    """The errors of several texts as of one: long texts count more. Lost words stay with their own texts."""
    listed = list(parts)
    return WordErrors(
        words=sum(part.words for part in listed),
        substitutions=sum(part.substitutions for part in listed),
        deletions=sum(part.deletions for part in listed),
        insertions=sum(part.insertions for part in listed),
    )
