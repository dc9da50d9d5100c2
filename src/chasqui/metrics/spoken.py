"""Makes texts comparable by what is spoken: two ways of writing the same words become the same tokens.

Case, punctuation and hyphens go. Numbers in digits become words (25 % → veinticinco por ciento), abbreviations what
they stand for, hesitations nothing. In Spanish the accents of vowels go too: a recogniser that writes "esta" for
"está" has lost no word; ñ stays, because año and ano are two words. Other languages than Spanish and English keep
their letters and their digits: nobody taught us how they are read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from chasqui.metrics.numbers import LARGEST, NUMBER_WORDS, digits, in_words, ordinal, year

#: Raise it whenever the same texts may give other tokens.
VERSION = "spoken-1"

#: Sounds of somebody who thinks. Recognisers leave them out or not, as they like.
HESITATIONS = frozenset({"eh", "ehm", "em", "hm", "hmm", "mm", "mmm", "mhm", "uh", "um", "uhm"})

ABBREVIATIONS = {
    "es": {
        "sr": "señor",
        "sra": "señora",
        "srta": "señorita",
        "dr": "doctor",
        "dra": "doctora",
        "ud": "usted",
        "uds": "ustedes",
        "etc": "etcetera",
        "nro": "numero",
        "prof": "profesor",
    },
    "en": {"mr": "mister", "mrs": "missus", "dr": "doctor", "etc": "etcetera", "prof": "professor"},
}
#: What a sign is called; currencies are left out, because $ is soles, pesos or dollars.
SIGNS = {
    "es": {"%": ["por", "ciento"], "+": ["mas"], "=": ["igual"], "&": ["y"], "°": ["grados"]},
    "en": {"%": ["percent"], "+": ["plus"], "=": ["equals"], "&": ["and"], "°": ["degrees"]},
}
POINTS = {"es": {",": "coma", ".": "punto"}, "en": {",": "point", ".": "point"}}

#: Behind these, "and" is only a way of speaking.
HUNDREDS = frozenset({"hundred", "thousand", "million", "billion"})

#: Written apart by some, together by others, or said with another ending: one form for each.
ONE_FORM = {
    "veintiun": "veintiuno",
    "veintiuna": "veintiuno",
    **{f"{head}cientas": f"{head}cientos" for head in ("dos", "tres", "cuatro", "seis", "sete", "ocho", "nove")},
    "quinientas": "quinientos",
    "primera": "primero",
    "primer": "primero",
    "tercer": "tercero",
    "tercera": "tercero",
}

_PIECE = re.compile(
    r"""(?P<ordinal>\d{1,9})(?P<end>st|nd|rd|th|er|ero|era|[ºª]|do|da|to|ta|mo|ma|vo|va)(?![^\W\d_])
      | (?P<number>\d+(?:[.,]\d+)*)
      | (?P<letters>[^\W\d_]+(?:'[^\W\d_]+)*)
      | (?P<sign>[%+=&°])""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """One comparable word, and which written word it comes from."""

    text: str
    source: int


def tokens(words: Sequence[str], language: str) -> list[Token]:
    """The comparable tokens of written words; a word may give none (punctuation) or several (a number)."""
    found = [Token(text, place) for place, word in enumerate(words) for text in _of_word(word, language)]
    return list(_joined(found, language))


def plain(text: str, language: str) -> str:
    """A text as its tokens, with spaces between."""
    return " ".join(token.text for token in tokens(text.split(), language))


def _joined(found: list[Token], language: str) -> Iterator[Token]:
    """What only the neighbours tell: "one hundred and five", "treinta y una"."""
    numbers = NUMBER_WORDS.get(language, frozenset())
    for place, token in enumerate(found):
        before = found[place - 1].text if place else ""
        after = found[place + 1].text if place + 1 < len(found) else ""
        if language == "en" and token.text == "and" and before in HUNDREDS and after in numbers:
            continue
        if language == "es" and token.text in ("un", "una") and before == "y" and _tens_before(found, place):
            yield Token("uno", token.source)
        else:
            yield token


def _tens_before(found: list[Token], place: int) -> bool:
    return place >= 2 and found[place - 2].text.endswith("nta") and found[place - 2].text in NUMBER_WORDS["es"]


@lru_cache(maxsize=1 << 14)
def _of_word(word: str, language: str) -> tuple[str, ...]:
    text = unicodedata.normalize("NFKC", word)
    text = _folded(_keep_ordinals(word, text).lower().replace("’", "'"), language)
    found: list[str] = []
    for piece in _PIECE.finditer(text):
        if letters := piece["letters"]:
            found += _letters(letters, language)
        elif language not in SIGNS:
            found += [piece[0]] if piece["sign"] is None else []
        elif piece["sign"]:
            found += SIGNS[language][piece["sign"]]
        elif piece["ordinal"]:
            found += ordinal(int(piece["ordinal"]), language)
        else:
            found += _number(piece["number"], language)
    return tuple(found)


def _letters(letters: str, language: str) -> list[str]:
    if letters in HESITATIONS and language in ABBREVIATIONS:
        return []
    full = ABBREVIATIONS.get(language, {}).get(letters, letters)
    return [ONE_FORM.get(full, full) if language == "es" else full]


def _folded(text: str, language: str) -> str:
    """Letters without the marks that do not count: in Spanish all but the tilde of ñ, in English all."""
    if language not in ("es", "en"):
        return text
    kept = "ñ" if language == "es" else ""
    return "".join(letter if letter in kept else _bare(letter) for letter in unicodedata.normalize("NFC", text))


def _bare(letter: str) -> str:
    return "".join(part for part in unicodedata.normalize("NFD", letter) if unicodedata.category(part) != "Mn")


def _number(text: str, language: str) -> list[str]:
    """The words of a number as it is written: groups of three are thousands, what else follows a point is decimals."""
    whole, decimals, point = text, "", ""
    if re.fullmatch(r"[1-9]\d{0,2}(?:([.,])\d{3})(?:\1\d{3})*", text):
        return _whole(re.sub(r"[.,]", "", text), language, grouped=True)
    if found := re.fullmatch(r"([1-9]\d{0,2}(?:,\d{3})+)(\.)(\d+)|([1-9]\d{0,2}(?:\.\d{3})+)(,)(\d+)", text):
        head, point, decimals = (part for part in found.groups() if part is not None)
        whole = re.sub(r"[.,]", "", head)
    elif text.count(".") + text.count(",") == 1:
        whole, point, decimals = re.split(r"([.,])", text)
    elif not text.isdecimal():  # 1.2.3: a date, a version
        return [word for part in re.split(r"[.,]", text) for word in _whole(part, language)]
    said = _whole(whole, language, grouped=bool(decimals))
    return [*said, POINTS[language][point], *_decimals(decimals, language)] if decimals else said


def _decimals(text: str, language: str) -> list[str]:
    if language == "es" and len(text) <= 2 and not text.startswith("0"):
        return in_words(int(text), "es")
    return digits(_ascii(text), language)


def _whole(text: str, language: str, grouped: bool = False) -> list[str]:
    text = _ascii(text)
    if (len(text) > 1 and text.startswith("0")) or int(text) > LARGEST:
        return digits(text, language)
    number = int(text)
    if language == "en" and not grouped and len(text) == 4 and (1100 <= number < 2000 or 2010 <= number < 2100):
        return year(number)
    return in_words(number, language)


def _ascii(text: str) -> str:
    return "".join(str(unicodedata.decimal(digit)) for digit in text)


def _keep_ordinals(word: str, text: str) -> str:
    """NFKC turns º and ª into o and a; behind a digit they make an ordinal."""
    return re.sub(r"(\d)[oa](?![^\W\d_])", r"\1º", text) if "º" in word or "ª" in word else text
