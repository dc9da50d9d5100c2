"""Every column of a dataset, in order. docs/collect.md has them as a table, which a test compares with this one."""

from __future__ import annotations

from chasqui.collect.schema import Column, group, many, spell

#: Named numbers: feature, score or effect, whatever a version of a stage gives; units stand in the names.
NUMBERS = many(name="text", value="real")
WORDS = many(text="text", start_s="real", end_s="real", probability="real", speaker="text")
TURNS = many(start_s="real", end_s="real", speaker="text")
CUTS = many(start_s="real", end_s="real", source_start_s="real")
TOKENS = many(
    text="text", norm="text", lemma="text", start="whole", end="whole", start_s="real", end_s="real",
    language="text", stop="flag", word="flag",
)  # fmt: skip
UNITS = many(
    name="text", rate_hz="real", levels="whole", vocabulary="whole", used="whole", bits_per_s="real",
    decodes="flag", units=many("whole")
)  # fmt: skip
LANGUAGES = many(language="text", seconds="real", probability="real")
SEGMENTS = many(start_s="real", end_s="real", kind="text", speech_share="real")
TREATMENTS = many(name="text", applied="flag", effect=NUMBERS, why="text")
ENTITIES = many(text="text", label="text", start="whole", end="whole")
GIVEN = many(name="text", value="text")

