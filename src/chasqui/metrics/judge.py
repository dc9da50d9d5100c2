"""One segment of the master, ready to be compared with any number of encodes of it."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from chasqui.metrics import estoi, visqol
from chasqui.metrics.resample import third
from chasqui.records import Kind, Scores

VERSIONS = {"estoi": estoi.VERSION, "visqol": visqol.VERSION}


class Judge:
    """Scores encodes of one reference of shape [samples] at 48 kHz; the reference side is prepared once, when it is
    needed.
    """

    def __init__(self, kind: Kind, reference: NDArray[Any]) -> None:
        self.kind = kind
        self.samples = len(reference)
        self._reference = third()(reference) if kind == "speech" else reference
        self._estoi: estoi.Reference | None = None
        self._visqol: visqol.Reference | None = None
        self._prepared: set[str] = set()

    def scores(self, degraded: NDArray[Any], *, quality: bool = True) -> Scores:
        """Scores of an aligned, equally long encode at 48 kHz; `quality=False` leaves out ViSQOL where ESTOI suffices.

        Silence is not scored. A metric that finds nothing to compare stays None.
        """
        if self.kind == "silence":
            return Scores()
        self.prepare(quality=quality)
        signal = degraded if self.kind == "music" else third()(degraded)
        intelligibility = self._intelligibility(signal) if self.kind == "speech" else None
        if quality or self.kind == "music":
            return Scores(estoi=intelligibility, visqol=self._listening(signal))
        return Scores(estoi=intelligibility, visqol_skipped=intelligibility is not None)

    def prepare(self, *, quality: bool = True) -> None:
        """Do the reference's share of the work now."""
        if self.kind == "speech" and "estoi" not in self._prepared:
            self._estoi = estoi.prepare(self._reference)
            self._prepared.add("estoi")
        if (self.kind == "music" or (self.kind == "speech" and quality)) and "visqol" not in self._prepared:
            self._visqol = visqol.prepare(self._reference, "audio" if self.kind == "music" else "speech")
            self._prepared.add("visqol")

    def _intelligibility(self, signal: NDArray[Any]) -> float | None:
        return None if self._estoi is None else round(estoi.score(self._estoi, signal), 4)

    def _listening(self, signal: NDArray[Any]) -> float | None:
        return None if self._visqol is None else round(visqol.score(self._visqol, signal), 3)
