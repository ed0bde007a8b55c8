"""The mark beside the database: it only grows, and half of it is never seen."""

from pathlib import Path

import pytest

from bridge.core.errors import BridgeError
from bridge.core.ids import TreeSize, sha256
from bridge.ports.logbook import AnchoredHead
from bridge.settings import load
from workers.highwater import MARK_FILE, keep_mark, read_mark


def _head(size: int) -> AnchoredHead:
    return AnchoredHead(size=TreeSize(size), root=sha256(size.to_bytes(8)))


def test_mark_only_grows(tmp_path: Path) -> None:
    """A worker that comes late takes nothing back, and the same size keeps its first root."""
    settings = load(environment={}, overrides={"data": tmp_path})
    assert read_mark(settings) is None

    for size in (3, 7, 5):
        keep_mark(settings, _head(size))
    keep_mark(settings, AnchoredHead(size=TreeSize(7), root=sha256(b"other")))

    assert read_mark(settings) == _head(7)


def test_mark_is_replaced_whole(tmp_path: Path) -> None:
    """No draft stays beside it."""
    keep_mark(load(environment={}, overrides={"data": tmp_path}), _head(7))

    assert [file.name for file in tmp_path.iterdir()] == [MARK_FILE]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"size": 7}', '{"size": 7, "root": "xy"}'])
def test_mark_that_cannot_be_read_is_looked_at_by_a_person(tmp_path: Path, text: str) -> None:
    """It is the only witness beside the database: no guess takes its place."""
    (tmp_path / MARK_FILE).write_text(text)

    with pytest.raises(BridgeError, match="which head was newest"):
        read_mark(load(environment={}, overrides={"data": tmp_path}))
