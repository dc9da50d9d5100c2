"""How a token is counted: the same word gives the same text, however it was typed. Marks that make another word stay:
`ano` and `año`, `si` and `sí` are two.
"""

from __future__ import annotations

import unicodedata

#: Raise it whenever the same token may come out otherwise.
VERSION = "norm-1"

#: One form for each kind of quotation mark and dash that keyboards and word processors put in its place.
_ONE_FORM = {
    **dict.fromkeys("‘’‛ʼʻʹ`´＇", "'"),
    **dict.fromkeys("“”„‟«»＂", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
}
#: Marks that nobody sees: soft hyphen, zero-width space and no-break space, word joiner, marks of direction. Joiners
#: (U+200C, U+200D) stay: they tell words apart in Persian and the scripts of India.
_UNSEEN = dict.fromkeys("\u00ad\u200b\u200e\u200f\u2060\ufeff")
_TABLE = str.maketrans({**_ONE_FORM, **_UNSEEN})


def norm(text: str) -> str:
    """Case folded and composed (NFC), one kind of apostrophe, quotation mark and dash, nothing unseen. Idempotent."""
    folded = unicodedata.normalize("NFC", text).casefold()
    # Folding may take letters apart (İ → i + dot), and composing may make one that folds again (Unicode, 3.13 D145);
    # both may bring marks to light that the table knows (ŉ → ʼn).
    again = unicodedata.normalize("NFC", unicodedata.normalize("NFD", folded).casefold())
    return unicodedata.normalize("NFC", again.translate(_TABLE))
