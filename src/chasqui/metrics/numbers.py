"""Numbers as they are spoken, in Spanish and English: 1532 → mil quinientos treinta y dos.

Written for comparing words, not for typesetting: no accents (veintidos), always masculine, English without "and".
"""

from __future__ import annotations

from collections.abc import Iterator

#: Beyond this nobody reads a number as one; its digits are named one by one.
LARGEST = 10**12 - 1

_ES_SMALL = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete "
    "dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis veintisiete "
    "veintiocho veintinueve"
)
_ES_TENS = "treinta cuarenta cincuenta sesenta setenta ochenta noventa"
_ES_HUNDREDS = "ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"
_EN_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_EN_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_EN_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_ES_ORDINALS = "primero segundo tercero cuarto quinto sexto septimo octavo noveno decimo"

ES_SMALL, ES_TENS, ES_HUNDREDS = _ES_SMALL.split(), _ES_TENS.split(), _ES_HUNDREDS.split()
EN_SMALL, EN_TENS = _EN_SMALL.split(), _EN_TENS.split()
ES_ORDINALS = _ES_ORDINALS.split()

#: Every word that numbers are made of, by language.
NUMBER_WORDS = {
    "es": frozenset([*ES_SMALL, *ES_TENS, *ES_HUNDREDS, "cien", "mil", "millon", "millones"]),
    "en": frozenset([*EN_SMALL, *EN_TENS, "hundred", "thousand", "million", "billion"]),
}


def in_words(number: int, language: str) -> list[str]:
    """The words of a whole number from 0 to LARGEST.

    Raises:
        ValueError: another number, or a language that nobody taught us to count in.
    """
    if not 0 <= number <= LARGEST:
        raise ValueError(f"{number} is not between 0 and {LARGEST}")
    if language not in ("es", "en"):
        raise ValueError(f"no numbers in {language!r}")
    if number == 0:
        return ["cero" if language == "es" else "zero"]
    return list(_spanish(number) if language == "es" else _english(number))


def digits(text: str, language: str) -> list[str]:
    """Each digit by its name, as telephone numbers and decimals are read."""
    return [word for digit in text for word in in_words(int(digit), language)]


def year(number: int) -> list[str]:
    """An English year as it is said: nineteen eighty four, two thousand five, twenty ten."""
    century, rest = divmod(number, 100)
    if rest == 0 and century % 10 == 0:
        return in_words(number, "en")
    if century % 10 == 0 and rest < 10:  # 2005
        return in_words(number, "en")
    head = in_words(century, "en")
    if rest == 0:
        return [*head, "hundred"]
    return [*head, "oh", *in_words(rest, "en")] if rest < 10 else [*head, *in_words(rest, "en")]


def ordinal(number: int, language: str) -> list[str]:
    """First, twenty second; primero … decimo. Spanish beyond ten says the plain number, as people do."""
    if language == "es":
        return [ES_ORDINALS[number - 1]] if 1 <= number <= len(ES_ORDINALS) else in_words(number, "es")
    *head, last = in_words(number, "en")
    return [*head, _EN_ORDINALS.get(last) or (last[:-1] + "ieth" if last.endswith("y") else last + "th")]


def _spanish(number: int) -> Iterator[str]:
    millions, rest = divmod(number, 1_000_000)
    if millions:
        yield from _before_noun(list(_spanish_thousands(millions)))
        yield "millon" if millions == 1 else "millones"
    yield from _spanish_thousands(rest)


def _spanish_thousands(number: int) -> Iterator[str]:
    thousands, rest = divmod(number, 1000)
    if thousands > 1:
        yield from _before_noun(list(_spanish_hundreds(thousands)))
    if thousands:
        yield "mil"
    yield from _spanish_hundreds(rest)


def _before_noun(words: list[str]) -> list[str]:
    """Before mil and millones, uno loses its end. Compared words are uno all the same, but one alone is un."""
    return ["un"] if words == ["uno"] else words


def _spanish_hundreds(number: int) -> Iterator[str]:
    hundreds, rest = divmod(number, 100)
    if number == 100:
        yield "cien"
        return
    if hundreds:
        yield ES_HUNDREDS[hundreds - 1]
    if 0 < rest < len(ES_SMALL):
        yield ES_SMALL[rest]
    elif rest:
        tens, ones = divmod(rest, 10)
        yield ES_TENS[tens - 3]
        if ones:
            yield from ("y", ES_SMALL[ones])


def _english(number: int) -> Iterator[str]:
    for size, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        count, number = divmod(number, size)
        if count:
            yield from _english(count)
            yield name
    if 0 < number < len(EN_SMALL):
        yield EN_SMALL[number]
    elif number:
        tens, ones = divmod(number, 10)
        yield EN_TENS[tens - 2]
        if ones:
            yield EN_SMALL[ones]
