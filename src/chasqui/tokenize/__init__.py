"""tokenize: the words of a recording as tokens, its sound as units, and how it is spoken, in numbers.

`text.py` lays out the words and cuts them, in the language of each stretch (`tongues.py` says by which tokenizer,
`norm.py` how a token is counted, `pieces.py` makes subwords, `extras.py` keywords and the like). `audio.py` makes
sequences of symbols of the sound, by name: our own units (`units.py`) or the codes of a codec (`codec.py`). `voice.py`
sums up how it is spoken. Nothing here is part of a lesson.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, computed_field, field_validator

from chasqui.records import Analysis, Master, Provenance, Tokens, Transcript

if TYPE_CHECKING:
    from chasqui.events import Report
    from chasqui.store import Workspace


def _listed(value: Any) -> Any:
    """One name or several: from the environment and `--set` they come as a text, apart by commas."""
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Options(BaseModel):
    """What is made of words and sound."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokenizer: Literal["auto", "spacy", "plain"] = "auto"  # auto: spaCy's if it is installed, else ours, and said so
    lemmas: bool = False  # need spaCy's lookup tables, 100 MB that most people have no use for
    pieces: str | None = None  # a tokenizer.json of Hugging Face `tokenizers`: subword ids beside the tokens
    extras: Names = ("keywords",)  # keywords, entities[:PIPELINE], sentiment:FOLDER; the others need models
    audio: Names = ("units-100",)  # units-100, units-500, units:FOLDER, lyra-16:FOLDER, encodec:FOLDER, mimi:FOLDER
    runs: bool = False  # of units also the runs: each symbol once, with how long it stays
    voice: bool = True  # how it is spoken; costs no second look at the sound where units are made

    @field_validator("audio")
    @classmethod
    def _known_audio(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        from chasqui.tokenize.audio import asked

        for name in names:  # a slip of the pen: told before an hour's work, not after
            asked(name)
        return names

    @field_validator("extras")
    @classmethod
    def _known_extras(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        from chasqui.tokenize.extras import asked

        for name in names:
            asked(name)
        return names

    @computed_field  # type: ignore[prop-decorator]
    @property
    def made_with(self) -> dict[str, str]:
        """Versions of what is installed and hashes of files that are named: part of the key, because the tokens would
        be others."""
        from chasqui.tokenize.installed import made_with

        return made_with(self)


def run(
    master: Master,
    analysis: Analysis,
    transcript: Transcript | None,
    provenance: Provenance | None,
    *,
    options: Options,
    work: Workspace,
    report: Report,
) -> Tokens:
    """Tokens of the words, where there are any; units of the sound; how it is spoken.

    Raises:
        BadConfig: something was asked for by name that is not installed, or not in the folder that was named.
        OSError: the master cannot be read or the tokens cannot be written.
    """
    from chasqui.tokenize import audio, text

    written = text.tokenize(transcript, provenance, options, work)
    sound = audio.tokenize(master, analysis, written.words_said, options, work, report)
    return Tokens(recording_id=master.recording_id, audio=sound.audio, voice=sound.voice, **written.facts)
