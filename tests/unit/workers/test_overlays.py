"""The senders' folder on disk, and code that a stranger could have written."""

import os
from pathlib import Path

import pytest

from bridge.core.errors import BridgeError
from workers.overlays import SendersFolder

GOOD = """
from adapters.hl7v2.site import gives

@gives("CodeableConcept", reads=(1,))
def stain(text, ctx):
    return {"text": text}

def plain(text, ctx):
    return text
"""
ROW = "[[replace]]\nid = 'SPM-4'\nas = 'py:site.labx.stain'\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One sender, one site with a function."""
    (tmp_path / "site").mkdir(mode=0o755)
    (tmp_path / "site" / "labx.py").write_text(GOOD)
    (tmp_path / "site" / "labx.py").chmod(0o644)
    (tmp_path / "site" / "north.toml").write_text("zone = 'UTC'")
    (tmp_path / "labx.toml").write_text(f"site = 'north'\n{ROW}")
    return tmp_path


def test_layers_and_functions_are_of_the_folder(folder: Path) -> None:
    """The function is what its file marks."""
    (profile,) = SendersFolder(folder).profiles()

    site = profile.functions["py:site.labx.stain"]
    assert profile.zone is not None
    assert (site.gives, site.reads, site.coded, len(site.digest)) == (
        "CodeableConcept", (1,), False, 64,
    )  # fmt: skip
    assert list(SendersFolder(folder).every_function()) == [site.qualified]


def test_file_as_it_was_is_found_beside_the_new_one(folder: Path) -> None:
    """`labx.2026-11.py` has the functions of `labx.py` of then, for old mappings alone."""
    (folder / "site" / "labx.2026-11.py").write_text(GOOD + "# then")
    new = SendersFolder(folder).function("py:site.labx.stain", "x")

    names = SendersFolder(folder).every_function()

    assert len(names) == 2
    assert new.qualified in names
    assert {name.rpartition(".")[0] for name in names} == {"py:site.labx.stain"}


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("py:site.labx.stian", GOOD, r"marks no function stian \(x, line 1\) - use stain"),
        ("py:site.labx.plain", GOOD, r"marks no function plain"),
        ("py:site.labx.stain", "def stain(): pass", r"- mark it by @gives"),
        ("py:site.labx.stain", "\n1/0", r"fails with ZeroDivisionError \(.*labx.py, line 2\)"),
        ("py:site.labx.stain", "def", r"fails with SyntaxError \(.*labx.py, line 1\)"),
        ("py:site.labx.stain", GOOD.replace('"CodeableConcept"', '"Codable"'),
         r"stain gives a Codable, which R4 does not have"),
        ("py:site.other.stain", GOOD, r"no file .*: No such file .* - put it at .*other.py"),
        ("py:stain", GOOD, r"names no function .* - write py:site.FILE.FUNCTION"),
        ("py:..etc.x", GOOD, r"names no function"),
    ],
)  # fmt: skip
def test_wrong_file_or_name_is_refused(folder: Path, name: str, text: str, error: str) -> None:
    """With the place in the file, or the nearest name."""
    (folder / "site" / "labx.py").write_text(text)

    with pytest.raises(BridgeError, match=error):
        SendersFolder(folder).function(name, "x, line 1")


@pytest.mark.parametrize("what", ["site/labx.py", "site"])
def test_code_that_others_may_write_is_not_run(folder: Path, what: str) -> None:
    """Neither the file nor its folder may be open."""
    (folder / what).chmod(0o777)

    with pytest.raises(BridgeError, match=r"others than this user may write .* - chmod go-w"):
        SendersFolder(folder).function("py:site.labx.stain", "x, line 1")
    assert SendersFolder(folder).every_function() == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_code_of_another_user_is_not_run(folder: Path) -> None:
    """Not even where only that user may write."""
    os.chown(folder / "site" / "labx.py", 65534, 65534)

    with pytest.raises(BridgeError, match=r"others than this user"):
        SendersFolder(folder).function("py:site.labx.stain", "x, line 1")


def test_name_of_our_own_is_no_sender(folder: Path) -> None:
    """`base` is the rules without overlay on every command line."""
    (folder / "base.toml").write_text("")

    with pytest.raises(BridgeError, match=r"no sender can be called base"):
        SendersFolder(folder).profiles()
