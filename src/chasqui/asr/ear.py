"""Listens and remembers: what was heard of a sound is kept under that sound, so that nothing is listened to twice,
whichever stage asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from pydantic import TypeAdapter

from chasqui.asr import Heard, Recogniser, Settings, Span

_HEARD = TypeAdapter(Heard)


class Ear:
    """A recogniser with a memory: `recall` and `remember` are a workspace's. The recogniser stays the caller's."""

    def __init__(
        self,
        recogniser: Recogniser,
        settings: Settings,
        language: str | None,
        recall: Callable[[str], bytes | None],
        remember: Callable[[str, bytes], None],
    ) -> None:
        self._recogniser, self._language = recogniser, language
        self._recall, self._remember = recall, remember
        self._secret = f"{recogniser.identity} {settings.model_dump_json()} {language}".encode()

    def hear(self, spans: Sequence[Span]) -> list[Heard]:
        """One Heard per span, in order; the recogniser is asked about those that nobody has heard yet, all at once.

        Raises:
            ChasquiError: as `Recogniser.hear`.
        """
        keys = [f"heard-1 {hashlib.sha256(span.sound.tobytes() + self._secret).hexdigest()}" for span in spans]
        known = [self._recall(key) for key in keys]
        missing = [place for place, found in enumerate(known) if found is None]
        if missing:
            answers = self._recogniser.hear([spans[place] for place in missing], self._language)
            for place, heard in zip(missing, answers, strict=True):
                # Remembered as if it began at nought: the same sound at another place is the same words.
                known[place] = _HEARD.dump_json(_moved(heard, -spans[place].start_s))
                self._remember(keys[place], known[place] or b"")
        return [
            _moved(_HEARD.validate_json(found or b""), span.start_s) for span, found in zip(spans, known, strict=True)
        ]


def _moved(heard: Heard, by_s: float) -> Heard:
    return replace(
        heard,
        words=tuple(
            word.model_copy(update={"start_s": round(word.start_s + by_s, 3), "end_s": round(word.end_s + by_s, 3)})
            for word in heard.words
        ),
    )
