"""Everything that can go wrong, in one tree.

ChasquiError
├── Rejected            this input will never work: say why, go on with the rest (action "reject")
│   ├── Unreadable          vanished, no permission, not a regular file
│   ├── EmptyFile           zero bytes
│   ├── NotMedia            text, image, archive … whatever its name says
│   ├── IsReference         a playlist or manifest that points elsewhere; never followed
│   ├── NoAudio             media, but without a sound stream
│   ├── Damaged             media, but nothing usable could be decoded
│   ├── TooShort            less than a second of sound
│   ├── OnlySilence         nothing to hear
│   ├── TooSlow             decoding went past its time limit
│   └── BadSound            samples that nothing can be measured on: none, too few, or not numbers
├── TryAgain            the world was in the way, the input is fine (action "retry")
│   ├── DiskFull
│   ├── StoreBusy
│   ├── ServiceDown         a service is away, busy or at its limit, also after several attempts
│   └── RecogniserLost      a recogniser hung and was stopped, or ended by itself
├── NotWritable         the output folder or the store refuses us (action "reject")
├── BadConfig           an option or setting that makes no sense (action "reject")
│   ├── BadModel            a model file that is missing, damaged, or made for something else
│   │   └── ModelAbsent         a model that is known but not on this machine, and could not be fetched
│   ├── NoRecogniser        a recogniser that does not exist, or whose package is not installed
│   ├── WrongLanguage       a recogniser was asked for a language it does not know
│   ├── KeyRefused          a service wants another key, or another account
│   └── BadTraining         recordings or measurements that no model can be learnt from
│       ├── NoSpeech            no recording of speech that can be used
│       └── OneSpeaker          nobody could be held out
├── NotReady            a stage was asked for before the stages it needs (action "reject")
├── UnknownLesson       no recording of that name or id in the store (action "reject")
│   └── Ambiguous           several of that name
├── BadAnswer           a service answered with something that is no transcript (action "degrade")
├── BadCaptions         a file that cannot be read as captions (action "degrade")
├── Defect              our own mistake: an exception nobody expected (action "reject")
└── PromiseBroken       the published bytes do not keep what they promise; nothing was published (action "reject")

Each class carries an exit code for the command line and the key of its message in the word catalogues (`words/`);
each instance carries its evidence as keyword arguments, which fill that message. `str(error)` is the English text.
"""

# ruff: noqa: N818 - the names are read aloud ("OnlySilence"); an "Error" behind each would say nothing
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

Action = Literal["reject", "retry", "degrade"]


class ChasquiError(Exception):
    """Base of all expected failures. `evidence` holds the facts behind the message."""

    exit_code: ClassVar[int] = 1
    action: ClassVar[Action] = "reject"
    text: ClassVar[str] = "Something went wrong."

    def __init__(self, **evidence: Any) -> None:
        self.evidence = evidence
        super().__init__(fill(self.text, evidence))

    @property
    def code(self) -> str:
        """The name by which catalogues, JSON events and HTTP problems know this error."""
        return type(self).__name__

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.evidence)


class _Evidence(dict[str, Any]):
    """Fills a message; a fact that nobody gave reads as '?' instead of hiding the real error behind a KeyError."""

    def __missing__(self, key: str) -> _Unknown:
        return _Unknown()

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        return _Unknown() if value is None else value


class _Unknown:
    """Reads as '?' whatever the format asks for: '{duration_s:.2f}' must not fail where nobody knows the duration."""

    def __format__(self, spec: str) -> str:
        return "?"

    def __repr__(self) -> str:
        return "?"


def fill(text: str, facts: Mapping[str, Any]) -> str:
    """`text` with `{name}` replaced by the facts; unknown facts read as '?'."""
    return text.format_map(_Evidence(facts))


def _rebuild(kind: type[ChasquiError], evidence: dict[str, Any]) -> ChasquiError:
    return kind(**evidence)


class Rejected(ChasquiError):
    exit_code = 10
    text = "{name} cannot be used: {why}"


class Unreadable(Rejected):
    exit_code = 11
    text = "{name} cannot be read: {why}."


class EmptyFile(Rejected):
    exit_code = 12
    text = "{name} is empty (0 bytes)."


class NotMedia(Rejected):
    exit_code = 13
    text = "{name} is not a sound or video file, whatever its name says ({why})."


