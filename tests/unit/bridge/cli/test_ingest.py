"""`ingest`: which files, what is sent, and a line an input."""

from pathlib import Path

import pytest

from bridge.cli.ingest import files_of
from bridge.core.errors import BridgeError


def test_a_folder_gives_its_message_files_in_order_of_name(tmp_path: Path) -> None:
    """Pictures and notes beside the messages are left alone."""
    for name in ("b.hl7", "a.json", "c.png", "sub/d.HL7"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")

    names = [path.name for path in files_of([tmp_path])]

    assert names == ["a.json", "b.hl7", "d.HL7"]


def test_a_file_that_is_named_is_sent_whatever_its_name(tmp_path: Path) -> None:
    """The person knows better than the suffix."""
    odd = tmp_path / "message.out"
    odd.write_text("MSH|")

    assert files_of([odd]) == [odd]


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A typing error is one line, not a traceback."""
    with pytest.raises(BridgeError, match=r"no such file or folder .*absent"):
        files_of([tmp_path / "absent"])
