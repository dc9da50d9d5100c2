"""Words become tokens that stand where they say, in the language of their stretch, with the times of their words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from absent import missing
from hypothesis import given, settings
from hypothesis import strategies as st

from chasqui.errors import BadConfig
from chasqui.records import Listened, Provenance, Token, Transcript, Word
from chasqui.store import lines, open_store
from chasqui.tokenize import Options, layout, pieces, text, tongues
from chasqui.tokenize.tongues import tongue

ANYTHING = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
LESSON = [
    ("es", 0.0, "La fotosíntesis, ¿qué es? La fotosíntesis usa luz solar."),
    ("qu", 10.0, "P'unchaw intiqa k'ancharin; de la"),
    (None, 20.0, "ñan ñan"),
]


@pytest.fixture(scope="module", autouse=True)
def spacy() -> None:
    if not tongues.has_spacy():
        missing("spaCy")


class Made:
    """What the words of a transcript became."""

    def __init__(self, folder: Path, transcript: Any = None, provenance: Any = None, **options: Any) -> None:
        self.store = open_store(f"file:{folder}")
        with self.store.workspace("a", "tokenize") as work:
            if isinstance(transcript, list):
                transcript = heard(work, transcript)
            self.written = text.tokenize(transcript, provenance, Options(**options), work)
            self.facts = self.written.facts
            self.plain = self._read("plain")
            self.tokens = lines.read(work.path(self.facts["text"]), Token) if self.facts.get("text") else []
            self.extras = json.loads(self._read("extras") or "{}")
            self.pieces = json.loads(self._read("pieces") or "{}")

    def _read(self, name: str) -> str:
        blob = self.facts.get(name)
        return self.store.path(blob).read_bytes().decode() if blob else ""


def heard(work: Any, parts: list[tuple[str | None, float, str]]) -> Transcript:
    """A transcript with a word every half second of each stretch."""
    words, listened = [], []
    for language, start_s, said in parts:
        own = [
            Word(text=word, start_s=start_s + place / 2, end_s=start_s + place / 2 + 0.4)
            for place, word in enumerate(said.split(" "))
        ]
        words += own
        listened.append(
            Listened(
                start_s=start_s,
                end_s=start_s + 9,
                language=language,
                language_probability=None,
                confidence=None,
                words=len(own),
            )
        )
    return Transcript(
        recording_id="a",
        status="done",
        why="a recogniser listened to all speech",
        words=work.keep(lines.write(work.folder / "words.jsonl", words)),
        listened=work.keep(lines.write(work.folder / "listened.jsonl", listened)),
        word_count=len(words),
    )


def test_offsets_times_languages_and_counts(tmp_path: Path) -> None:
    made = Made(tmp_path, LESSON)
    assert made.plain.splitlines() == [said for _, _, said in LESSON]
    for token in made.tokens:
        assert made.plain[token.start : token.end] == token.text
    assert [token.start for token in made.tokens] == sorted(token.start for token in made.tokens)
    by_text = {token.text: token for token in made.tokens}
    assert (by_text["solar"].start_s, by_text["solar"].end_s) == (4.0, 4.4)
    assert by_text["."].start_s == 4.0  # a mark has the time of the word it is written to
    assert (by_text["P'unchaw"].norm, by_text["P'unchaw"].language) == ("p'unchaw", "qu")
    assert made.facts["token_count"] == len(made.tokens)
    assert made.facts["stop_count"] == sum(token.stop for token in made.tokens) == 5
    assert made.facts["type_count"] == len({token.norm for token in made.tokens if token.word})
    assert made.written.words_said == sum(token.word for token in made.tokens)


def test_quechua_never_has_spanish_stop_words(tmp_path: Path) -> None:
    made = Made(tmp_path, LESSON)
    spanish, quechua = ({t.text for t in made.tokens if t.stop and t.language == name} for name in ("es", "qu"))
    assert spanish == {"La", "qué", "es", "usa"}
    assert quechua == set()  # "de la" among them
    assert "qu: no stop words, because there is no list of its own" in made.facts["why"]
    assert "es:" not in made.facts["why"]


def test_the_text_beside_a_recording_stands_in_for_a_transcript(tmp_path: Path) -> None:
    beside = Provenance(
        recording_id="a", source="s", names=("n",), text="El sol sale.\nBuenos días", facts={"language": "es-PE"}
    )
    made = Made(tmp_path, None, beside)
    assert made.plain == "El sol sale.\nBuenos días\n"
    assert [(token.text, token.start_s, token.language) for token in made.tokens][:2] == [
        ("El", None, "es"),
        ("sol", None, "es"),
    ]
    assert made.facts["why"] == "the text beside the recording; when what is said is not known"
    # What was heard comes first.
    both = Made(tmp_path / "both", LESSON, beside)
    assert both.plain.startswith("La fotosíntesis")


@pytest.mark.parametrize(
    ("transcript", "why"),
    [
        (None, "there are no words: it was not transcribed"),
        (
            Transcript(recording_id="a", status="none", why="no recogniser was asked for"),
            "there are no words: no recogniser was asked for",
        ),
    ],
)
def test_without_words_there_are_no_tokens_and_a_reason(tmp_path: Path, transcript: Any, why: str) -> None:
    made = Made(tmp_path, transcript)
    assert made.facts == {"why": why}
    assert made.written.words_said is None


@settings(deadline=None, max_examples=80)
@given(
    words=st.lists(ANYTHING, max_size=12),
    language=st.sampled_from(["es", "qu", "zh", "th", None]),
    at=st.integers(0, 9),
)
def test_any_words_give_tokens_where_they_say(words: list[str], language: str | None, at: int) -> None:
    said = tuple(Word(text=word, start_s=place, end_s=place + 1) for place, word in enumerate(words))
    for part in layout.stretches(said, [], language):
        if (one := layout.laid(part)) is None:
            continue
        found = text.cut(one, tongue(language), at)
        behind = at
        for token in found:
            assert one.text[token.start - at : token.end - at] == token.text
            assert behind <= token.start < token.end
            behind = token.end
        assert [word.text for word in one.words if word] == [word for word in words if word.split()]


@pytest.mark.parametrize(
    ("written", "known"),
    [("es-PE", "es"), ("ES_pe", "es"), ("quz", "quz"), ("Español", None), ("und", None), ("", None)],
)
def test_languages_as_people_write_them(written: str, known: str | None) -> None:
    assert text.code(written) == known


def test_keywords_are_phrases_between_stop_words(tmp_path: Path) -> None:
    told = Made(tmp_path, LESSON).extras["keywords"]
    assert told["items"] == [{"text": "fotosíntesis", "count": 2}, {"text": "luz solar", "count": 1}]
    assert "qu: no stop words, so no keywords" in told["why"]
    none = Made(tmp_path / "qu", LESSON[1:]).extras["keywords"]
    assert none["items"] is None


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spaCy pipeline that knows one river, as trained ones lie on a disk."""
    import spacy

    nlp = spacy.blank("es")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "LOC", "pattern": "Vilcanota"}])
    folder = tmp_path_factory.mktemp("pipeline") / "es_rivers"
    nlp.to_disk(folder)
    return folder