class IsReference(Rejected):
    exit_code = 14
    text = (
        "{name} is a {kind} that points to other files or addresses. "
        "Chasqui never follows those: give it the recording itself."
    )


class NoAudio(Rejected):
    exit_code = 15
    text = "{name} has no sound in it (streams found: {streams})."


class Damaged(Rejected):
    exit_code = 16
    text = "{name} is damaged: no sound could be recovered from it ({why})."


class TooShort(Rejected):
    exit_code = 17
    text = "{name} holds only {duration_s:.2f} s of sound; a lesson needs at least {minimum_s:.0f} s."


class OnlySilence(Rejected):
    exit_code = 18
    text = "{name} holds only silence (loudest moment {peak_dbfs:.0f} dBFS)."


class TooSlow(Rejected):
    exit_code = 19
    text = "{name} could not be read within {limit_s:.0f} s; it was left alone."


class BadSound(Rejected):
    exit_code = 20
    text = "Nothing can be measured on {name}: {why}."


class TryAgain(ChasquiError):
    exit_code = 30
    action = "retry"
    text = "Not now: {why}"


class DiskFull(TryAgain):
    exit_code = 31
    text = "The disk is full ({path}). Nothing was left half-written; free some space and run the same command again."


class StoreBusy(TryAgain):
    exit_code = 32
    text = "Another process has been working on {what} for more than {limit_s:.0f} s."


class ServiceDown(TryAgain):
    exit_code = 54
    text = "{url} cannot be used now: {why}."


class RecogniserLost(TryAgain):
    exit_code = 55
    text = "The recogniser {name} was lost: {why}."


class NotWritable(ChasquiError):
    exit_code = 33
    text = "Cannot write to {path}: {why}."


class BadConfig(ChasquiError):
    exit_code = 2
    text = "{why}"


class BadModel(BadConfig):
    exit_code = 36
    text = "The model {path} cannot be used: {why}."


class ModelAbsent(BadModel):
    exit_code = 50
    text = (
        "The model {path} is not on this machine ({why}). Run `chasqui models pull {path}` where there is a network, "
        "or copy its folder here and give that."
    )


class NoRecogniser(BadConfig):
    exit_code = 51
    text = "The recogniser {name} cannot be used: {why}."


class WrongLanguage(BadConfig):
    exit_code = 52
    text = "The recogniser {name} does not know the language {language}; it knows {known}."


class KeyRefused(BadConfig):
    exit_code = 53
    text = "{url} does not let us in: {why}. A valid key belongs into OPENAI_API_KEY."


class BadTraining(BadConfig):
    exit_code = 37
    text = "Nothing can be learnt from {path}: {why}."


class NoSpeech(BadTraining):
    exit_code = 46
    text = "There is nothing to learn from in {path}: no recording of speech of at least 4 s that can be read."


class OneSpeaker(BadTraining):
    exit_code = 47
    text = (
        "All speech in {path} counts as one speaker ({speaker}), so none can be held out to test what was learnt. "
        "Give recordings of two speakers or more, a folder for each."
    )


class NotReady(ChasquiError):
    exit_code = 34
    text = "{stage} needs {needs} first. Run: chasqui {needs} {recording_id}"


class UnknownLesson(ChasquiError):
    exit_code = 35
    text = "There is no lesson or recording {wanted!r} in {store}. Known: {known}"


class Ambiguous(UnknownLesson):
    text = "{wanted!r} could be any of: {known}. Give the id, or more of the name."


class BadAnswer(ChasquiError):
    exit_code = 56
    action = "degrade"
    text = "{url} answered with something that is no transcript: {why}."


class BadCaptions(ChasquiError):
    exit_code = 57
    action = "degrade"
    text = "{name} cannot be read as captions: {why}."


class Defect(ChasquiError):
    exit_code = 1
    text = "Chasqui failed on {name} ({what}). That is a defect of ours: run again with CHASQUI_DEBUG=1 to see where."


class PromiseBroken(ChasquiError):
    exit_code = 40
    text = "The encoded sound does not keep its promise ({why}); nothing was published."

    def __init__(self, **evidence: Any) -> None:
        if {"missed", "segments", "target"} <= evidence.keys():
            evidence.setdefault("why", "{missed} of {segments} segments miss {target!r}".format_map(evidence))
        super().__init__(**evidence)


#: Exit code of a batch in which some inputs were refused and the others were packed.
SOME_REFUSED = 3
