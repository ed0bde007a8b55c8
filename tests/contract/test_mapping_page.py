"""docs/mapping-new-sender.md: its message, overlay and facts give the output that it shows."""

import re
from pathlib import Path

import pytest
import typer

from bridge.cli import mapping
from bridge.settings import load
from workers.dialects import mappings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "mapping-new-sender.md"


def block(kind: str) -> str:
    """The first fenced block of that kind."""
    found = re.search(rf"```{kind}\n(.*?)\n```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> mapping.Mappings:
    """The page's files where it says that they are."""
    (tmp_path / "senders").mkdir()
    (tmp_path / "samples").mkdir()
    (tmp_path / "senders/klinlab.toml").write_text(block("toml"))
    message = block("hl7").replace("\n", "\r") + "\r"
    (tmp_path / "samples/creatinine.hl7").write_bytes(message.encode())
    (tmp_path / "samples/creatinine.facts").write_text(block("facts"))
    monkeypatch.chdir(tmp_path)
    return mappings(load(environment={}, overrides={"senders.folder": str(tmp_path / "senders")}))


def test_overlay_passes_its_check_as_shown(
    made: mapping.Mappings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line by line; how many rows there are grows with every release."""
    mapping.check(made, ())

    real = re.sub(r"\d+ (maps|rows)|sha256:\w+", "", capsys.readouterr().out)
    shown = re.sub(r"\d+ (maps|rows)|sha256:\.\.\.", "", PAGE.read_text("utf-8"))
    assert real in shown


def test_facts_and_coverage_are_as_shown(
    made: mapping.Mappings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every line of both outputs stands on the page."""
    mapping.test(made, Path("samples"), sender="")
    mapping.coverage(made, [Path("samples/creatinine.hl7")], sender="")

    shown = PAGE.read_text("utf-8").splitlines()
    assert [line for line in capsys.readouterr().out.splitlines() if line not in shown] == []


def test_diff_shown_is_part_of_the_real_one(
    made: mapping.Mappings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each fact of the page's diff is in the command's output."""
    with pytest.raises(typer.Exit):
        mapping.diff(made, "base", "klinlab", folder=Path("samples"))

    real = capsys.readouterr().out.splitlines()
    shown = re.findall(r"^[-+] \w.* = .*$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(shown) > 5
    assert [line for line in shown if line not in real] == []


def test_explanation_is_as_shown(
    made: mapping.Mappings, capsys: pytest.CaptureFixture[str]
) -> None:
    """The row behind PV1-7, with the shipped rules."""
    without = mapping.Mappings(names=(), rules=lambda _: made.rules("base"), split=made.split,
                               check_all=made.check_all)  # fmt: skip

    mapping.explain(without, Path("samples/creatinine.hl7"), "PV1-7", sender="")

    # A row keeps its name when a row above it makes its line another.
    shown, real = (
        {re.sub(r"line \d+", "line N", line.strip()) for line in text.splitlines()}
        for text in (PAGE.read_text("utf-8"), capsys.readouterr().out)
    )
    assert real <= shown
