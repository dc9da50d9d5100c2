"""What is in a dataset, in numbers: totals, failures, tokens, histograms, and what is worth a look. One row at a time.

`summary.json` holds exactly this; page.py draws it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from chasqui.collect.passing import Bins, Cases, Histogram, Measure, Rates, Worst, case_of, far_rates

SUMMARY_VERSION = 1
#: Tokens told: what a page can show.
TOP_TOKENS = 120
#: Different tokens counted at once; beyond, the rarest half is let go, and the summary says that counts are at least.
MOST_TYPES = 500_000
COLUMNS = (
    "id", "path", "other_names", "status", "error", "message", "title", "audio_path", "language", "duration_s",
    "speech_s", "music_s", "silence_s", "speech_share", "loudness_lufs", "snr_db", "bandwidth_hz", "clipped_tops",
    "word_count", "speaking_rate_wpm", "token_count", "audio_token_count", "source_bytes", "audio_bytes",
    "transcription_from", "tokens",
)  # fmt: skip


#: Edges: for times and counts about 1–2–5, because recordings spread over decades; else even.
MEASURES = (
    Measure("duration_s", (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400), "s"),
    Measure("speech_share", tuple(round(n / 20, 2) for n in range(1, 20)), ""),
    Measure("loudness_lufs", tuple(range(-57, 0, 3)), "LUFS"),
    Measure("snr_db", tuple(range(0, 60, 3)), "dB"),
    Measure("speaking_rate_wpm", tuple(range(20, 300, 20)), "1/min"),
    Measure("token_count", (1, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000), ""),
    Measure("audio_token_count", (100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000), ""),
)


class Odd(NamedTuple):
    """Something worth a look: how bad it is (bigger is worse), or None where it is not."""

    key: str
    worse: Callable[[Mapping[str, Any]], float | None]
    shown: Callable[[Mapping[str, Any]], float | None]


def _over(value: float | None, limit: float) -> float | None:
    return value if value is not None and value >= limit else None


def _under(value: float | None, limit: float) -> float | None:
    return -value if value is not None and value < limit else None


def _tops(row: Mapping[str, Any]) -> float | None:
    tops, seconds = row["clipped_tops"], row["duration_s"]
    return tops * 60 / seconds if tops and seconds else None


#: Limits: 30 flat tops a minute are heard as rasping; at 10 dB of speech to noise ESTOI is near .6, where words get
#: lost; a tenth of speech is a file of something else; −45 LUFS is 20 under the quietest lesson; 3.6 kHz a telephone.
ODD = (
    Odd("clipped", lambda row: _over(_tops(row), 30), _tops),
    Odd("noisy", lambda row: _under(row["snr_db"], 10), lambda row: row["snr_db"]),
    Odd("speechless", lambda row: _under(row["speech_share"], 0.1), lambda row: row["speech_share"]),
    Odd("quiet", lambda row: _under(row["loudness_lufs"], -45), lambda row: row["loudness_lufs"]),
    Odd("narrow", lambda row: _under(row["bandwidth_hz"], 3600), lambda row: row["bandwidth_hz"]),
    Odd("twice", lambda row: _over(len(row["other_names"]), 1), lambda row: float(len(row["other_names"]) + 1)),
    Odd("degraded", lambda row: 0.0 if row["status"] == "degraded" else None, lambda row: None),
)


class Summary(BaseModel):
    """summary.json."""

    model_config = ConfigDict(frozen=True)

    version: int = SUMMARY_VERSION
    digest: str  # of the rows it tells of
    title: str
    tool_version: str
    totals: dict[str, float]
    languages: dict[str, int]
    language_hours: dict[str, float]
    transcribed: dict[str, int]  # who says what is said → rows
    failures: tuple[Cases, ...]  # key: the error
    tokens: tuple[tuple[str, int], ...]  # without stop words and punctuation, most frequent first
    token_types: int
    tokens_at_least: bool  # counts of rare tokens may be too low
    histograms: tuple[Histogram, ...]
    odd: tuple[Cases, ...]


SUMS = (
    "duration_s", "speech_s", "music_s", "silence_s", "word_count", "token_count", "audio_token_count", "source_bytes",
    "audio_bytes",
)  # fmt: skip


class Tally:
    """Adds rows up."""

    def __init__(self) -> None:
        self._status: Counter[str] = Counter()
        self._sums: dict[str, float] = dict.fromkeys(SUMS, 0)
        self._languages: Counter[str] = Counter()
        self._seconds: Counter[str] = Counter()
        self._said_by: Counter[str] = Counter()
        self._tokens: Counter[str] = Counter()
        self._let_go = False
        self._bins = {measure: Bins(measure) for measure in MEASURES}
        self._odd = {odd: Worst() for odd in ODD}
        self._failures: dict[str, Worst] = {}
        self._rates: dict[str, Rates] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Count a row in."""
        self._status[row["status"]] += 1
        if row["status"] == "failed":
            self._failures.setdefault(row["error"], Worst()).add(0.0, case_of(row, None))
            return
        for name in SUMS:
            self._sums[name] += row[name] or 0
        language = row["language"] or "unknown"
        self._languages[language] += 1
        self._seconds[language] += row["duration_s"] or 0
        self._said_by[row["transcription_from"] or "none"] += 1
        self._count_tokens(row["tokens"])
        for bins in self._bins.values():
            bins.add(row[bins.measure.column])
        for odd, worst in self._odd.items():
            if (how := odd.worse(row)) is not None:
                worst.add(how, case_of(row, odd.shown(row)))
        if row["speaking_rate_wpm"] is not None:
            self._rates.setdefault(language, Rates()).add(row["speaking_rate_wpm"], row)

    def summary(self, digest: str, title: str, tool_version: str) -> Summary:
        """What was counted."""
        odd = [worst.cases(odd.key) for odd, worst in self._odd.items()]
        odd.append(far_rates(self._rates.values()))
        failures = sorted(
            (worst.cases(name) for name, worst in self._failures.items()), key=lambda c: (-c.count, c.key)
        )
        return Summary(
            digest=digest,
            title=title,
            tool_version=tool_version,
            totals={
                "rows": self._status.total(),
                **{name: self._status[name] for name in ("done", "degraded", "failed")},
                **{name: round(value, 3) for name, value in self._sums.items()},
            },
            languages=dict(_ranked(self._languages)),
            language_hours={name: round(self._seconds[name] / 3600, 4) for name, _ in _ranked(self._languages)},
            transcribed=dict(_ranked(self._said_by)),
            failures=tuple(failures),
            tokens=tuple(_ranked(self._tokens)[:TOP_TOKENS]),
            token_types=len(self._tokens),
            tokens_at_least=self._let_go,
            histograms=tuple(bins.histogram() for bins in self._bins.values()),
            odd=tuple(cases for cases in odd if cases.count),
        )

    def _count_tokens(self, tokens: Iterable[Mapping[str, Any]]) -> None:
        self._tokens.update(token["norm"] for token in tokens if token["word"] and not token["stop"])
        if len(self._tokens) > MOST_TYPES:
            self._let_go = True
            self._tokens = Counter(dict(self._tokens.most_common(MOST_TYPES // 2)))


def _ranked(counted: Counter[str]) -> list[tuple[str, int]]:
    return sorted(((name, n) for name, n in counted.items() if n), key=lambda item: (-item[1], item[0]))
