"""The documentation keeps up with the code: stages, commands, options, errors, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from chasqui import errors
from chasqui.cli import chasqui
from chasqui.metrics.targets import TARGETS
from chasqui.pipeline import PIPELINE

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def links(page: Path) -> Iterator[str]:
    """Link targets of a page, fenced code left out; addresses on the net are not ours to check."""
    prose = re.sub(r"^```.*?^```", "", text(page), flags=re.MULTILINE | re.DOTALL)
    yield from (link for link in re.findall(r"\]\(([^)\s]+)\)", prose) if not re.match(r"[a-z]+:", link))


def anchors(page: Path) -> set[str]:
    """What headings can be linked to, spelt as GitHub does."""
    headings = re.findall(r"^#+ (.+)$", text(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def error_classes(kind: type[errors.ChasquiError] = errors.ChasquiError) -> Iterator[type[errors.ChasquiError]]:
    for child in kind.__subclasses__():
        yield child
        yield from error_classes(child)


@pytest.mark.parametrize("stage", PIPELINE)
def test_every_stage_has_a_page_that_the_index_links(stage: str) -> None:
    assert f"# {stage}" in text(DOCS / f"{stage}.md").splitlines()[0]
    assert f"({stage}.md)" in text(DOCS / "README.md")


@pytest.mark.parametrize("stage", PIPELINE)
def test_every_option_of_a_stage_is_on_its_page(stage: str) -> None:
    fields = set(PIPELINE[stage].room.Options.model_fields) - {"threads"}
    code = " ".join(re.findall(r"`[^`\n]+`", text(DOCS / f"{stage}.md")))
    assert {field for field in fields if not re.search(rf"\b{field}\b", code)} == set()


def test_every_page_is_in_the_index() -> None:
    linked = set(links(DOCS / "README.md"))
    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} <= linked


@pytest.mark.parametrize("command", sorted(chasqui.commands))
def test_every_command_is_documented(command: str) -> None:
    assert f"`chasqui {command}" in text(DOCS / "cli.md")


def test_every_flag_is_documented() -> None:
    commands = [chasqui, *chasqui.commands.values()]
    flags = {
        flag
        for command in commands
        for option in command.params
        if isinstance(option, click.Option)
        for flag in option.opts
        if flag.startswith("--")
    }
    assert flags, "no flags found"
    assert {flag for flag in flags - {"--help"} if flag not in text(DOCS / "cli.md")} == set()


def test_every_error_and_its_exit_code_are_documented() -> None:
    rows = [line for line in text(DOCS / "cli.md").splitlines() if line.startswith("|")]
    missing = {
        kind.__name__
        for kind in error_classes()
        if kind.__module__ == "chasqui.errors"
        and not any(row.startswith(f"| {kind.exit_code} ") and f"`{kind.__name__}`" in row for row in rows)
    }
    assert missing == set()


def test_every_error_is_in_the_tree_that_is_drawn() -> None:
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))
    ours = {kind.__name__ for kind in error_classes() if kind.__module__.startswith("chasqui.errors.")}
    assert drawn == ours - {"ChasquiError"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_readme_quotes_the_two_commands(command: str) -> None:
    assert command in text(ROOT / "README.md")


def test_every_make_target_that_is_mentioned_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", text(ROOT / "Makefile"), flags=re.MULTILINE))
    mentioned = {
        target for page in PAGES for target in re.findall(r"(?:`|^ {4})make ([a-z]+)", text(page), re.MULTILINE)
    }
    assert {"demo", "test", "check", "bench", "fmt", "setup", "clean", "help"} <= targets
    assert mentioned <= targets


def test_targets_in_the_docs_are_those_in_the_code() -> None:
    page = text(DOCS / "choose.md")
    for target in TARGETS.values():
        quality = "–" if target.speech_visqol is None else f"{target.speech_visqol:.1f}"
        assert f"| `{target.name}` | {target.speech_estoi:.2f} | {quality} | {target.music_visqol:.1f} |" in page


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_decisions_are_short_dated_and_listed(page: Path) -> None:
    lines = text(page).splitlines()
    number = int(page.name[:4])
    assert lines[0].startswith(f"# {number}. ")
    assert re.match(r"\d{4}-\d\d-\d\d · (accepted|replaced by)", lines[2])
    assert len(lines) <= 40
    assert f"[{number}]({page.name})" in text(DOCS / "decisions" / "README.md")