COLUMNS: tuple[Column, ...] = (
    Column("id", "text", "the recording: 16 hexadecimal digits made of its content", needed=True),
    Column("path", "text", "where it lies below the source, with /", needed=True),
    Column("other_names", many("text"), "further places of the same bytes", needed=True),
    Column("source", "text", "the source: a bucket and prefix, or the name of a folder"),
    Column("etag", "text", "of the object in the bucket"),
    Column(
        "proof", "text", "by what the bytes are known to be the object's; size: by nothing better",
        values=("sha256", "md5", "parts", "size"),
    ),
    Column("sha256", "text", "of the source file"),
    Column("source_bytes", "whole", "size of the source file", "bytes", least=0),
    Column(
        "status", "text", "what became of it; degraded: a part failed or was damaged, and `message` says which",
        needed=True, values=("done", "degraded", "failed"),
    ),
    Column("error", "text", "of a failed one: the error's name, as in docs/cli.md"),
    Column("failed_stage", "text", "where it failed"),
    Column("message", "text", "what went wrong, always in English, so that rows are the same for everybody"),
    Column("title", "text", "what people call it"),
    Column("transcription", "text", "what is said: as it was given, else as it was recognised"),
    Column("transcription_from", "text", "who says so", values=("given", "recogniser", "none")),
    Column("transcription_why", "text", "why there is this transcription, or none"),
    Column("recognised", "text", "what the recogniser wrote, also where a text was given"),
    Column("recogniser", "text", "its identity"),
    Column(
        "words", WORDS, "the words with their times in the clean sound, and who says them where that is known", "s",
        needed=True,
    ),
    Column("word_count", "whole", "words in the transcription", least=0),
    Column("speaking_rate_wpm", "real", "words of the transcription per minute of speech", "1/min", least=0),
    Column("tokens", TOKENS, "the tokens of the text, with offsets into `token_text`", needed=True),
    Column("token_text", "text", "the text that the offsets count in, where it is not the transcription"),
    Column("tokenizer", "text", "name and version of what made the tokens"),
    Column("token_count", "whole", "tokens", least=0),
    Column("stop_count", "whole", "of them too common to say anything", least=0),
    Column("type_count", "whole", "different ones, as they are counted", least=0),
    Column("subwords", many("whole"), "ids of a subword tokenizer, where one was asked for", needed=True),
    Column("audio_tokens", UNITS, "the sound as symbols, frame by frame, the levels of a frame in a row", needed=True),
    Column("audio_token_count", "whole", "symbols of all kinds", least=0),
    Column("keywords", many("text"), "where they were asked for, best first", needed=True),
    Column("entities", ENTITIES, "named entities, where they were asked for", needed=True),
    Column("sentiment", "real", "where it was asked for: −1 bad to 1 good", least=-1, most=1),
    Column("extras", "text", "everything else that was asked of the text: a JSON object"),
    Column("language", "text", "the one that is spoken most, ISO 639"),
    Column("language_from", "text", "who says so", values=("given", "recogniser", "none")),
    Column("languages", LANGUAGES, "all that were recognised, most spoken first", "s", needed=True),
    Column(
        "speakers", many("text"),
        "who speaks: as people named them, else the voices that were told apart: numbers, of this recording alone",
        needed=True,
    ),
    Column("speakers_from", "text", "who says so", values=("given", "voices", "none")),
    Column("speaker_count", "whole", "voices that were told apart; null: nobody asked, or it failed", least=0),
    Column(
        "turns", TURNS,
        "who speaks when, in the clean sound: a number, or the name where one is given and one voice is heard", "s",
        needed=True,
    ),
    Column(
        "overlap_s", "real", "two speak at once, as far as that was heard: at least so long, most of it is not heard",
        "s", least=0,
    ),
    Column("diarizer", "text", "what told the voices apart, with its version"),
    Column("segments", SEGMENTS, "stretches of 4–15 s of the clean sound, cut at pauses", "s", needed=True),
    Column("segment_count", "whole", "segments", least=0),
    Column("duration_s", "real", "of the clean sound, else of the source", "s", least=0),
    Column("speech_s", "real", "speech in it", "s", least=0),
    Column("music_s", "real", "music in it", "s", least=0),
    Column("silence_s", "real", "silence in it", "s", least=0),
    Column("speech_share", "real", "speech_s ÷ duration_s", least=0, most=1),
    Column("loudness_lufs", "real", "of the source, EBU R128", "LUFS"),
    Column("clean_loudness_lufs", "real", "of the clean sound", "LUFS"),
    Column("true_peak_dbtp", "real", "of the clean sound", "dBTP"),
    Column("snr_db", "real", "speech to noise in the source, estimated", "dB"),
    Column("bandwidth_hz", "real", "highest frequency with content in the source", "Hz", least=0),
    Column("clipped_tops", "whole", "flat tops in the source, rounded up", least=0),
    Column("treatments", TREATMENTS, "what was done to clean it, or not, and why", needed=True),
    Column(
        "cuts", CUTS,
        "where silence was cut out: the parts that were kept, in the clean sound, and where each begins in the source; "
        "empty: nothing was cut", "s", needed=True,
    ),
    Column("damage", "text", "what was lost of a damaged source"),
    Column("feature_version", "text", "of the features"),
    Column("features", NUMBERS, "features of sound, means over the segments, weighted by their length", needed=True),
    Column("features_blob", "text", "the table per segment: its place in the store"),
    Column("voice", NUMBERS, "how it is spoken: rate, pitch, pauses", needed=True),
    Column("target", "text", "the promise that was asked for, where it was packed as a lesson"),
    Column("kept", "text", "the promise that the packed lesson keeps"),
    Column("scores", NUMBERS, "of the packed lesson: ESTOI and ViSQOL, means and worst", needed=True),
    Column("audio_path", "text", "the sound: a file below the folder of the dataset, or its name inside the table"),
    Column("audio_sha256", "text", "of that sound"),
    Column("audio_bytes", "whole", "its size", "bytes", least=0),
    Column("audio_rate_hz", "whole", "its samples per second; mono", "Hz", least=0),
    Column("codec", "text", "of the source"),
    Column("container", "text", "of the source"),
    Column("rate_hz", "whole", "of the source", "Hz", least=0),
    Column("channels", "whole", "of the source", least=0),
    Column("licence", "text", "as it was given"),
    Column("consent", "text", "as it was given"),
    Column("given", GIVEN, "every further column of the table beside the recordings", needed=True),
    Column("stages", many("text"), "whose outcome is in the row", needed=True),
    Column("missing", GIVEN, "stages whose outcome is not, with the reason", needed=True),
    Column("tool_version", "text", "of the Chasqui that wrote the row", needed=True),
    Column("schema_version", "whole", "of this table", needed=True, least=1),
)  # fmt: skip

#: What the folder adds when it takes a row in.
SEALS: tuple[Column, ...] = (
    Column("settings", "text", "stage versions and options: the key into `settings` of dataset.json", needed=True),
    Column("row_sha256", "text", "of the row as a line of JSON without this", needed=True),
)

#: A table has these.
TABLE: tuple[Column, ...] = COLUMNS + SEALS

#: Only where the sound lies inside the table (Parquet): as Hugging Face's Audio feature has it.
AUDIO = Column("audio", group(bytes="text", path="text"), "the sound itself: its bytes, and its name")


def as_table() -> list[str]:
    """The columns as a table in Markdown, for docs and cards."""
    head = ["| column | kind | unit | since | means |", "|---|---|---|---|---|"]
    return head + [
        f"| `{column.name}` | {spell(column.kind)} | {column.unit} | {column.since} | {_meaning(column)} |"
        for column in TABLE
    ]


def _meaning(column: Column) -> str:
    return column.meaning + (f"; one of {', '.join(column.values)}" if column.values else "")
