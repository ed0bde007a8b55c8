"""A data folder has one holder."""

from pathlib import Path

import pytest

from bridge.core.errors import BridgeError
from workers.holding import held


def test_second_holder_is_turned_away_and_disturbs_nothing(tmp_path: Path) -> None:
    """A second `up` on the folder of a running node stops before it touches any part of it."""
    with (
        held(tmp_path),
        pytest.raises(BridgeError, match=r"another process runs a node out of this folder"),
        held(tmp_path),
    ):
        pass


def test_folder_is_free_after_its_holder(tmp_path: Path) -> None:
    """The next `up` starts."""
    with held(tmp_path):
        pass

    with held(tmp_path):
        held_again = True

    assert held_again
