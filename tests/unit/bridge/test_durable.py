"""Small files: whole, private, and without drafts beside them."""

import os
import resource
import stat
from pathlib import Path

import pytest

from bridge.durable import create_file, replace_file


def test_file_is_replaced_whole_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    """Also where the one before was longer, and a namesake was killed while writing."""
    file = tmp_path / "state"
    (tmp_path / f".state.{os.getpid()}").write_text("half")
    file.write_text("something longer")

    replace_file(file, b"new")

    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_file_is_its_owners_from_its_first_moment(tmp_path: Path) -> None:
    """Unless it is asked for otherwise."""
    replace_file(tmp_path / "key", b"secret")
    replace_file(tmp_path / "trust", b"public", mode=0o644)

    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("key", "trust")]
    assert modes == [0o600, 0o644]


def test_file_that_another_process_made_first_is_kept(tmp_path: Path) -> None:
    """Who comes second gives way, and leaves no draft."""
    file = tmp_path / "key"
    create_file(file, b"first")
    create_file(file, b"second")

    assert file.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [file]


def test_what_has_no_room_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """And no draft, which would stay in the folder for ever."""
    file = tmp_path / "state"
    file.write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (4, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            replace_file(file, b"longer than there is room for")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]
