"""What all errors are: a message that never fails, evidence, an exit code, and what to do about them."""

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


#: Exit code of a batch in which some inputs were refused and the others were packed.
SOME_REFUSED = 3
