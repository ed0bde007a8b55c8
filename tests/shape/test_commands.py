"""Every command and option that the documents name is one that the product has."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from workers.main import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
GROUPS = ("contract", "keys", "quarantine", "db", "map", "config")
"""Documents name their commands also without the program, as in `contract show`."""


def commands(page: Path) -> Iterator[list[str]]:
    """What a page has in backticks or code blocks that begins with the program or a group."""
    text = page.read_text("utf-8")
    blocks = re.findall(r"```(?:\w*)\n(.*?)```", text, re.DOTALL)
    lines = [line.split(" #")[0] for block in blocks for line in block.splitlines()]
    for one in [*re.findall(r"`([^`\n]+)`", text), *lines]:
        try:
            words = shlex.split(one.strip(" $"))
        except ValueError:
            continue
        if words[:1] == ["fhir-anchor"]:
            yield words[1:]
        elif len(words) > 1 and words[0] in GROUPS:
            yield words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_a_page_exist(page: Path) -> None:
    """Whoever is on shift types what the page says."""
    assert [wrong for words in commands(page) if (wrong := missing(words))] == []


def missing(words: list[str]) -> str:
    """What the product does not have of a command line; empty when it has all."""
    command = get_command(app)
    for word in (one.strip("[].") for one in words):
        below = getattr(command, "commands", None)
        if below is not None and not word.startswith("-"):
            if word not in below:
                return " ".join(words)
            command = below[word]
        elif word.startswith("--"):
            known = {option for one in command.params for option in one.opts}
            if word.split("=")[0] not in {*known, "--help"}:
                return f"{' '.join(words)}: {word}"
    return ""