def test_entities_of_a_named_pipeline_stand_where_they_say(tmp_path: Path, named: Path) -> None:
    said = [("es", 0.0, "Hola a todos"), ("es", 10.0, "El Vilcanota nace cerca.")]
    made = Made(tmp_path, said, extras=f"entities:{named}")
    (river,) = made.extras["entities"]["items"]
    assert (river["text"], river["label"]) == ("Vilcanota", "LOC")
    assert made.plain[river["start"] : river["end"]] == "Vilcanota"
    assert set(made.extras) == {"entities"}


def test_entities_without_a_pipeline_are_absent_and_say_so(tmp_path: Path) -> None:
    told = Made(tmp_path, LESSON[1:], extras="entities").extras["entities"]
    assert told["items"] is None
    assert told["why"] == "qu: no spaCy pipeline for it is installed; und: no spaCy pipeline for it is installed"


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("extras", "entities:no_such_pipeline", "no spaCy pipeline"),
        ("extras", "sentiment:nowhere", "no folder nowhere"),
        ("pieces", "nowhere.json", "cannot be read"),
    ],
)
def test_what_is_named_and_not_there_is_an_error(tmp_path: Path, option: str, value: str, why: str) -> None:
    with pytest.raises(BadConfig, match=why):
        Made(tmp_path, LESSON, **{option: value})


@pytest.mark.parametrize(("extras", "why"), [("mood", "no extra 'mood'"), ("sentiment", "needs the folder")])
def test_slips_of_the_pen_are_told_before_the_work(extras: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Options(extras=extras)


def test_pieces_of_a_trained_tokenizer_stand_where_they_say(tmp_path: Path) -> None:
    trained = pieces.train([said for _, _, said in LESSON] * 5, 300)
    path = tmp_path / "tokenizer.json"
    path.write_text(trained, encoding="utf-8")
    made = Made(tmp_path / "store", LESSON, pieces=str(path))
    assert len(made.pieces["ids"]) == len(made.pieces["offsets"]) > 0
    assert max(made.pieces["ids"]) < made.pieces["vocabulary"] <= 300
    joined = "".join(made.plain[start:end] for start, end in made.pieces["offsets"])
    assert joined.replace(" ", "") == made.plain.replace("\n", "").replace(" ", "")
    assert pieces.train([said for _, _, said in LESSON] * 5, 300) == trained


def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text("{}")
    with pytest.raises(BadConfig, match=r"is no tokenizer\.json"):
        Made(tmp_path / "store", LESSON, pieces=str(path))


def test_another_tokenizer_file_is_another_key(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text("one")
    first = Options(pieces=str(path)).model_dump(mode="json")
    path.write_text("two")
    assert Options(pieces=str(path)).model_dump(mode="json") != first


def test_sentiment_gives_the_labels_of_the_classifier_that_is_named(tmp_path: Path) -> None:
    folder = classifier(tmp_path / "tiny")
    made = Made(tmp_path / "store", LESSON, extras=f"sentiment:{folder}")
    told = made.extras["sentiment"]
    assert told["made_by"] == "tiny"
    assert [made.plain[item["start"] : item["end"]] for item in told["items"]] == made.plain.splitlines()
    for item in told["items"]:
        assert set(item["scores"]) == {"NEG", "POS"}
        assert sum(item["scores"].values()) == pytest.approx(1, abs=1e-3)
        assert item["label"] == max(item["scores"], key=item["scores"].get)


def classifier(folder: Path) -> Path:
    """A text classifier of random weights, as transformers writes them."""
    try:
        import torch
        import transformers
    except ImportError:
        missing("transformers")
    from tokenizers import Tokenizer

    torch.manual_seed(1)
    tokenizer = Tokenizer.from_str(pieces.train([said for _, _, said in LESSON] * 5, 300))
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=300,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        id2label={0: "NEG", 1: "POS"},
        label2id={"NEG": 0, "POS": 1},
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder
